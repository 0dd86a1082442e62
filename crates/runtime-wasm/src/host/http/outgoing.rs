//! What goes out: the response, the guest's own requests, and their bodies.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, uri};
use ports::{Body, BodyError};
use types::{Code, journal::Failure};
use wasmtime::component::Resource;

use super::{error::words, fields::Fields, method_from, method_of, pipe::Pipe};
use crate::host::{
    Host,
    bindings::wasi::http::types::{self as wit, ErrorCode, Method, Scheme},
    io::{
        error::{IoError, StreamFailure},
        streams::OutputStream,
    },
};

/// Where the guest puts its response, once.
pub struct ResponseOutparam;

/// A response in the making.
pub struct OutgoingResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Arc<Pipe>>,
}

/// A request in the making. Boxed, since it is large and rare.
pub struct OutgoingRequest(Box<RequestParts>);

struct RequestParts {
    method: http::Method,
    path: Option<String>,
    scheme: Option<Scheme>,
    authority: Option<String>,
    headers: HeaderMap,
    body: Option<Arc<Pipe>>,
}

/// Bounds of a guest's own for one request, in nanoseconds.
#[derive(Default)]
pub struct RequestOptions {
    pub(crate) connect_ns: Option<u64>,
    pub(crate) first_byte_ns: Option<u64>,
    pub(crate) between_bytes_ns: Option<u64>,
}

/// Whose body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The response's: its reader is the client.
    Response,
    /// A request's: its reader is the way out.
    Request,
}

/// A body to be written. Dropped before it was finished, it breaks off.
pub struct OutgoingBody {
    pub(crate) pipe: Arc<Pipe>,
    pub(crate) side: Side,
    /// How many bytes the guest may write after its last `check-write`.
    pub(crate) permit: u64,
    /// What `content-length` says.
    declared: Option<u64>,
    written: u64,
    stream_taken: bool,
}

impl OutgoingBody {
    fn new(headers: &HeaderMap, side: Side) -> Option<Self> {
        let declared = match headers.get(header::CONTENT_LENGTH) {
            None => None,
            Some(length) => Some(length.to_str().ok()?.parse().ok()?),
        };
        let body = Self { pipe: Pipe::new(), side, permit: 0, declared, written: 0, stream_taken: false };
        body.let_reader_go_when_complete();
        Some(body)
    }

    /// Readers that know the length leave after the last byte and don't wait for the end. They have not gone away.
    fn let_reader_go_when_complete(&self) {
        if self.declared == Some(self.written) {
            self.pipe.discard_if_unread();
        }
    }

    /// Writes a chunk. Whether there is room was asked before.
    ///
    /// # Errors
    /// If there is more now than was declared; the body is broken then.
    pub(crate) fn put(&mut self, chunk: Bytes) -> Result<(), StreamFailure> {
        self.written += chunk.len() as u64;
        if self.declared.is_some_and(|declared| self.written > declared) {
            let code = self.wrong_size();
            self.pipe.break_off(BodyError::Broken(words(&code)));
            return Err(StreamFailure::Failed(IoError::of_http(code, "more was written than content-length says")));
        }
        self.let_reader_go_when_complete();
        self.pipe.push(chunk);
        Ok(())
    }

    fn finish(&mut self, trailers: Option<HeaderMap>) -> Result<(), ErrorCode> {
        if self.declared.is_some_and(|declared| self.written != declared) {
            let code = self.wrong_size();
            self.pipe.break_off(BodyError::Broken(words(&code)));
            return Err(code);
        }
        self.pipe.finish(trailers);
        Ok(())
    }

    fn wrong_size(&self) -> ErrorCode {
        match self.side {
            Side::Response => ErrorCode::HttpResponseBodySize(Some(self.written)),
            Side::Request => ErrorCode::HttpRequestBodySize(Some(self.written)),
        }
    }
}

impl Drop for OutgoingBody {
    fn drop(&mut self) {
        // Nothing happens to a body that was finished.
        self.pipe.break_off(BodyError::Broken("the body was never finished".to_owned()));
    }
}

impl OutgoingRequest {
    /// The request as it is sent, with an absolute URI.
    ///
    /// # Errors
    /// If its parts make no URI.
    pub(crate) fn into_request(self) -> Result<http::Request<Body>, ErrorCode> {
        let RequestParts { method, path, scheme, authority, headers, body } = *self.0;
        let scheme = match &scheme {
            None | Some(Scheme::Https) => uri::Scheme::HTTPS,
            Some(Scheme::Http) => uri::Scheme::HTTP,
            Some(Scheme::Other(_)) => return Err(ErrorCode::HttpProtocolError),
        };
        let uri = http::Uri::builder()
            .scheme(scheme)
            .authority(authority.ok_or(ErrorCode::HttpRequestUriInvalid)?)
            .path_and_query(path.filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned()))
            .build()
            .map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
        let mut request = http::Request::new(body.map_or(Body::Empty, |pipe| Body::stream(pipe.body())));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl wit::HostResponseOutparam for Host {
    fn set(
        &mut self,
        param: Resource<ResponseOutparam>,
        response: Result<Resource<OutgoingResponse>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        self.table.delete(param)?;
        let response = match response {
            Ok(response) => self.table.delete(response)?,
            Err(code) => {
                self.answered_error = Some(format!("the function answered with the error {}", words(&code)));
                return Ok(());
            }
        };
        let OutgoingResponse { status, headers, body } = response;
        let body = match body {
            None => Body::Empty,
            Some(pipe) => {
                if is_bodiless(self.request.method(), status) {
                    pipe.discard_if_unread();
                }
                let body = Body::stream(pipe.body());
                self.response = Some(pipe);
                body
            }
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        self.scope.respond(response);
        Ok(())
    }
    fn send_informational(
        &mut self,
        _: Resource<ResponseOutparam>,
        _: u16,
        _: Resource<Fields>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        Ok(Err(ErrorCode::InternalError(Some("informational responses are not sent".to_owned()))))
    }
    fn drop(&mut self, param: Resource<ResponseOutparam>) -> wasmtime::Result<()> {
        self.table.delete(param)?;
        Ok(())
    }
}

/// Whether HTTP sends no body with such a response, so that its reader goes without reading (RFC 9110, section 6.4.1).
fn is_bodiless(method: &http::Method, status: StatusCode) -> bool {
    method == http::Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

impl wit::HostOutgoingResponse for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingResponse>> {
        let headers = self.take_fields(headers)?;
        Ok(self.table.push(OutgoingResponse { status: StatusCode::OK, headers, body: None })?)
    }
    fn status_code(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }
    fn set_status_code(&mut self, response: Resource<OutgoingResponse>, status: u16) -> wasmtime::Result<Result<(), ()>> {
        // Informational responses are not final ones.
        let Some(status) = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational()) else {
            return Ok(Err(()));
        };
        self.table.get_mut(&response)?.status = status;
        Ok(Ok(()))
    }
    fn headers(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push(Fields::immutable(headers))?)
    }
    fn body(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let OutgoingResponse { headers, body, .. } = self.table.get_mut(&response)?;
        let outgoing = match body {
            None => OutgoingBody::new(headers, Side::Response),
            Some(_) => None,
        };
        let Some(outgoing) = outgoing else { return Ok(Err(())) };
        *body = Some(outgoing.pipe.clone());
        Ok(Ok(self.table.push(outgoing)?))
    }
    fn drop(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl wit::HostOutgoingBody for Host {
    fn write(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<Result<Resource<OutputStream>, ()>> {
        let index = body.rep();
        if std::mem::replace(&mut self.table.get_mut(&body)?.stream_taken, true) {
            return Ok(Err(()));
        }
        Ok(Ok(self.table.push_child(OutputStream::Body(index), index)?))
    }
    fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        let mut body = self.table.delete(body)?;
        let trailers = match trailers {
            Some(trailers) => Some(self.take_fields(trailers)?),
            None => None,
        };
        let finished = body.finish(trailers);
        if let (Err(code), Side::Response) = (&finished, body.side) {
            self.broke_off(&words(code));
        }
        Ok(finished)
    }
    fn drop(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        let body = self.table.delete(body)?;
        if body.side == Side::Response {
            self.broke_off("the body was dropped before it was finished");
        }
        Ok(())
    }
}

impl Host {
    fn broke_off(&self, why: &str) {
        self.scope.refused(&Failure { code: Code::E0509, message: format!("{}: {why}", Code::E0509.title()) });
    }
}

impl wit::HostOutgoingRequest for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let headers = self.take_fields(headers)?;
        let method = http::Method::GET;
        let parts = RequestParts { method, path: None, scheme: None, authority: None, headers, body: None };
        Ok(self.table.push(OutgoingRequest(Box::new(parts)))?)
    }
    fn body(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let RequestParts { headers, body, .. } = &mut *self.table.get_mut(&request)?.0;
        let outgoing = match body {
            None => OutgoingBody::new(headers, Side::Request),
            Some(_) => None,
        };
        let Some(outgoing) = outgoing else { return Ok(Err(())) };
        *body = Some(outgoing.pipe.clone());
        Ok(Ok(self.table.push(outgoing)?))
    }
    fn method(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Method> {
        Ok(method_of(&self.table.get(&request)?.0.method))
    }
    fn set_method(&mut self, request: Resource<OutgoingRequest>, method: Method) -> wasmtime::Result<Result<(), ()>> {
        let Some(method) = method_from(&method) else { return Ok(Err(())) };
        self.table.get_mut(&request)?.0.method = method;
        Ok(Ok(()))
    }
    fn path_with_query(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.0.path.clone())
    }
    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let invalid = |path: &String| !path.is_empty() && path.parse::<uri::PathAndQuery>().is_err();
        if path.as_ref().is_some_and(invalid) {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.0.path = path;
        Ok(Ok(()))
    }
    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.0.scheme.clone())
    }
    fn set_scheme(&mut self, request: Resource<OutgoingRequest>, scheme: Option<Scheme>) -> wasmtime::Result<Result<(), ()>> {
        if let Some(Scheme::Other(other)) = &scheme
            && other.parse::<uri::Scheme>().is_err()
        {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.0.scheme = scheme;
        Ok(Ok(()))
    }
    fn authority(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.0.authority.clone())
    }
    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        if authority.as_ref().is_some_and(|authority| authority.parse::<uri::Authority>().is_err()) {
            return Ok(Err(()));
        }
        self.table.get_mut(&request)?.0.authority = authority;
        Ok(Ok(()))
    }
    fn headers(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&request)?.0.headers.clone();
        Ok(self.table.push(Fields::immutable(headers))?)
    }
    fn drop(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(declared: &'static str) -> OutgoingBody {
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, http::HeaderValue::from_static(declared))]);
        OutgoingBody::new(&headers, Side::Response).expect("the length is a number")
    }

    #[test]
    fn a_reader_may_leave_with_the_last_declared_byte_and_not_before() {
        for (written, gone) in [("abc", false), ("ab", true)] {
            let mut body = body("3");
            let reader = body.pipe.body();
            assert!(body.put(written.into()).is_ok());
            drop(reader);
            assert_eq!(body.pipe.is_abandoned(), gone, "{written}");
        }
    }

    #[test]
    fn the_declared_length_is_kept() {
        let mut long = body("3");
        assert!(matches!(long.put("abcd".into()), Err(StreamFailure::Failed(_))));
        let mut short = body("3");
        assert!(short.put("ab".into()).is_ok());
        assert!(matches!(short.finish(None), Err(ErrorCode::HttpResponseBodySize(Some(2)))));
        let mut exact = body("3");
        assert!(exact.put("abc".into()).is_ok() && exact.finish(None).is_ok());
    }
}
