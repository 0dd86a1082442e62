//! The stores as simply as they can be said: in memory, behind one lock. What a store answers is compared with what its model answers.

pub mod blob;
pub mod catalog;
pub mod kv;
pub mod lease;
pub mod log;
pub mod objects;
pub mod queue;
pub mod secrets;
pub mod telemetry;
pub mod unit;

pub use blob::ModelBlob;
pub use catalog::ModelCatalog;
pub use kv::{Flaw, ModelKv};
pub use lease::{LeaseFlaw, ModelLease};
pub use log::{LogFlaw, ModelLog};
pub use objects::{ModelObjects, ObjectFlaw};
pub use queue::{ModelQueue, QueueFlaw};
pub use secrets::ModelSecrets;
pub use telemetry::ModelTelemetry;
pub use unit::{ModelUnit, UnitFlaw};
