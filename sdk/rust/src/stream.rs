//! Appending to streams and reading them. Whoever follows a stream is started by it.
//!
//! ```no_run
//! use dayfly::stream::{self, Record};
//!
//! # fn main() -> Result<(), dayfly::Error> {
//! let clicks = stream::open("clicks")?;
//! clicks.append(Record::new("{}").key("user-7"))?;
//! for entry in clicks.read(0, 0, 64)? {
//!     println!("{} {} bytes", entry.sequence, entry.body.len());
//! }
//! # Ok(())
//! # }
//! ```

use crate::{
    Error,
    bindings::stream::log::{self, Record as Wire},
};

pub use log::{Entry, Position};

/// A record to append.
#[derive(Debug, Clone)]
pub struct Record(Wire);

impl Record {
    /// A record with nothing but its body.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self(Wire { key: None, body: body.into(), dedup_key: None })
    }
    /// Records of one key stay in order.
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.0.key = Some(key.into());
        self
    }
    /// Records with the same key within five minutes are one.
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.0.dedup_key = Some(key.into());
        self
    }
}

impl<T: Into<Vec<u8>>> From<T> for Record {
    fn from(body: T) -> Self {
        Self::new(body)
    }
}

/// An open stream.
pub struct Stream(log::Stream);

/// Opens a stream by its name in the manifest: `stream.clicks` is `clicks`.
pub fn open(name: &str) -> Result<Stream, Error> {
    Ok(Stream(log::open(name)?))
}

impl Stream {
    /// Appends one record; it has no position while it is held back.
    pub fn append(&self, record: impl Into<Record>) -> Result<Option<Position>, Error> {
        Ok(self.0.append(&record.into().0)?)
    }
    /// Appends all of them or none, at most 1,000 and at most 8 MiB.
    pub fn append_all(&self, records: impl IntoIterator<Item = Record>) -> Result<Vec<Option<Position>>, Error> {
        let records: Vec<Wire> = records.into_iter().map(|record| record.0).collect();
        Ok(self.0.append_batch(&records)?)
    }
    /// The records of a partition from a place on, at most 64. None if there are none yet.
    pub fn read(&self, partition: u32, from: u64, max: u32) -> Result<Vec<Entry>, Error> {
        Ok(self.0.read(partition, from, max)?)
    }
}
