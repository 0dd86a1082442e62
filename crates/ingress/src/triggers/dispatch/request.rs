//! The request that a function gets for events.
//!
//! `POST http://{function}.internal/`. With `batch = 1` it is one CloudEvent in binary mode (structured, where the attributes don't fit
//! into header fields). With any other batch size it is a list in the JSON batch format, also when the list has one event only: so a
//! function never meets both. The way stands in `ce-…` fields or in the list. [`TRIGGER`] says what started it, for those that have a handler
//! for each kind; nothing else depends on that.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use ports::{
    Body, Invocation,
    invoker::{Batch, Item},
};
use types::{Cause, CloudEvent, TraceContext, field::TRIGGER};

use super::reader::Reader;
use crate::cloudevents::{BATCH, STRUCTURED, is_extension_name, to_batch, to_binary, to_structured};

/// Traces that one batch is linked to.
const LINKS_MAX: usize = 128;

/// An event with its acknowledgement and its cause.
pub(crate) struct Ready {
    pub(crate) event: CloudEvent,
    pub(crate) item: Item,
    pub(crate) cause: Option<Cause>,
}

/// The invocation for these events.
pub(crate) fn invocation(reader: &Reader, ready: &[Ready], attempt: u32, received_ns: u64) -> Invocation {
    let is_single = reader.rules().batch <= 1;
    let causes = || ready.iter().filter_map(|ready| ready.cause.as_ref());
    let parent = ready.first().and_then(|ready| ready.cause).map(|cause| cause.trace);
    let batch = Batch {
        cause: reader.cause(),
        items: ready.iter().map(|ready| ready.item.clone()).collect(),
        attempt,
        links: links(causes().map(|cause| cause.trace), parent),
        is_single,
    };
    Invocation {
        function: reader.function.clone(),
        request: request(reader, ready, is_single),
        parent,
        received_ns,
        depth: causes().map(|cause| cause.depth).max().unwrap_or(0),
        batch: Some(batch),
    }
}

fn links(traces: impl Iterator<Item = TraceContext>, parent: Option<TraceContext>) -> Vec<TraceContext> {
    let mut links: Vec<TraceContext> = Vec::new();
    for trace in traces {
        if links.len() >= LINKS_MAX {
            break;
        }
        if Some(trace) != parent && !links.contains(&trace) {
            links.push(trace);
        }
    }
    links
}

fn request(reader: &Reader, ready: &[Ready], is_single: bool) -> Request<Body> {
    let events = || ready.iter().map(|ready| with_trace(&ready.event, ready.cause));
    let single = if is_single { events().next() } else { None };
    let (headers, body) = match &single {
        Some(event) => to_binary(event).unwrap_or_else(|| (typed(STRUCTURED), to_structured(event))),
        None => (typed(BATCH), to_batch(&events().collect::<Vec<_>>())),
    };
    let host = format!("{}.internal", reader.function.function.name);
    let mut request = Request::new(Body::from(Bytes::clone(&body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("http://{host}/").parse().expect("a function's name is a DNS label");
    *request.headers_mut() = headers;
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::try_from(host).expect("a function's name is a DNS label"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(TRIGGER, HeaderValue::from_static(reader.source().kind()));
    request
}

fn typed(content_type: &'static str) -> http::HeaderMap {
    http::HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))])
}

/// The event with its trace, as the specification's extension for distributed tracing has it, unless whoever made it said so.
fn with_trace(event: &CloudEvent, cause: Option<Cause>) -> CloudEvent {
    const TRACEPARENT: &str = "traceparent";
    let mut event = event.clone();
    debug_assert!(is_extension_name(TRACEPARENT));
    if let Some(cause) = cause
        && !event.extensions.iter().any(|(name, _)| name == TRACEPARENT)
    {
        event.extensions.push((TRACEPARENT.to_owned(), cause.trace.to_traceparent()));
    }
    event
}
