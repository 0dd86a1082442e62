//! Outgoing requests.

use crate::call;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, OutgoingRequest, Scheme};

/// Sends a GET and does not wait for the answer.
pub fn send(url: &str) -> Result<FutureIncomingResponse, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("{url} is not an absolute URL"));
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).expect("the scheme is well formed");
    request.set_authority(Some(authority)).expect("the authority is well formed");
    request.set_path_with_query(Some(path)).expect("the path is well formed");
    outgoing_handler::handle(request, None)
}

/// Waits for the head of the answer.
pub fn wait(answer: &FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    answer.subscribe().block();
    answer.get().expect("the answer is there once its pollable is ready").expect("the answer is taken once")
}

/// Hands each chunk of an answer's body to `take`, as it comes.
pub fn read_all(answer: &IncomingResponse, mut take: impl FnMut(Vec<u8>)) {
    let body = answer.consume().expect("the answer's body is taken once");
    let stream = body.stream().expect("the body's stream is taken once");
    while let Some(chunk) = call::read(&stream) {
        take(chunk);
    }
}
