//! HTTP in memory: one request to serve, the response to it, and a world in which `http://echo.test` answers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::poll::Pollable;
use crate::host::http_types::{Answer, Fields, Incoming, Outgoing, Read, Written};

/// The request that the machine serves next.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, say.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// All fields.
    pub headers: Vec<(String, String)>,
    /// Its body in the pieces that it arrives in.
    pub body: Vec<Vec<u8>>,
}

/// What the machine answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 0 until there is one.
    pub status: u16,
    /// All fields.
    pub headers: Vec<(String, String)>,
    /// Each write.
    pub body: Vec<Vec<u8>>,
    /// Whether the body came to its end.
    pub is_finished: bool,
}

type Shared = Rc<RefCell<Response>>;

thread_local! {
    static REQUEST: RefCell<Request> = RefCell::new(Request::default());
    static RESPONSE: RefCell<Shared> = RefCell::new(Shared::default());
    /// How many requests to `/together-N` there were.
    static TOGETHER: Cell<u32> = const { Cell::new(0) };
}

/// How often one that waits for others is asked.
const WAITS_MAX: u32 = 100;

/// Sets the request to serve.
pub fn set_request(request: Request) {
    REQUEST.set(request);
    RESPONSE.set(Shared::default());
}

/// What was answered so far.
pub fn response() -> Response {
    RESPONSE.with_borrow(|response| response.borrow().clone())
}

pub(crate) fn method() -> String {
    REQUEST.with_borrow(|request| request.method.clone())
}

pub(crate) fn url() -> String {
    REQUEST.with_borrow(|request| request.url.clone())
}

pub(crate) fn header(name: &str) -> Option<Vec<u8>> {
    let is_it = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
    REQUEST.with_borrow(|request| request.headers.iter().find(is_it).map(|(_, value)| value.clone().into_bytes()))
}

pub(crate) fn headers() -> Fields {
    REQUEST.with_borrow(|request| fields(&request.headers))
}

pub(crate) fn body() -> Body {
    Body { pieces: REQUEST.with_borrow(|request| request.body.clone()), is_waiting: false }
}

/// A body to read: each piece has to be waited for once, as over a network.
#[derive(Debug)]
pub struct Body {
    pieces: Vec<Vec<u8>>,
    is_waiting: bool,
}

impl Body {
    /// The bytes of something that is no message: an object's.
    pub(crate) fn of_pieces(pieces: Vec<Vec<u8>>) -> Self {
        Self { pieces, is_waiting: false }
    }

    pub(crate) fn read(&mut self) -> Read {
        if self.pieces.is_empty() {
            return Read::End;
        }
        self.is_waiting = !self.is_waiting;
        if self.is_waiting { Read::Wait(Pollable::now()) } else { Read::Bytes(self.pieces.remove(0)) }
    }
}

/// Begins the response.
pub(crate) fn respond(status: u16, headers: Fields) -> Result<Writer, String> {
    let response = RESPONSE.with_borrow(Rc::clone);
    if response.borrow().status != 0 {
        return Err("the response was sent already".to_owned());
    }
    *response.borrow_mut() = Response { status, headers: texts(&headers), ..Response::default() };
    Ok(Writer { into: response })
}

/// A body to write.
#[derive(Debug)]
pub struct Writer {
    into: Shared,
}

impl Writer {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Written {
        self.into.borrow_mut().body.push(bytes.to_vec());
        Written::Taken(bytes.len())
    }

    pub(crate) fn finish(self) -> Result<(), String> {
        self.into.borrow_mut().is_finished = true;
        Ok(())
    }
}

/// Sends a request to the only other host of this world. It answers with what it got: method and URL in fields, the body as it was. A
/// path `/STATUS` is the status that it answers with, and what follows `?to=` its location. `/together-N` is answered when N requests to it are under way.
pub(crate) fn send(request: Outgoing) -> Result<(Exchange, Writer), String> {
    let host = request.url.split('/').nth(2).unwrap_or_default();
    if host != "echo.test" {
        return Err(format!("{host} is not allowed: name it in the manifest"));
    }
    let sent = Shared::default();
    if together(&request).is_some() {
        TOGETHER.set(TOGETHER.get() + 1);
    }
    let exchange = Exchange { request, sent: Rc::clone(&sent), is_waiting: false, waits: 0 };
    Ok((exchange, Writer { into: sent }))
}

/// A request that was sent.
#[derive(Debug)]
pub struct Exchange {
    request: Outgoing,
    sent: Shared,
    is_waiting: bool,
    waits: u32,
}

/// How many requests have to be under way for this one to be answered.
fn together(request: &Outgoing) -> Option<u32> {
    request.url.split_once("/together-")?.1.parse().ok()
}

impl Exchange {
    pub(crate) fn answer(&mut self) -> Answer<Body> {
        if let Some(wanted) = together(&self.request)
            && TOGETHER.get() < wanted
        {
            self.waits += 1;
            return if self.waits < WAITS_MAX {
                Answer::Wait(Pollable::now())
            } else {
                Answer::Failed("the others did not come".to_owned())
            };
        }
        self.is_waiting |= self.sent.borrow().is_finished;
        if !std::mem::replace(&mut self.is_waiting, self.sent.borrow().is_finished) || !self.sent.borrow().is_finished {
            return Answer::Wait(Pollable::now());
        }
        let mut headers = self.request.headers.clone();
        headers.push(("x-method".to_owned(), self.request.method.clone().into_bytes()));
        headers.push(("x-url".to_owned(), self.request.url.clone().into_bytes()));
        if let Some((_, location)) = self.request.url.split_once("?to=") {
            headers.push(("location".to_owned(), location.as_bytes().to_vec()));
        }
        let path = self.request.url.split(['/', '?']).nth(3).unwrap_or_default();
        let body = Body { pieces: self.sent.borrow().body.clone(), is_waiting: false };
        Answer::Here(Incoming { status: path.parse().unwrap_or(200), headers, body })
    }
}

fn fields(headers: &[(String, String)]) -> Fields {
    headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect()
}

fn texts(headers: &Fields) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect()
}
