//! `dayfly:stream`.

use crate::host::{
    services::{Answer, Entry, Position, Record},
    wasm::bindings::dayfly::stream::log,
};

/// An open stream.
pub(crate) struct Stream(log::Stream);

/// Opens a stream.
pub(crate) fn open(name: &str) -> Answer<Stream> {
    log::open(name).map(Stream).map_err(told)
}

super::told!(log::Error {
    AccessDenied => "access-denied",
    TooLarge => "too-large",
    Conflict => "conflict",
    UnknownOutcome => "unknown-outcome",
    Unavailable => "unavailable",
    Other => "other",
} with {
    Error::Trimmed(oldest) => Failed { oldest: Some(oldest), ..Failed::new("trimmed", "") },
});

impl Stream {
    /// Appends all of the records or none.
    pub(crate) fn append(&self, records: Vec<Record>) -> Answer<Vec<Option<Position>>> {
        let record = |Record { key, body, dedup_key }| log::Record { key, body, dedup_key };
        let records: Vec<log::Record> = records.into_iter().map(record).collect();
        let positions = match records.as_slice() {
            [record] => self.0.append(record).map(|position| vec![position]),
            records => self.0.append_batch(records),
        };
        let ours = |log::Position { partition, sequence }| Position { partition, sequence };
        Ok(positions.map_err(told)?.into_iter().map(|position| position.map(ours)).collect())
    }
    /// The records from a place on.
    pub(crate) fn read(&self, partition: u32, from: u64, max: u32) -> Answer<Vec<Entry>> {
        let ours = |log::Entry { sequence, appended_ms, key, body }| Entry { sequence, appended_ms, key, body };
        Ok(self.0.read(partition, from, max).map_err(told)?.into_iter().map(ours).collect())
    }
}
