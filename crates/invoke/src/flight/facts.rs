//! What is known of an invocation before its code runs.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Uri};
use ports::Body;
use types::{Elapsed, InvocationId, LiveFunction, RecordMode, SpanId, Timestamp, TraceContext, TraceId, journal::RequestHead};

use crate::{engine::Services, scope::recorded};

/// An invocation's identity, place in the trace, and what it was asked.
pub(crate) struct Facts {
    pub(crate) id: InvocationId,
    pub(crate) function: Arc<LiveFunction>,
    pub(crate) at: Timestamp,
    pub(crate) began_ns: u64,
    pub(crate) trace: TraceContext,
    pub(crate) parent: Option<SpanId>,
    pub(crate) seed: [u8; 32],
    /// Whether answers and bodies are noted.
    pub(crate) detailed: bool,
    /// Whether the journal is kept even if nothing fails.
    pub(crate) kept: bool,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The request's fields, where they are noted.
    headers: Option<HeaderMap>,
    pub(crate) head_bytes: u64,
}

impl Facts {
    pub(crate) fn new(
        services: &Services,
        function: Arc<LiveFunction>,
        request: &Request<Body>,
        parent: Option<TraceContext>,
        received_ns: u64,
    ) -> Self {
        let at = services.clock.now();
        let draw = Draw::from(services);
        let record = function.function.record;
        let detailed = record != RecordMode::Off;
        let kept = match record {
            RecordMode::Off | RecordMode::Errors => false,
            RecordMode::Sample(hundredths) => draw.ticket % 10_000 < u32::from(hundredths),
            RecordMode::All => true,
        };
        let trace = TraceContext {
            trace: parent.map_or(draw.trace, |parent| parent.trace),
            span: draw.span,
            sampled: parent.is_none_or(|parent| parent.sampled),
        };
        let target = request.uri().path_and_query().map_or(1, |path| path.as_str().len());
        Self {
            id: InvocationId::from_parts(at.unix_ms(), draw.id),
            function,
            at,
            began_ns: received_ns,
            trace,
            parent: parent.map(|parent| parent.span),
            seed: draw.seed,
            detailed,
            kept,
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: detailed.then(|| request.headers().clone()),
            head_bytes: request.method().as_str().len() as u64 + target as u64 + head_bytes(request.headers()),
        }
    }

    /// Time since the trigger received it.
    pub(crate) fn elapsed(&self, services: &Services) -> Elapsed {
        Elapsed::from_ns(services.clock.monotonic_ns().saturating_sub(self.began_ns))
    }

    /// `GET /ada`: never the query, which may hold what should not be shown.
    pub(crate) fn cause(&self) -> String {
        [self.method.as_str(), " ", self.uri.path()].concat()
    }

    /// The request's head for the journal.
    pub(crate) fn request_head(&self) -> RequestHead {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone().unwrap_or_default();
        recorded::head_of(&request)
    }
}

/// Bytes of header fields as HTTP/1 would send them.
pub(crate) fn head_bytes(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum()
}

/// All the chance that one invocation needs, drawn at once.
struct Draw {
    id: [u8; 10],
    span: SpanId,
    trace: TraceId,
    ticket: u32,
    seed: [u8; 32],
}

impl Draw {
    fn from(services: &Services) -> Self {
        let mut bytes = [0; 70];
        services.rng.fill(&mut bytes);
        let (id, rest) = bytes.split_first_chunk::<10>().expect("70 bytes hold them all");
        let (span, rest) = rest.split_first_chunk::<8>().expect("70 bytes hold them all");
        let (trace, rest) = rest.split_first_chunk::<16>().expect("70 bytes hold them all");
        let (ticket, rest) = rest.split_first_chunk::<4>().expect("70 bytes hold them all");
        let (seed, _) = rest.split_first_chunk::<32>().expect("70 bytes hold them all");
        // An all-zero id is forbidden by the standard, and as likely as a broken generator.
        let span = SpanId::from_bytes(*span).unwrap_or(SpanId::from_bytes([1; 8]).expect("not zero"));
        let trace = TraceId::from_bytes(*trace).unwrap_or(TraceId::from_bytes([1; 16]).expect("not zero"));
        Self { id: *id, span, trace, ticket: u32::from_le_bytes(*ticket), seed: *seed }
    }
}
