//! Streams inside a batch of the shard. Units call [`append`](LogModule::append) and [`commit`](LogModule::commit) in theirs.

use std::{collections::BTreeSet, time::Duration};

use parking_lot::Mutex;
use ports::{
    StoreError,
    log::{Epoch, GroupName, Partition, Record, ResetTo, Sequence, StreamName},
};
use rusqlite::params;
use types::{Elapsed, limits};

use super::{
    append,
    group::{self, Groups},
    row,
    sweep::{self, Round},
};
use crate::{
    shard::{Applied, Batch, Module, Tick, signals::Signals},
    sqlite::int,
};

/// Records that one piece of a purge removes.
const PURGE_MAX: usize = 5_000;

/// What streams keep in memory.
#[derive(Default)]
pub(crate) struct LogModule {
    memory: Mutex<Memory>,
    /// Wakes those who wait for records.
    pub(super) signals: Signals<StreamName>,
}

#[derive(Default)]
struct Memory {
    groups: Groups,
    round: Round,
    /// Streams that the open batch appended to.
    appended: BTreeSet<StreamName>,
}

impl LogModule {
    /// Appends all records or none, as part of the batch.
    pub(crate) fn append(
        &self,
        batch: &Batch<'_>,
        name: &StreamName,
        records: &[Record],
        expect: Option<Sequence>,
    ) -> Applied<Vec<(Partition, Sequence)>> {
        let stream = row::stream_or_new(batch.connection, name)?;
        let appended = append::append(batch, stream, records, expect)?;
        if appended.is_ok() {
            // If it is undone those who wait look in vain, which is no harm.
            self.memory.lock().appended.insert(name.clone());
        }
        Ok(appended)
    }

    /// The group goes on at `next`, as part of the batch. `Fenced` if the epoch is not the newest.
    pub(crate) fn commit(
        &self,
        batch: &Batch<'_>,
        of: (&StreamName, &GroupName),
        partition: Partition,
        next: Sequence,
        epoch: Epoch,
    ) -> Applied<()> {
        group::commit(batch, of, partition, next, epoch)
    }

    pub(super) fn join(
        &self,
        batch: &Batch<'_>,
        (name, group): (&StreamName, &GroupName),
        member: &str,
        ttl: Duration,
    ) -> Applied<Vec<(Partition, Epoch)>> {
        let stream = row::stream_or_new(batch.connection, name)?;
        self.memory.lock().groups.join(batch, (name, stream, group), member, ttl.into())
    }

    pub(super) fn reset(&self, batch: &Batch<'_>, name: &StreamName, group: &GroupName, to: ResetTo) -> Applied<()> {
        let stream = row::stream_or_new(batch.connection, name)?;
        // Who is in the group gets the new epochs when it joins again.
        self.memory.lock().groups.forget(name, group);
        group::reset(batch, stream, group, to)?;
        Ok(Ok(()))
    }

    pub(super) fn configure(
        &self,
        batch: &mut Batch<'_>,
        name: &StreamName,
        partitions: u32,
        retention: Duration,
    ) -> Applied<()> {
        let (measured, allowed) = (u64::from(partitions), u64::from(limits::PARTITIONS));
        if measured > allowed {
            return Ok(Err(StoreError::TooMany { what: "partitions", measured, allowed }));
        }
        let stream = row::stream_or_new(batch.connection, name)?;
        if partitions > stream.partitions {
            row::grow(batch.connection, stream, partitions)?;
        }
        let retention_ns = Elapsed::from(retention).ns();
        if retention_ns != stream.retention_ns {
            batch
                .connection
                .prepare_cached("UPDATE stream SET retention = ?2 WHERE id = ?1")?
                .execute(params![stream.id, int(retention_ns)])?;
            self.memory.lock().round.begins_ns = 0;
            batch.wake_at(batch.mono_ns);
        }
        Ok(Ok(()))
    }

    /// Removes a piece of what there is; gives whether something is left. The first piece already hides all of it.
    pub(super) fn purge(&self, batch: &Batch<'_>, name: &StreamName, is_first: bool) -> Applied<bool> {
        let Some(stream) = row::stream(batch.connection, name)? else { return Ok(Ok(false)) };
        let mut left = PURGE_MAX;
        for mut part in row::parts(batch.connection, stream.id)? {
            if is_first {
                part.oldest = part.next;
                row::save(batch.connection, &part)?;
            }
            left -= sweep::sweep_part(batch, part, u64::MAX, left)?;
        }
        Ok(Ok(left == 0))
    }
}

impl Module for LogModule {
    fn tick(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Tick> {
        let mut memory = self.memory.lock();
        let is_partial = memory.round.go_on(batch)?;
        Ok(Tick { is_partial, next_ns: Some(memory.round.begins_ns) })
    }

    fn committed(&self) {
        let appended = std::mem::take(&mut self.memory.lock().appended);
        appended.iter().for_each(|stream| self.signals.notify(stream));
    }

    fn rolled_back(&self) {
        // Epochs that were handed out stay in the file. Members come back, and get new ones.
        *self.memory.lock() = Memory::default();
    }

    fn close(&self) {
        self.signals.close();
    }
}
