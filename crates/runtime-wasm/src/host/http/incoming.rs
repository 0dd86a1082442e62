//! What comes in: the request that the guest was called for, the responses to its own, and their bodies.

use std::task::{Context, Poll, Waker};

use http::{HeaderMap, StatusCode};
use ports::{Body, BodyError, tape::Question};
use types::journal::{Answer, Headers};
use wasmtime::component::Resource;

use super::{
    error::{body_from_text, code_of_body},
    fields::{self, Fields},
    method_of, scheme_of,
    source::{End, Source},
};
use crate::{
    host::{
        Host,
        bindings::wasi::http::types::{self as wit, ErrorCode, Method, Scheme},
        io::{poll::Pollable, streams::InputStream},
    },
    stop::Stop,
};

/// The request that the guest was called for. There is one, and the host holds it.
pub struct IncomingRequest {
    /// Whether its body is still there to be taken.
    pub(crate) body_left: bool,
}

/// A response to a request of the guest's own.
pub struct IncomingResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Body>,
}

/// A body to be read.
pub struct IncomingBody {
    pub(crate) source: Source,
    /// Whether it is the request's: what is read of it is counted.
    pub(crate) of_request: bool,
    /// Whether its stream was taken, which happens once.
    stream_taken: bool,
    /// Whether the guest was told that the body is broken. After that it is only closed.
    pub(crate) failure_told: bool,
}

/// The trailers, once everything before them was read.
pub struct FutureTrailers {
    source: Source,
    of_request: bool,
    taken: bool,
}

impl IncomingResponse {
    pub(crate) fn new(response: http::Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let mut headers = head.headers;
        fields::remove_forbidden(&mut headers);
        Self { status: head.status, headers, body: Some(body) }
    }
}

impl IncomingBody {
    pub(crate) fn new(body: Body, of_request: bool) -> Self {
        Self { source: Source::new(body), of_request, stream_taken: false, failure_told: false }
    }
}

impl FutureTrailers {
    pub(crate) fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, BodyError>> {
        self.source.poll_end(cx).map(|end| match end {
            End::Closed(trailers) => Ok(trailers.clone()),
            End::Broken(error) => Err(error.clone()),
        })
    }
}

impl wit::HostIncomingRequest for Host {
    fn method(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Method> {
        Ok(method_of(self.request.method()))
    }
    fn path_with_query(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<String>> {
        Ok(self.request.uri().path_and_query().map(|path| path.as_str().to_owned()))
    }
    fn scheme(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.request.uri().scheme_str().map(scheme_of))
    }
    fn authority(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<String>> {
        Ok(self.request.uri().authority().map(|authority| authority.as_str().to_owned()))
    }
    fn headers(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Resource<Fields>> {
        if !self.request_cleaned {
            fields::remove_forbidden(self.request.headers_mut());
            self.request_cleaned = true;
        }
        Ok(self.table.push(Fields::OfRequest)?)
    }
    fn consume(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        let left = &mut self.table.get_mut(&request)?.body_left;
        if !std::mem::take(left) {
            return Ok(Err(()));
        }
        let body = std::mem::take(self.request.body_mut());
        Ok(Ok(self.table.push(IncomingBody::new(body, true))?))
    }
    fn drop(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl wit::HostIncomingResponse for Host {
    fn status(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }
    fn headers(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push(Fields::immutable(headers))?)
    }
    fn consume(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        let Some(body) = self.table.get_mut(&response)?.body.take() else { return Ok(Err(())) };
        Ok(Ok(self.table.push(IncomingBody::new(body, false))?))
    }
    fn drop(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl wit::HostIncomingBody for Host {
    fn stream(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<Result<Resource<InputStream>, ()>> {
        let index = body.rep();
        if std::mem::replace(&mut self.table.get_mut(&body)?.stream_taken, true) {
            return Ok(Err(()));
        }
        Ok(Ok(self.table.push_child(InputStream::Body(index), index)?))
    }
    fn finish(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<Resource<FutureTrailers>> {
        let IncomingBody { source, of_request, .. } = self.table.delete(body)?;
        Ok(self.table.push(FutureTrailers { source, of_request, taken: false })?)
    }
    fn drop(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

/// What `future-trailers.get` gives: nothing yet, or once the trailers, and an error for asking again.
type Trailers = Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>;

impl wit::HostFutureTrailers for Host {
    fn subscribe(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<Resource<Pollable>> {
        let index = trailers.rep();
        Ok(self.table.push_child(Pollable::Trailers(index), index)?)
    }
    fn get(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<Trailers> {
        let future = self.table.get_mut(&trailers)?;
        if future.taken {
            return Ok(Some(Err(())));
        }
        let found = match self.scope.tape().recall(Question::Trailers).map_err(Stop::from)? {
            Some(Answer::Trailers(trailers)) => Some(Ok(trailers.map(headers_from))),
            Some(Answer::Broken(text)) => Some(Err(body_from_text(&text))),
            Some(_) => None,
            None => {
                let found = match future.poll_trailers(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(found) => Some(found),
                    Poll::Pending => None,
                };
                self.keep(|| match &found {
                    Some(Ok(trailers)) => Answer::Trailers(trailers.as_ref().map(headers_of)),
                    Some(Err(error)) => Answer::Broken(error.to_string()),
                    None => Answer::NoTrailersYet,
                });
                found
            }
        };
        let Some(found) = found else { return Ok(None) };
        let future = self.table.get_mut(&trailers)?;
        future.taken = true;
        let of_request = future.of_request;
        Ok(Some(Ok(match found {
            Ok(None) => Ok(None),
            Ok(Some(map)) => Ok(Some(self.table.push(Fields::immutable(map))?)),
            Err(error) => Err(code_of_body(&error, of_request)),
        })))
    }
    fn drop(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}

fn headers_of(map: &HeaderMap) -> Headers {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), bytes::Bytes::copy_from_slice(value.as_bytes()))).collect()
}

/// Recorded fields as a map. They were one when they were recorded, so what does not fit is left out.
fn headers_from(headers: Headers) -> HeaderMap {
    let pairs = headers.into_iter().filter_map(|(name, value)| {
        Some((http::HeaderName::from_bytes(name.as_bytes()).ok()?, http::HeaderValue::from_maybe_shared(value).ok()?))
    });
    pairs.collect()
}
