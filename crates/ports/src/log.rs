//! Streams: partitioned logs with consumer groups.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::StoreError;

/// A stream's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamName(pub String);
/// A partition of a stream, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(pub u32);
/// A record's place in its partition. Once a reader saw one, nothing ever appears below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub u64);
/// The right to commit for a partition; a newer one fences off all older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);
/// A consumer group's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupName(pub String);

/// A record to append, or as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Records of one key go to one partition.
    pub key: Option<Bytes>,
    /// The body.
    pub body: Bytes,
    /// Records of one stream with the same value within five minutes are one.
    pub dedup: Option<Bytes>,
}

/// Where a consumer group goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetTo {
    /// The oldest record left.
    Oldest,
    /// What is appended from now on.
    Newest,
    /// This record.
    At(Sequence),
}

/// Streams with total order per partition.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends all records or none. `expect` is the partition's next sequence, where the caller depends on it.
    ///
    /// # Errors
    /// `Changed` if `expect` is not the next sequence.
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        expect: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError>;
    /// At most `max` records from `from` on, waiting at most `wait` for the first.
    ///
    /// # Errors
    /// `Compacted` if `from` was trimmed away.
    async fn read(
        &self,
        stream: &StreamName,
        partition: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<(Sequence, Record)>, StoreError>;
    /// Joins a group for `ttl`, or stays in it; gives the partitions that are this member's, with their epochs.
    async fn join(
        &self,
        stream: &StreamName,
        group: &GroupName,
        member: &str,
        ttl: Duration,
    ) -> Result<Vec<(Partition, Epoch)>, StoreError>;
    /// The group goes on at `next`; only ever forward.
    ///
    /// # Errors
    /// `Fenced` if the epoch is not the newest.
    async fn commit(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
        next: Sequence,
        epoch: Epoch,
    ) -> Result<(), StoreError>;
    /// The group goes on elsewhere: the only way back.
    async fn reset(&self, stream: &StreamName, group: &GroupName, to: ResetTo) -> Result<(), StoreError>;
}
