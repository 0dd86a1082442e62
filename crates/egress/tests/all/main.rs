//! The way out from inside: a function's requests against servers of the test's own on loopback.
#![allow(clippy::disallowed_methods, reason = "these tests measure real time against real sockets")]

mod bodies;
mod calls;
mod rig;
mod secure;
mod ssrf;
