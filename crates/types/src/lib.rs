//! The nouns of dayfly: what the whole project talks about, with no behaviour beyond keeping themselves valid.
//!
//! Everything here is plain data. Nothing does I/O, reads a clock or knows a library beyond serde (and utoipa, by which the wire
//! types describe themselves for OpenAPI). Serialized forms live in
//! [`wire`]; the limits of the platform are one table in [`limits`]; every error that a person can meet is one row in [`problem`].

pub mod app;
pub mod event;
pub mod field;
pub mod id;
pub mod invocation;
pub mod journal;
pub mod kv;
pub mod limits;
pub mod object;
pub mod place;
pub mod problem;
pub mod queue;
pub mod record;
pub mod revision;
pub mod route;
pub mod script;
pub mod settings;
pub mod site;
pub mod snapshot;
pub mod sql;
pub mod stream;
pub mod time;
pub mod trace;
pub mod trigger;
pub mod units;
pub mod usage;
pub mod wire;

pub use app::{App, Build, Function, Grant, Limits, Reach, RecordMode, Resource};
pub use event::CloudEvent;
pub use id::{AppName, Digest, EnvName, FunctionName, InvocationId};
pub use invocation::{Outcome, Start, StartClass};
pub use place::Place;
pub use problem::{Code, Problem};
pub use revision::{AppKey, Revision, RevisionNumber};
pub use route::{MethodSet, Route};
pub use script::Script;
pub use snapshot::{LiveApp, LiveFunction, LiveRevision, Snapshot};
pub use time::{Elapsed, Timestamp};
pub use trace::{Cause, SpanId, TraceContext, TraceId};
pub use units::{ByteCount, Money};
pub use usage::{PriceSheet, Usage};
