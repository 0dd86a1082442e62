//! The seams of dayfly: one small `dyn`-safe trait a file, and no logic.
//!
//! Whoever offers something implements a trait here; whoever needs it asks for `Arc<dyn …>`. Both know `types` and this crate, and
//! not one another. Stores answer [`StoreError`], calls made for a function answer [`Failure`](types::journal::Failure), and what a person
//! is told is a [`Problem`](types::Problem).
//!
//! Rules that hold for every store: `Ok` means durable. A timeout or a lost connection is [`StoreError::Ambiguous`], never "failed";
//! the same call with the same idempotency key resolves it.

pub mod blob;
pub mod body;
pub mod bus;
pub mod catalog;
pub mod clock;
pub mod error;
pub mod feeds;
pub mod invoker;
pub mod journal;
pub mod kv;
pub mod lease;
pub mod log;
pub mod objects;
pub mod outbound;
pub mod plane;
pub mod presign;
pub mod queue;
pub mod rng;
pub mod runtime;
pub mod schedules;
pub mod scope;
pub mod secrets;
pub mod sql;
pub mod tape;
pub mod telemetry;
pub mod unit;

pub use blob::Blob;
pub use body::{Body, BodyError, checksum_trailers, trailing_checksums};
pub use bus::{Bus, Publish};
pub use catalog::Catalog;
pub use clock::Clock;
pub use error::StoreError;
pub use feeds::Feeds;
pub use invoker::{Batch, Invocation, Invoker, Verdict};
pub use journal::Journals;
pub use kv::Kv;
pub use lease::Lease;
pub use log::Log;
pub use objects::Objects;
pub use outbound::Outbound;
pub use plane::Plane;
pub use presign::AwsEndpoint;
pub use queue::Queue;
pub use rng::Rng;
pub use runtime::{Loaded, Runtime};
pub use schedules::Schedules;
pub use scope::Scope;
pub use secrets::{AccessKeys, Secrets};
pub use sql::{Sql, SqlConnection};
pub use tape::Tape;
pub use telemetry::Telemetry;
pub use unit::Unit;

/// A boxed stream of items, as ports hand them out.
pub type BoxStream<T> = std::pin::Pin<Box<dyn futures_core::Stream<Item = T> + Send>>;
/// A boxed future, for the few places where `async_trait` doesn't fit.
pub type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;
