//! The request that a function is called with, and its answer.

use std::{
    fmt::Display,
    io::{self, Read, Write},
};

use wasip2::{
    http::types::{Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam},
    io::streams::InputStream,
};

use crate::{
    Delivery, Error,
    bucket::{Writer, copy, read},
    event,
};

/// A request.
pub struct Request {
    /// The method: `GET`.
    pub method: String,
    /// The path, still percent-encoded: `/orders/7`.
    pub path: String,
    /// The query's names and values in order, decoded.
    pub query: Vec<(String, String)>,
    /// The header's fields in order: names in lower case.
    pub headers: Vec<(String, String)>,
    incoming: IncomingRequest,
}

/// An answer.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header's fields.
    pub headers: Vec<(String, String)>,
    body: Body,
}

enum Body {
    Bytes(Vec<u8>),
    Stream(Box<dyn Read>),
}

impl Request {
    fn new(incoming: IncomingRequest) -> Self {
        let target = incoming.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        };
        let query = query.split('&').filter(|text| !text.is_empty()).map(pair).collect();
        let fields = incoming.headers().entries().into_iter();
        let headers = fields.map(|(name, value)| (name.to_lowercase(), String::from_utf8_lossy(&value).into_owned())).collect();
        Self { method: method(incoming.method()), path: path.to_owned(), query, headers, incoming }
    }

    /// A value of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }
    /// A field of the header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
    /// The body, to be read as it comes. Once.
    pub fn body(&self) -> Result<RequestBody, Error> {
        let body = self.incoming.consume().map_err(|()| Error::other("the request's body was taken before"))?;
        let stream = body.stream().map_err(|()| Error::other("the request's body was taken before"))?;
        Ok(RequestBody { stream, _body: body })
    }
    /// All of the body. Once.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.body()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
    /// The events that the function is called for; `None` if it is called for a request. Reads the body if there are events.
    pub fn events(&self) -> Result<Option<Delivery>, Error> {
        event::delivered(self)
    }
}

/// The body of a request.
pub struct RequestBody {
    // Fields are dropped in this order, and a stream goes before the body it belongs to.
    stream: InputStream,
    _body: IncomingBody,
}

impl Read for RequestBody {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read(&self.stream, into)
    }
}

impl Response {
    /// An answer of these bytes.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: Body::Bytes(body.into()) }
    }
    /// Text, with the status 200.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(200, "text/plain; charset=utf-8", text.into())
    }
    /// JSON, with the status 200.
    pub fn json(json: impl Display) -> Self {
        Self::new(200, "application/json", json.to_string())
    }
    /// An answer whose body is read as it is sent.
    pub fn stream(status: u16, content_type: &str, body: impl Read + 'static) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: Body::Stream(Box::new(body)) }
    }
    /// Nothing but a status.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }
    /// All events are worked off.
    pub fn done() -> Self {
        Self::empty(204)
    }
    /// The events with these ids failed, and come again; all others are worked off. For a batch.
    pub fn failed<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let ids: Vec<&str> = ids.into_iter().collect();
        Self::json(serde_json::json!({ "failed": ids }))
    }
    /// With another status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
    /// With a further field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What a function may give: a response, or a result of one.
pub trait Answer {
    /// The response. Errors are logged, and answered with the status 500.
    fn answer(self) -> Response;
}
impl Answer for Response {
    fn answer(self) -> Response {
        self
    }
}
impl<A: Answer, E: Display> Answer for Result<A, E> {
    fn answer(self) -> Response {
        match self {
            Ok(answer) => answer.answer(),
            Err(error) => {
                eprintln!("{error}");
                Response::text("the function failed\n").status(500)
            }
        }
    }
}

/// Calls the function. For [`function!`](crate::function).
#[doc(hidden)]
pub fn serve<A: Answer>(request: IncomingRequest, param: ResponseOutparam, handle: impl FnOnce(Request) -> A) {
    let Response { status, headers, body } = handle(Request::new(request)).answer();
    let headers: Vec<(String, Vec<u8>)> = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
    let response = OutgoingResponse::new(Fields::from_list(&headers).expect("the header's fields are well formed"));
    response.set_status_code(status).expect("the status is one of HTTP");
    let outgoing = response.body().expect("the body is taken once");
    ResponseOutparam::set(param, Ok(response));
    let mut writer = Writer(outgoing.write().expect("the stream is taken once"));
    let sent = match body {
        Body::Bytes(bytes) => writer.write_all(&bytes),
        Body::Stream(mut stream) => copy(&mut stream, &mut writer).map(drop),
    };
    drop(writer);
    match sent {
        // That it could not be finished is told to the caller by the platform.
        Ok(()) => drop(OutgoingBody::finish(outgoing, None)),
        Err(error) => eprintln!("the response broke off: {error}"),
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn method(method: Method) -> String {
    let text = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(other) => return other,
    };
    text.to_owned()
}

/// Undoes percent-encoding. What is not valid encoding stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let escape = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let value = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(value.unwrap_or(*byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
