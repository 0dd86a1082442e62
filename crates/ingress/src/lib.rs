//! Every way in: what turns the outside world's events into [`ports::Invocation`]s.
//!
//! [`http`] is the gateway for requests. Other triggers come beside it, one file each.

pub mod http;

pub use http::{Drain, Framing, Gateway, GatewayLimits, GatewaySettings};
