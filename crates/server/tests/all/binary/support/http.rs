//! An HTTP/1.1 client in the open: each byte that it sends is a test's own, and each that comes back is read.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

const SOCKET_TIMEOUT: Duration = Duration::from_secs(180);

/// A request, sent on a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self { method: "GET", target: target.into(), host: "localhost".into(), headers: Vec::new(), body: None }
    }
    pub(crate) fn post(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST", body: Some(body.into()), ..Self::get(target) }
    }
    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }
    pub(crate) fn host(self, host: impl Into<String>) -> Self {
        Self { host: host.into(), ..self }
    }
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    fn bytes(&self) -> Vec<u8> {
        let Self { method, target, host, headers, body } = self;
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        if let Some(body) = body {
            head += &format!("content-length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend(body.iter().flatten());
        bytes
    }
    /// Sends the request and reads the answer to its end.
    pub(crate) fn send(&self, address: SocketAddr) -> Response {
        let bytes = raw(address, &self.bytes());
        Response::parse(&bytes, self.method)
            .unwrap_or_else(|| panic!("no answer to {self:?}: {:?}", String::from_utf8_lossy(&bytes)))
    }
}

/// A connection that gives up after minutes without a byte.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the node listens");
    stream.set_read_timeout(Some(SOCKET_TIMEOUT)).expect("a timeout is set");
    stream.set_write_timeout(Some(SOCKET_TIMEOUT)).expect("a timeout is set");
    stream
}

/// Sends bytes and reads all that comes until the other side closes. It may close before it has read everything.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    read_all(&mut stream)
}

/// All that comes until the other side closes, or breaks off.
pub(crate) fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 64 * 1024]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return bytes,
            Ok(count) => bytes.extend(&chunk[..count]),
        }
    }
}

/// Reads until the text has come; gives what came.
pub(crate) fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).expect("the node sends");
        assert!(count > 0, "{wanted:?} did not come: {text}");
        text += &String::from_utf8_lossy(&chunk[..count]);
    }
    text
}

/// An answer, or as much of it as came.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Fields after a chunked body.
    pub(crate) trailers: Vec<(String, String)>,
    /// The body has the length that was promised, or its last chunk.
    pub(crate) whole: bool,
}

impl Response {
    pub(crate) fn parse(bytes: &[u8], method: &str) -> Option<Self> {
        let end = find(bytes, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let (first, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
        let status = first.split(' ').nth(1)?.parse().ok()?;
        let rest = &bytes[end + 4..];
        let mut response = Self { status, headers: read_fields(fields), body: rest.to_vec(), trailers: Vec::new(), whole: true };
        if method == "HEAD" {
            return Some(response);
        }
        if response.header("transfer-encoding") == Some("chunked") {
            (response.body, response.trailers, response.whole) = unchunk(rest);
        } else if let Some(length) = response.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
            response.whole = rest.len() == length;
        }
        Some(response)
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
    /// The answer has this status; if not, it is shown whole.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
    /// The answer is a refusal with this code and the status that goes with it.
    #[track_caller]
    pub(crate) fn expect_refusal(self, status: u16, code: &str) -> Self {
        let refused = self.expect(status);
        super::assert_has(&refused.text(), &format!("error[{code}]"));
        refused
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn read_fields(text: &str) -> Vec<(String, String)> {
    let fields = text.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect()
}

/// The body, its trailers, and whether the last chunk came.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, Vec<(String, String)>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = find(rest, b"\r\n") else { return (body, Vec::new(), false) };
        let size = std::str::from_utf8(&rest[..line]).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let Some(size) = size else { return (body, Vec::new(), false) };
        rest = &rest[line + 2..];
        if size == 0 {
            return (body, read_fields(&String::from_utf8_lossy(rest)), rest.ends_with(b"\r\n"));
        }
        if rest.len() < size + 2 {
            body.extend(rest);
            return (body, Vec::new(), false);
        }
        body.extend(&rest[..size]);
        rest = &rest[size + 2..];
    }
}
