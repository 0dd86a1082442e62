//! `wasi:http`: the request and response of this invocation, and requests to others.

use std::cell::RefCell;

use super::bindings::wasi::http::outgoing_handler;
use super::bindings::wasi::http::types::{
    self as wasi, FutureIncomingResponse, IncomingBody, IncomingRequest, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    OutgoingResponse, ResponseOutparam, Scheme,
};
use super::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use super::reasons::words;
use crate::host::http_types::{Answer, Fields, Incoming, Outgoing, Read, Written};

/// What one read asks for.
const READ_BYTES_MAX: u64 = 64 << 10;

/// What `blocking-write-and-flush` takes, by its interface. It needs no question beforehand.
const SMALL_BYTES_MAX: usize = 4096;

thread_local! {
    static REQUEST: RefCell<Option<IncomingRequest>> = const { RefCell::new(None) };
    static RESPONSE: RefCell<Option<ResponseOutparam>> = const { RefCell::new(None) };
}

/// Begins an invocation.
pub(crate) fn begin(request: IncomingRequest, response: ResponseOutparam) {
    REQUEST.set(Some(request));
    RESPONSE.set(Some(response));
}

fn with_request<T>(look: impl FnOnce(&IncomingRequest) -> T) -> T {
    REQUEST.with_borrow(|request| look(request.as_ref().expect("scripts ask for the request while one is served")))
}

pub(crate) fn method() -> String {
    match with_request(IncomingRequest::method) {
        Method::Get => "GET".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Other(method) => method,
    }
}

pub(crate) fn url() -> String {
    let (scheme, authority, path) = with_request(|request| (request.scheme(), request.authority(), request.path_with_query()));
    let scheme = match scheme {
        None | Some(Scheme::Http) => "http".to_owned(),
        Some(Scheme::Https) => "https".to_owned(),
        Some(Scheme::Other(scheme)) => scheme,
    };
    format!("{scheme}://{}{}", authority.unwrap_or_default(), path.as_deref().unwrap_or("/"))
}

pub(crate) fn header(name: &str) -> Option<Vec<u8>> {
    with_request(IncomingRequest::headers).get(name).into_iter().next()
}

pub(crate) fn headers() -> Fields {
    with_request(IncomingRequest::headers).entries()
}

pub(crate) fn body() -> Body {
    match with_request(IncomingRequest::consume) {
        Ok(body) => Body::new(body),
        Err(()) => Body { stream: None, _of: None },
    }
}

/// A body to read. Fields drop in their order: a stream belongs to its body, and a body to its response.
#[derive(Debug)]
pub(crate) struct Body {
    stream: Option<InputStream>,
    _of: Option<(IncomingBody, Option<IncomingResponse>)>,
}

impl Body {
    fn new(body: IncomingBody) -> Self {
        Self { stream: body.stream().ok(), _of: Some((body, None)) }
    }

    /// The bytes of something that is no message: an object's.
    pub(crate) fn of_stream(stream: InputStream) -> Self {
        Self { stream: Some(stream), _of: None }
    }

    pub(crate) fn read(&mut self) -> Read {
        let Some(stream) = &self.stream else { return Read::End };
        let read = match stream.read(READ_BYTES_MAX) {
            Ok(bytes) if bytes.is_empty() => return Read::Wait(stream.subscribe().into()),
            Ok(bytes) => return Read::Bytes(bytes),
            Err(StreamError::Closed) => Read::End,
            Err(StreamError::LastOperationFailed(error)) => Read::Failed(error.to_debug_string()),
        };
        self.stream = None;
        read
    }
}

/// Begins the response.
pub(crate) fn respond(status: u16, headers: Fields) -> Result<Writer, String> {
    let outparam = RESPONSE.take().ok_or("the response was sent already")?;
    let response = OutgoingResponse::new(to_wasi(&headers)?);
    response.set_status_code(status).map_err(|()| format!("{status} is no status"))?;
    let body = response.body().expect("the body is taken once");
    ResponseOutparam::set(outparam, Ok(response));
    Ok(Writer::new(body))
}

fn to_wasi(headers: &Fields) -> Result<wasi::Fields, String> {
    if headers.is_empty() {
        return Ok(wasi::Fields::new());
    }
    wasi::Fields::from_list(headers).map_err(|error| match error {
        wasi::HeaderError::Forbidden => "a header is one that only the platform may set".to_owned(),
        wasi::HeaderError::InvalidSyntax => "a header's name or value has a character that it may not have".to_owned(),
        wasi::HeaderError::Immutable => "the headers cannot be changed any more".to_owned(),
    })
}

/// A body to write. Fields drop in their order: a stream belongs to its body.
#[derive(Debug)]
pub(crate) struct Writer {
    stream: Option<OutputStream>,
    body: OutgoingBody,
    is_new: bool,
}

impl Writer {
    fn new(body: OutgoingBody) -> Self {
        Self { stream: None, body, is_new: true }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Written {
        let is_first = std::mem::take(&mut self.is_new);
        let body = &self.body;
        let stream = self.stream.get_or_insert_with(|| body.write().expect("the stream is taken once"));
        if is_first && bytes.len() <= SMALL_BYTES_MAX {
            return taken(stream.blocking_write_and_flush(bytes), bytes.len());
        }
        match stream.check_write() {
            Ok(0) => Written::Wait(stream.subscribe().into()),
            Ok(room) => {
                let count = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
                taken(stream.write(&bytes[..count]), count)
            }
            Err(error) => closed(error),
        }
    }

    pub(crate) fn finish(self) -> Result<(), String> {
        let Self { stream, body, .. } = self;
        drop(stream);
        OutgoingBody::finish(body, None).map_err(|error| words(&error))
    }
}

fn taken(result: Result<(), StreamError>, count: usize) -> Written {
    match result {
        Ok(()) => Written::Taken(count),
        Err(error) => closed(error),
    }
}

fn closed(error: StreamError) -> Written {
    match error {
        StreamError::Closed => Written::Closed("the other side has closed the stream".to_owned()),
        StreamError::LastOperationFailed(error) => Written::Closed(error.to_debug_string()),
    }
}

/// Sends a request. Its body is finished through the writer.
pub(crate) fn send(request: Outgoing) -> Result<(Exchange, Writer), String> {
    let Outgoing { method, url, headers } = request;
    let outgoing = OutgoingRequest::new(to_wasi(&headers)?);
    let (scheme, rest) = url.split_once("://").ok_or("the URL is not absolute")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let invalid = |what: &'static str| move |()| format!("the {what} is not valid");
    outgoing.set_method(&to_method(method)).map_err(invalid("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(invalid("scheme"))?;
    outgoing.set_authority(Some(authority)).map_err(invalid("host"))?;
    outgoing.set_path_with_query(Some(&path)).map_err(invalid("path"))?;
    let body = outgoing.body().expect("the body is taken once");
    let future = outgoing_handler::handle(outgoing, None).map_err(|error| words(&error))?;
    Ok((Exchange { future }, Writer::new(body)))
}

fn to_method(method: String) -> Method {
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        _ => Method::Other(method),
    }
}

/// A request that was sent.
#[derive(Debug)]
pub(crate) struct Exchange {
    future: FutureIncomingResponse,
}

impl Exchange {
    pub(crate) fn answer(&mut self) -> Answer<Body> {
        match self.future.get() {
            None => Answer::Wait(self.future.subscribe().into()),
            Some(Ok(Ok(response))) => here(response),
            Some(Ok(Err(error))) => Answer::Failed(words(&error)),
            Some(Err(())) => Answer::Failed("the answer was taken before".to_owned()),
        }
    }
}

fn here(response: IncomingResponse) -> Answer<Body> {
    let (status, headers) = (response.status(), response.headers().entries());
    let body = match response.consume() {
        Ok(body) => Body { stream: body.stream().ok(), _of: Some((body, Some(response))) },
        Err(()) => Body { stream: None, _of: None },
    };
    Answer::Here(Incoming { status, headers, body })
}
