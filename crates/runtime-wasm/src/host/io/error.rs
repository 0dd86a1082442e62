//! `wasi:io/error`, and how a stream fails.

use std::fmt;

use ports::BodyError;
use wasmtime::component::Resource;

use crate::{
    host::{
        Host,
        bindings::wasi::{http::types::ErrorCode, io::error},
        http::error::code_of_body,
    },
    stop::Stop,
};

/// What a guest may learn about a failed operation: a text, and for HTTP bodies a code.
pub struct IoError {
    text: String,
    /// What `http-error-code` makes of it.
    pub(crate) code: Option<ErrorCode>,
}

impl IoError {
    pub(crate) fn of_body(error: &BodyError, of_request: bool) -> Self {
        Self::of_http(code_of_body(error, of_request), error.to_string())
    }
    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: None }
    }
    pub(crate) fn of_http(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { text: text.into(), code: Some(code) }
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How an operation on a stream fails.
pub enum StreamFailure {
    /// The stream is at its end.
    Closed,
    /// The last operation failed, and the guest may ask why.
    Failed(IoError),
    /// The guest is ended.
    Ended(wasmtime::Error),
}

impl From<Stop> for StreamFailure {
    fn from(stop: Stop) -> Self {
        Self::Ended(stop.into())
    }
}
impl From<wasmtime::Error> for StreamFailure {
    fn from(error: wasmtime::Error) -> Self {
        Self::Ended(error)
    }
}
impl From<ports::tape::Diverged> for StreamFailure {
    fn from(diverged: ports::tape::Diverged) -> Self {
        Stop::from(diverged).into()
    }
}

impl error::Host for Host {}

impl error::HostError for Host {
    fn to_debug_string(&mut self, error: Resource<IoError>) -> wasmtime::Result<String> {
        Ok(self.table.get(&error)?.to_string())
    }
    fn drop(&mut self, error: Resource<IoError>) -> wasmtime::Result<()> {
        self.table.delete(error)?;
        Ok(())
    }
}
