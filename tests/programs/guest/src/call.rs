//! The request as a test program wants it: path, query values, and the rest left in the handle.

use wasip2::http::types::{IncomingBody, IncomingRequest};
use wasip2::io::streams::{InputStream, StreamError};

/// The most a program takes from the body in one read.
const READ_BYTES_MAX: u64 = 64 * 1024;

pub struct Call {
    pub path: String,
    pub request: IncomingRequest,
    query: Vec<(String, String)>,
}

impl Call {
    pub fn new(request: IncomingRequest) -> Self {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Self { path: path.to_owned(), query: query.collect(), request }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter that the program cannot do without. A request that lacks it is a mistake in the test.
    pub fn required(&self, key: &str) -> &str {
        self.text(key).unwrap_or_else(|| panic!("the request lacks ?{key}="))
    }

    pub fn number(&self, key: &str, default: u64) -> u64 {
        self.text(key).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("?{key}= is not a number")))
    }

    pub fn list(&self, key: &str) -> Vec<String> {
        self.required(key).split(',').map(str::to_owned).collect()
    }

    /// Hands each chunk of the request's body to `take`, in the order and the sizes in which the host delivers them.
    ///
    /// Answers with the body once it is read to its end, so that its trailers can be asked for.
    pub fn for_each_chunk(&self, mut take: impl FnMut(Vec<u8>)) -> IncomingBody {
        let body = self.request.consume().expect("the request's body is taken once");
        let stream = body.stream().expect("the body's stream is taken once");
        while let Some(chunk) = read(&stream) {
            take(chunk);
        }
        drop(stream);
        body
    }

    pub fn body(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.for_each_chunk(|chunk| bytes.extend(chunk));
        bytes
    }
}

/// The next chunk, or nothing at the end. Waits until there is one.
pub(crate) fn read(stream: &InputStream) -> Option<Vec<u8>> {
    loop {
        match stream.blocking_read(READ_BYTES_MAX) {
            Ok(chunk) if chunk.is_empty() => continue,
            Ok(chunk) => return Some(chunk),
            Err(StreamError::Closed) => return None,
            Err(StreamError::LastOperationFailed(error)) => panic!("cannot read the body: {}", error.to_debug_string()),
        }
    }
}

/// Undoes percent-encoding. What is not valid encoding stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escape = bytes.get(index + 1..index + 3).filter(|_| bytes[index] == b'%');
        let value = escape.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(value.unwrap_or(bytes[index]));
        index += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
