//! Every way in: what turns the outside world's events into [`ports::Invocation`]s.
//!
//! [`http`] is the gateway for requests; [`triggers`] is everything else that starts functions. [`cloudevents`] is the form in which events
//! come in and are delivered.

pub mod cloudevents;
pub mod http;
pub mod triggers;

pub use http::{Drain, Framing, Gateway, GatewayLimits, GatewaySettings};
pub use triggers::{BusTable, TriggerSettings, Triggers};
