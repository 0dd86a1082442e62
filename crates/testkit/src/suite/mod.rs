//! What every adapter of a port must do, as cases that run on any of them: the model, the embedded store, the cluster's store, and every
//! decorator around one of these.
//!
//! A suite takes a function that makes a fresh fixture for each case. It panics at the first case that fails and has printed its name.

mod blob;
mod catalog;
mod feeds;
mod kv;
mod lease;
mod log;
mod objects;
mod queue;
mod secrets;
mod sql;
pub mod telemetry;
mod unit;

pub use blob::{BlobFixture, blob};
pub use catalog::{CatalogFixture, catalog};
pub use feeds::{FeedsFixture, feeds};
pub use kv::{KvFixture, kv};
pub use lease::{LeaseFixture, lease};
pub use log::{LogFixture, log};
pub use objects::{ObjectsFixture, objects};
pub use queue::{QueueFixture, queue};
pub use secrets::{SecretsFixture, secrets};
pub use sql::{SqlFixture, sql};
pub use unit::{UnitFixture, unit};

use std::time::Duration;

/// No answer within this time is a failure: nothing that a suite asks for takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for something that must happen.
async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, happens).await.unwrap_or_else(|_| panic!("{what} did not happen within {PATIENCE:?}"))
}
