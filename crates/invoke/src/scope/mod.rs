//! The world of one invocation: `ports::Scope`, live and in replay.
//!
//! Every service a guest reaches is wrapped the same way, outside in: **recorded** (notes the call and its answer: that is the span, the
//! count and the replayable record in one), then **granted** (refuses what the manifest does not name), then the service itself. In a
//! replay the one wrapper **replayed** stands in place of all three. Where a function's effects are atomic, **held** stands before the service.

mod bucket;
mod bus;
mod counted;
pub(crate) mod granted;
pub(crate) mod held;
mod internal;
pub(crate) mod live;
mod queue;
pub(crate) mod random;
pub(crate) mod recorded;
pub(crate) mod replayed;
mod secret;
mod service;
mod sql;
mod stream;

pub(crate) use live::LiveScope;
