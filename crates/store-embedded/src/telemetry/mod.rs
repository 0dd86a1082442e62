//! The telemetry store: summaries, logs, usage and journals, in one SQLite file a day.
//!
//! A record is pushed into a bounded queue by whoever served the request, and written by one thread in batches, each one durable
//! transaction within about 100 ms. Records lie in packed blocks of columns with a checksum each, not in rows: a row and its index
//! entries cost several times the CPU time and the room. Retention removes files, never rows.

mod bytes;
mod codec;
mod counts;
mod day;
mod newest;
mod queue;
mod scopes;
mod search;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use store::{RetentionDays, TelemetryStore};
