//! What goes out: the response, and the guest's own requests.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, uri};
use ports::Body;
use wasmtime::component::Resource;

use super::{
    body::{OutgoingBody, Side},
    error::words,
    fields::Fields,
    method_from, method_of,
    pipe::Pipe,
};
use crate::host::{
    Host,
    bindings::wasi::http::types::{self as wit, ErrorCode, Method, Scheme},
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
