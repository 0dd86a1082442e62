//! A body that goes out: the guest's end of a pipe, with what its length was said to be.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use ports::BodyError;
use types::{Code, journal::Failure};
use wasmtime::component::Resource;

use super::{
    error::words,
    fields::Fields,
    pipe::{Pipe, PipeBody},
};
use crate::host::{
    Host,
    bindings::wasi::http::types::{self as wit, ErrorCode},
    io::{
        error::{IoError, StreamFailure},
        streams::OutputStream,
    },
};

/// Whose body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The response's: its reader is the client.
    Response,
    /// A request's: its reader is the way out.
    Request,
    /// An object's: its reader is the store, once `write-data` has named the object.
    Object,
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
    /// Whether nobody reads it before the guest does something else.
    unread: bool,
}

impl OutgoingBody {
    /// A body under these headers; `None` if what they say of its length is no number.
    pub(crate) fn new(headers: &HeaderMap, side: Side) -> Option<Self> {
        let declared = match headers.get(header::CONTENT_LENGTH) {
            None => None,
            Some(length) => Some(length.to_str().ok()?.parse().ok()?),
        };
        let body = Self { pipe: Pipe::new(), side, permit: 0, declared, written: 0, stream_taken: false, unread: false };
        body.let_reader_go_when_complete();
        Some(body)
    }

    /// The bytes of an object that nobody reads yet.
    pub(crate) fn of_object() -> Self {
        let pipe = Pipe::new();
        Self { pipe, side: Side::Object, permit: 0, declared: None, written: 0, stream_taken: false, unread: true }
    }
    /// What the guest writes, for the store.
    pub(crate) fn read(&mut self) -> PipeBody {
        self.unread = false;
        self.pipe.body()
    }
    /// All bytes of the object were written.
    pub(crate) fn finish_object(&mut self) {
        self.pipe.finish(None);
    }
    /// Whether it is full and nobody will read it while the guest waits.
    pub(crate) fn is_stuck(&self) -> bool {
        self.unread && self.pipe.is_full()
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
            Side::Request | Side::Object => ErrorCode::HttpRequestBodySize(Some(self.written)),
        }
    }
}

impl Drop for OutgoingBody {
    fn drop(&mut self) {
        // Nothing happens to a body that was finished.
        self.pipe.break_off(BodyError::Broken("the body was never finished".to_owned()));
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
