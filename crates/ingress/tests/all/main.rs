//! The gateway from outside: real sockets on loopback, functions of the test's own.
#![allow(clippy::disallowed_methods, reason = "these tests measure real time against a real gateway")]

mod drain;
mod faces;
mod http2;
mod ingest;
mod rig;
mod routing;
mod site;
mod slow;
mod smuggling;
mod streams;
mod triggers;
