//! `dayfly:stream`: appending to streams and reading them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{StoreError, scope::OpenStream};
use types::{
    limits,
    stream::{Appended, Partition, Record, Sequence},
};
use wasmtime::component::Resource;

use super::{
    Host,
    bindings::dayfly::stream::log::{self, Entry, Error, Position},
    store::{Answered, Kind, Told, too_many},
};

/// Records of one `read`. Each may be as large as `limits::EVENT`, and all of them are in memory at once.
const READ_MAX: usize = 64;

/// An open stream.
pub struct StreamHandle(Arc<OpenStream>);

impl From<Told> for Error {
    fn from(Told { kind, text }: Told) -> Self {
        match kind {
            Kind::AccessDenied => Self::AccessDenied(text),
            Kind::TooLarge => Self::TooLarge(text),
            Kind::Conflict => Self::Conflict(text),
            Kind::UnknownOutcome => Self::UnknownOutcome(text),
            Kind::Unavailable => Self::Unavailable(text),
            Kind::Rejected | Kind::Busy | Kind::Other => Self::Other(text),
        }
    }
}
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Compacted { oldest } => Self::Trimmed(oldest),
            error => Told::from(error).into(),
        }
    }
}

fn record(record: log::Record) -> Record {
    let log::Record { key, body, dedup_key } = record;
    Record { key: key.map(Bytes::from), body: body.into(), dedup: dedup_key.map(Bytes::from), cause: None }
}

fn entry(appended: Appended) -> Entry {
    let Appended { sequence, at, record } = appended;
    let key = record.key.map(Vec::from);
    Entry { sequence: sequence.0, appended_ms: at.unix_ms(), key, body: record.body.into() }
}

impl Host {
    async fn append_all(
        &mut self,
        stream: &Resource<StreamHandle>,
        records: Vec<log::Record>,
    ) -> Answered<Vec<Option<Position>>, Error> {
        if records.len() > limits::EVENT_BATCH {
            return Ok(Err(too_many("records", records.len(), limits::EVENT_BATCH).into()));
        }
        if records.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let open = self.table.get(stream)?.0.clone();
        let records = records.into_iter().map(record).collect();
        let appended = self.asked(open.log.append(&open.name, records, None)).await?;
        // A record that is held back has no place yet.
        let position = |(partition, sequence): (Partition, Sequence)| {
            (sequence != Sequence::HELD).then_some(Position { partition: partition.0, sequence: sequence.0 })
        };
        Ok(appended.map(|all| all.into_iter().map(position).collect()).map_err(Error::from))
    }
}

impl log::Host for Host {
    fn open(&mut self, name: String) -> Answered<Resource<StreamHandle>, Error> {
        match self.scope.stream(&name) {
            Ok(open) => Ok(Ok(self.table.push(StreamHandle(Arc::new(open)))?)),
            Err(failure) => Ok(Err(Told::from(failure).into())),
        }
    }
}

impl log::HostStream for Host {
    async fn append(&mut self, stream: Resource<StreamHandle>, record: log::Record) -> Answered<Option<Position>, Error> {
        let appended = self.append_all(&stream, vec![record]).await?;
        let one = |mut all: Vec<Option<Position>>| all.pop().ok_or_else(|| Error::Other("the stream did not answer".into()));
        Ok(appended.and_then(one))
    }
    async fn append_batch(
        &mut self,
        stream: Resource<StreamHandle>,
        records: Vec<log::Record>,
    ) -> Answered<Vec<Option<Position>>, Error> {
        self.append_all(&stream, records).await
    }
    async fn read(&mut self, stream: Resource<StreamHandle>, partition: u32, from: u64, max: u32) -> Answered<Vec<Entry>, Error> {
        let open = self.table.get(&stream)?.0.clone();
        let max = usize::try_from(max).unwrap_or(READ_MAX).min(READ_MAX);
        let read = open.log.read(&open.name, Partition(partition), Sequence(from), max, Duration::ZERO);
        let read = self.asked(read).await?;
        Ok(read.map(|all| all.into_iter().map(entry).collect()).map_err(Error::from))
    }
    fn drop(&mut self, stream: Resource<StreamHandle>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
