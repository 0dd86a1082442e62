//! The stores as simply as they can be said: in memory, behind one lock. What a store answers is compared with what its model answers.

pub mod blob;
pub mod catalog;
pub mod kv;
pub mod objects;
pub mod telemetry;

pub use blob::ModelBlob;
pub use catalog::ModelCatalog;
pub use kv::{Flaw, ModelKv};
pub use objects::{ModelObjects, ObjectFlaw};
pub use telemetry::ModelTelemetry;
