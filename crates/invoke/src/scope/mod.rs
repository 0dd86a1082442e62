//! The world of one invocation: `ports::Scope`, live and in replay.
//!
//! Every service a guest reaches is wrapped the same way, outside in: **recorded** (notes the call and its answer: that is the span, the
//! count and the replayable record in one), then **granted** (refuses what the manifest does not name), then the service itself. In a
//! replay the one wrapper **replayed** stands in place of all three.

mod counted;
pub(crate) mod granted;
pub(crate) mod live;
pub(crate) mod random;
pub(crate) mod recorded;
pub(crate) mod replayed;

pub(crate) use live::LiveScope;
