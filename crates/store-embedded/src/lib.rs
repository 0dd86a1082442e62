//! Every store of one node in one folder: SQLite for what is small and transactional, files for what is large.
//!
//! ```text
//! lock              held while a process uses the folder; names its id
//! kv/shard-0.sqlite all that is small and must be atomic together: key-value stores, queues, streams, what is known of objects
//! blobs/ab/cdef…    content-addressed bytes, by the hexadecimal digits of their BLAKE3 digest
//! blobs/tmp/        files that are being written; emptied at start
//! catalog.sqlite    apps, revisions and shares of traffic
//! secrets.sqlite    secrets and access keys, sealed; the key lies in secrets.key
//! sql/              the databases of apps, one file each: see `sql`
//! telemetry/        summaries, logs, usage and journals: see [`telemetry`]
//! ```
//!
//! `Ok` from any store means that it is on the disk. After an fsync or a COMMIT failed nobody can say what is there, so the store
//! stops for good: it refuses everything, and the hook of [`EmbeddedStore::on_stop`] tells the process to go.

mod blob;
mod catalog;
mod failpoint;
mod feeds;
mod folder;
mod kv;
mod lease;
mod log;
mod objects;
mod queue;
mod secrets;
mod shard;
mod sql;
mod sqlite;
mod stop;
mod store;
pub mod telemetry;
mod unit;

pub use failpoint::{Failpoints, Fault, Point};
pub use store::EmbeddedStore;
