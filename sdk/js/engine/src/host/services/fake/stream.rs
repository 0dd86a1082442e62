//! Streams of one partition in memory, of which the first record was trimmed.

use std::{cell::RefCell, collections::BTreeMap};

use super::{granted, writable};
use crate::host::services::{Answer, Entry, Failed, Position, Record};

/// The oldest record that is left.
const OLDEST: u64 = 1;

thread_local! {
    static STREAMS: RefCell<BTreeMap<String, Vec<Entry>>> = RefCell::default();
}

/// An open stream.
pub struct Stream(String);

/// Opens a stream.
pub fn open(name: &str) -> Answer<Stream> {
    granted("stream", name)?;
    Ok(Stream(name.to_owned()))
}

impl Stream {
    /// Appends all of the records or none.
    pub fn append(&self, records: Vec<Record>) -> Answer<Vec<Option<Position>>> {
        writable("stream", &self.0)?;
        STREAMS.with_borrow_mut(|streams| {
            let stream = streams.entry(self.0.clone()).or_default();
            let append = |Record { key, body, .. }: Record| {
                let sequence = OLDEST + stream.len() as u64;
                stream.push(Entry { sequence, appended_ms: 1_000 * sequence, key, body });
                Some(Position { partition: 0, sequence })
            };
            Ok(records.into_iter().map(append).collect())
        })
    }
    /// The records from a place on.
    pub fn read(&self, _partition: u32, from: u64, max: u32) -> Answer<Vec<Entry>> {
        if from < OLDEST {
            return Err(Failed { oldest: Some(OLDEST), ..Failed::new("trimmed", "") });
        }
        let entries = STREAMS.with_borrow(|streams| streams.get(&self.0).cloned().unwrap_or_default());
        Ok(entries.into_iter().filter(|entry| entry.sequence >= from).take(max as usize).collect())
    }
}
