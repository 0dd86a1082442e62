//! Streams: functions append to them and read them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ports::{Body, Log, StoreError};
use types::{
    Elapsed,
    journal::{Operation, Reply, StreamCall},
    stream::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
};

use super::service::{Granted, Service, another_kind, not_for_functions};

/// A stream as a runtime sees it.
pub(crate) struct Front {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) name: String,
}

impl Front {
    async fn ask(&self, call: StreamCall) -> Result<Reply, StoreError> {
        let operation = Operation::Stream { stream: self.name.clone(), call };
        Ok(self.service.call(operation, Body::Empty).await?.0)
    }
}

#[async_trait]
impl Log for Front {
    async fn append(
        &self,
        _: &StreamName,
        records: Vec<Record>,
        expect: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        match self.ask(StreamCall::Append { records, expect }).await? {
            Reply::StreamAppended(places) => Ok(places),
            _ => another_kind(),
        }
    }
    async fn read(
        &self,
        _: &StreamName,
        partition: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Appended>, StoreError> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        match self.ask(StreamCall::Read { partition, from, max, wait: Elapsed::from(wait) }).await? {
            Reply::StreamRecords(records) => Ok(records),
            _ => another_kind(),
        }
    }
    async fn stats(&self, _: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        match self.ask(StreamCall::Stats).await? {
            Reply::StreamStats(partitions) => Ok(partitions),
            _ => another_kind(),
        }
    }
    async fn join(&self, _: &StreamName, _: &GroupName, _: &str, _: Duration) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        not_for_functions("joining groups")
    }
    async fn commit(&self, _: &StreamName, _: &GroupName, _: Partition, _: Sequence, _: Epoch) -> Result<(), StoreError> {
        not_for_functions("committing offsets")
    }
    async fn committed(&self, _: &StreamName, _: &GroupName, _: Partition) -> Result<Option<Sequence>, StoreError> {
        not_for_functions("looking at groups")
    }
    async fn configure(&self, _: &StreamName, _: u32, _: Duration) -> Result<(), StoreError> {
        not_for_functions("configuring streams")
    }
    async fn streams(&self, _: &str, _: Option<&StreamName>, _: usize) -> Result<Vec<StreamName>, StoreError> {
        not_for_functions("listing streams")
    }
    async fn purge(&self, _: &StreamName) -> Result<(), StoreError> {
        not_for_functions("purging streams")
    }
    async fn reset(&self, _: &StreamName, _: &GroupName, _: ResetTo) -> Result<(), StoreError> {
        not_for_functions("resetting groups")
    }
}

/// The real stream, under a grant.
pub(crate) struct Live(pub(crate) Granted);

#[async_trait]
impl Service for Live {
    async fn call(&self, operation: Operation, _: Body) -> Result<(Reply, Body), StoreError> {
        let Operation::Stream { stream, call } = operation else { return another_kind() };
        let Granted { services, function, .. } = &self.0;
        let name = StreamName::of(&function.key.app, &function.key.env, &stream);
        let reply = match call {
            StreamCall::Append { records, expect } => Reply::StreamAppended(self.append(&name, records, expect).await?),
            StreamCall::Read { partition, from, max, wait } => {
                let wait = Duration::from_nanos(wait.ns());
                Reply::StreamRecords(services.log.read(&name, partition, from, max as usize, wait).await?)
            }
            StreamCall::Stats => Reply::StreamStats(services.log.stats(&name).await?),
        };
        Ok((reply, Body::Empty))
    }
}

impl Live {
    async fn append(
        &self,
        name: &StreamName,
        mut records: Vec<Record>,
        expect: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        let Granted { services, cause, held, .. } = &self.0;
        self.0.writes()?;
        records.iter_mut().for_each(|record| record.cause = Some(*cause));
        match (held, expect) {
            (None, expect) => services.log.append(name, records, expect).await,
            (Some(held), None) => held.append(name, records),
            (Some(_), Some(_)) => Err(StoreError::Denied(
                "a place in the stream can't be depended on while effects are held: set effects = \"immediate\"".into(),
            )),
        }
    }
}
