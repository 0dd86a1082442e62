//! Streams: a module of the shard. Records of a partition are in one order, the order of the commits that appended them.
//!
//! [`append`] writes, [`read`] reads, [`group`] is about consumers, [`sweep`] removes what is over; [`row`] knows the tables.

mod append;
mod group;
mod module;
mod read;
mod row;
mod sweep;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ports::{
    Log, StoreError,
    log::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
};
use types::{Elapsed, limits};

use crate::shard::Shard;
pub(crate) use append::check_record;
pub(crate) use module::LogModule;

/// The streams of one node.
pub(crate) struct LogStore {
    shard: Arc<Shard>,
    module: Arc<LogModule>,
}

impl LogStore {
    pub(crate) fn new(shard: Arc<Shard>, module: Arc<LogModule>) -> Self {
        Self { shard, module }
    }
}

/// Names are keys of the file: they have the bound of keys.
fn check_name(name: &str) -> Result<(), StoreError> {
    let (measured, allowed) = (name.len() as u64, limits::KV_KEY.0);
    if measured > allowed { Err(StoreError::TooLarge { what: "key", measured, allowed }) } else { Ok(()) }
}

#[async_trait]
impl Log for LogStore {
    /// # Cancel safety
    /// A dropped call may still append; the same call with the same deduplication keys tells.
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        expect: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        check_name(&stream.0)?;
        append::check(&records)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (module, stream) = (self.module.clone(), stream.clone());
        self.shard.run(move |batch| module.append(batch, &stream, &records, expect)).await
    }

    async fn read(
        &self,
        stream: &StreamName,
        partition: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Appended>, StoreError> {
        let until_ns = self.shard.clock().monotonic_ns().saturating_add(Elapsed::from(wait).ns());
        let max = max.min(limits::BATCH_MAX as usize);
        // Subscribed before the first look: what is committed after it wakes this.
        let mut news = self.module.signals.subscribe(stream);
        loop {
            let name = stream.clone();
            let look = self.shard.reading().run(move |connection, _| read::records(connection, &name, partition, from, max));
            let found = look.await??;
            if !found.is_empty() || max == 0 || wait.is_zero() {
                return Ok(found);
            }
            tokio::select! {
                biased;
                () = self.shard.clock().sleep_until(until_ns) => return Ok(found),
                changed = news.changed() => if changed.is_err() {
                    self.shard.reading().check()?;
                    return Err(StoreError::Failed("the store is closed".into()));
                },
            }
        }
    }

    async fn join(
        &self,
        stream: &StreamName,
        group: &GroupName,
        member: &str,
        ttl: Duration,
    ) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        [&stream.0, &group.0, member].into_iter().try_for_each(check_name)?;
        let (module, stream, group, member) = (self.module.clone(), stream.clone(), group.clone(), member.to_owned());
        self.shard.run(move |batch| module.join(batch, (&stream, &group), &member, ttl)).await
    }

    async fn commit(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
        next: Sequence,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let (module, stream, group) = (self.module.clone(), stream.clone(), group.clone());
        self.shard.run(move |batch| module.commit(batch, (&stream, &group), partition, next, epoch)).await
    }

    async fn committed(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
    ) -> Result<Option<Sequence>, StoreError> {
        self.shard.reading().with(|connection, _| read::committed(connection, stream, group, partition))
    }

    async fn configure(&self, stream: &StreamName, partitions: u32, retention: Duration) -> Result<(), StoreError> {
        check_name(&stream.0)?;
        let (module, stream) = (self.module.clone(), stream.clone());
        self.shard.run(move |batch| module.configure(batch, &stream, partitions, retention)).await
    }

    async fn streams(&self, prefix: &str, after: Option<&StreamName>, max: usize) -> Result<Vec<StreamName>, StoreError> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        self.shard.reading().run(move |connection, _| read::streams(connection, &prefix, after.as_ref(), max)).await
    }

    async fn stats(&self, stream: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        let stream = stream.clone();
        self.shard.reading().run(move |connection, _| read::stats(connection, &stream)).await
    }

    async fn purge(&self, stream: &StreamName) -> Result<(), StoreError> {
        let mut is_first = true;
        loop {
            let (module, name) = (self.module.clone(), stream.clone());
            if !self.shard.run(move |batch| module.purge(batch, &name, is_first)).await? {
                return Ok(());
            }
            is_first = false;
        }
    }

    async fn reset(&self, stream: &StreamName, group: &GroupName, to: ResetTo) -> Result<(), StoreError> {
        [&stream.0, &group.0].into_iter().try_for_each(|name| check_name(name))?;
        let (module, stream, group) = (self.module.clone(), stream.clone(), group.clone());
        self.shard.run(move |batch| module.reset(batch, &stream, &group, to)).await
    }
}
