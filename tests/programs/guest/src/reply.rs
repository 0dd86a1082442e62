//! Answers, whole or streamed.

use serde_json::Value;
use wasip2::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam, Trailers};
use wasip2::io::streams::{OutputStream, StreamError};

/// The right to answer, used up by the answer.
pub struct Reply(pub ResponseOutparam);

impl Reply {
    pub fn text(self, status: u16, text: impl AsRef<str>) {
        self.bytes(status, "text/plain; charset=utf-8", text.as_ref().as_bytes());
    }

    pub fn json(self, status: u16, value: &Value) {
        self.bytes(status, "application/json", format!("{value}\n").as_bytes());
    }

    pub fn bytes(self, status: u16, content_type: &str, bytes: &[u8]) {
        let mut body = self.stream(status, fields(&[("content-type", content_type)]));
        body.write(bytes);
        body.finish(None);
    }

    /// Starts an answer: the head goes out now, the body follows.
    pub fn stream(self, status: u16, headers: Fields) -> Body {
        let response = OutgoingResponse::new(headers);
        response.set_status_code(status).expect("the status is one HTTP knows");
        let body = response.body().expect("the body is taken once");
        ResponseOutparam::set(self.0, Ok(response));
        let stream = body.write().expect("the stream is taken once");
        Body { body, stream }
    }

    /// Answers that there will be no answer.
    pub fn refuse(self, error: ErrorCode) {
        ResponseOutparam::set(self.0, Err(error));
    }
}

/// A body under way. Dropped without [`Body::finish`] it tells the host that the answer is incomplete.
pub struct Body {
    // Fields are dropped in this order, and a stream must go before the body it belongs to.
    stream: OutputStream,
    body: OutgoingBody,
}

impl Body {
    /// Writes all of it, as fast as the caller takes it. False if the caller has gone away.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = match self.stream.check_write() {
                Ok(0) => {
                    self.stream.subscribe().block();
                    continue;
                }
                Ok(room) => rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)),
                Err(error) => return gone(error),
            };
            let (now, later) = rest.split_at(room);
            if let Err(error) = self.stream.write(now) {
                return gone(error);
            }
            rest = later;
        }
        true
    }

    /// Waits until everything written is handed on.
    pub fn flush(&mut self) -> bool {
        self.stream.blocking_flush().map_or_else(gone, |()| true)
    }

    pub fn finish(mut self, trailers: Option<Trailers>) {
        self.flush();
        let Self { body, stream } = self;
        // The host refuses to finish a body whose stream is still open.
        drop(stream);
        let _ = OutgoingBody::finish(body, trailers);
    }
}

fn gone(_: StreamError) -> bool {
    false
}

pub fn fields(pairs: &[(&str, &str)]) -> Fields {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    Fields::from_list(&pairs).expect("the header fields are well formed")
}
