//! What is known of an invocation before its code runs.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Uri};
use ports::{
    Batch, Body,
    invoker::{Acknowledge, Item},
};
use types::{
    Cause, Elapsed, InvocationId, LiveFunction, RecordMode, SpanId, Timestamp, TraceContext, TraceId,
    field::{EVAL, TRIGGER},
    journal::RequestHead,
    record::Delivery,
    trigger::Effects,
};

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
    /// What started it, if that was no request, in a few words.
    started_by: Option<String>,
    /// Whether events started it.
    is_batch: bool,
    pub(crate) delivery: Delivery,
    /// What is the same in every delivery of the same events.
    pub(crate) repeatable: Option<Arc<[u8; 32]>>,
}

/// Where an invocation comes from.
pub(crate) struct Origin<'a> {
    pub(crate) parent: Option<TraceContext>,
    pub(crate) received_ns: u64,
    pub(crate) depth: u32,
    pub(crate) batch: Option<&'a Batch>,
}

impl Facts {
    pub(crate) fn new(services: &Services, function: Arc<LiveFunction>, request: &Request<Body>, origin: Origin<'_>) -> Self {
        let Origin { parent, received_ns, depth, batch } = origin;
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
        let (attempt, links) = batch.map_or((0, Vec::new()), |batch| (batch.attempt, batch.links.clone()));
        Self {
            id: InvocationId::from_parts(at.unix_ms(), draw.id),
            started_by: batch.map(|batch| batch.cause.clone()).or_else(|| evaluated(request.headers())),
            is_batch: batch.is_some(),
            delivery: Delivery { attempt, depth, links },
            repeatable: batch.map(|batch| Arc::new(same_each_time(&function, batch))),
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

    /// Whether its effects count only with its success.
    pub(crate) fn is_atomic(&self) -> bool {
        self.function.function.effects_of(self.is_batch) == Effects::Atomic
    }

    /// Time since the trigger received it.
    pub(crate) fn elapsed(&self, services: &Services) -> Elapsed {
        Elapsed::from_ns(services.clock.monotonic_ns().saturating_sub(self.began_ns))
    }

    /// What this invocation is to whatever it causes.
    pub(crate) fn as_cause(&self) -> Cause {
        Cause { trace: self.trace, depth: self.delivery.depth.saturating_add(1) }
    }

    /// `GET /ada`: never the query, which may hold what should not be shown. Or `queue orders`.
    pub(crate) fn cause(&self) -> String {
        if let Some(started_by) = &self.started_by {
            return started_by.clone();
        }
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

/// An expression that is evaluated comes as a request, which nobody has made.
fn evaluated(headers: &HeaderMap) -> Option<String> {
    headers.get(TRIGGER).filter(|value| *value == EVAL).map(|_| EVAL.to_owned())
}

/// The same for every delivery of the same events to the same function, and for nothing else.
fn same_each_time(function: &LiveFunction, batch: &Batch) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("dayfly 2026-11-21 deliveries of the same events");
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    add(&function.key.to_string());
    add(function.function.name.as_str());
    for Item { id, acknowledge } in &batch.items {
        add(id);
        match acknowledge {
            Acknowledge::Message(queue, receipt) => {
                add(&queue.0);
                add(&receipt.id.to_string());
            }
            Acknowledge::Record { stream, partition, next, .. } => {
                add(&stream.0);
                add(&format!("{}/{}", partition.0, next.0));
            }
        }
    }
    *hasher.finalize().as_bytes()
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
