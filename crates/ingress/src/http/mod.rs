//! The gateway: HTTP/1.1 and HTTP/2 on hyper, from the socket to [`ports::Invoker`] and back.
//!
//! A connection of HTTP/1 is one task and nothing else: no task, channel or timer belongs to a request. Those of HTTP/2 have a task a
//! stream, and `stall` resets the streams whose peer takes nothing. `wire` is the connection's I/O: it
//! scans the raw heads with `framing` before hyper sees them, because hyper repairs what a gateway must refuse. `watch` is
//! the one lazy timer that reaps slow and idle peers. `service` is what happens to each request, in the order in which it happens.

mod accept;
mod body;
mod connection;
mod drain;
mod framing;
mod gateway;
mod ingest;
mod keys;
mod problem;
mod request;
mod response;
mod service;
mod settings;
mod site;
mod stall;
mod table;
mod watch;
mod webhook;
mod whole;
mod wire;

pub use drain::Drain;
pub use gateway::Gateway;
pub use settings::{Framing, GatewayLimits, GatewaySettings};
