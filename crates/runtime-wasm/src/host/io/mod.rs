//! `wasi:io`: errors, waiting and streams.

pub(crate) mod error;
pub(crate) mod poll;
pub(crate) mod streams;
