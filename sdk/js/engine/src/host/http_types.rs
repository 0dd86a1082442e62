//! What both hosts say about HTTP.

#![cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "nobody breaks off in the fake world"))]

use super::Pollable;

/// Header fields as they came: names and bytes.
pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// What reading a body gives.
#[derive(Debug)]
pub(crate) enum Read {
    /// Some bytes, never none.
    Bytes(Vec<u8>),
    /// There is no more.
    End,
    /// Nothing yet.
    Wait(Pollable),
    /// The other side broke off.
    Failed(String),
}

/// What writing a body gives.
#[derive(Debug)]
pub(crate) enum Written {
    /// That many bytes were taken, at least one unless none were given.
    Taken(usize),
    /// Nothing was taken yet.
    Wait(Pollable),
    /// The other side wants no more.
    Closed(String),
}

/// A request to somebody else.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// As it is on the wire.
    pub(crate) method: String,
    /// Absolute.
    pub(crate) url: String,
    /// All fields.
    pub(crate) headers: Fields,
}

/// The head of an answer, and its body.
#[derive(Debug)]
pub(crate) struct Incoming<Body> {
    /// 200, say.
    pub(crate) status: u16,
    /// All fields.
    pub(crate) headers: Fields,
    /// What follows.
    pub(crate) body: Body,
}

/// What asking for an answer gives.
#[derive(Debug)]
pub(crate) enum Answer<Body> {
    /// It came.
    Here(Incoming<Body>),
    /// Not yet.
    Wait(Pollable),
    /// There will be none; the text says why.
    Failed(String),
}
