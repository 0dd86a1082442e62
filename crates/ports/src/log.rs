//! Streams: partitioned logs with consumer groups.

use std::time::Duration;

use async_trait::async_trait;
pub use types::stream::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName};

use crate::StoreError;

/// Streams with total order per partition.
///
/// A record with a key goes to the partition `u64::from_le_bytes(blake3(key)[..8]) % partitions`, in every store; so a key moves to
/// another partition when the stream is given more of them. Those of one call without a key go together, where the fewest went so far.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends all records or none, and gives the place of each. One that came before by its `dedup` is given its first place.
    /// `expect` is the partition's next sequence, where the caller depends on it; all records that are new must go to one partition then.
    ///
    /// # Errors
    /// `Changed` if `expect` is not the next sequence.
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        expect: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError>;
    /// At most `max` records from `from` on, waiting at most `wait` for the first. Fewer may come although there are more: many bytes
    /// come in pieces.
    ///
    /// # Errors
    /// `Compacted` if `from` was trimmed away; `Missing` if the stream has no such partition.
    async fn read(
        &self,
        stream: &StreamName,
        partition: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Appended>, StoreError>;
    /// Joins a group for `ttl`, or stays in it; gives the partitions that are this member's, with their epochs.
    async fn join(
        &self,
        stream: &StreamName,
        group: &GroupName,
        member: &str,
        ttl: Duration,
    ) -> Result<Vec<(Partition, Epoch)>, StoreError>;
    /// The group goes on at `next`; only ever forward: an older place changes nothing.
    ///
    /// # Errors
    /// `Fenced` if the epoch is not the newest; `Rejected` if `next` is beyond the partition's end.
    async fn commit(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
        next: Sequence,
        epoch: Epoch,
    ) -> Result<(), StoreError>;
    /// Where the group goes on in a partition, or `None` if it never committed there.
    async fn committed(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
    ) -> Result<Option<Sequence>, StoreError>;
    /// Gives the stream at least so many partitions (it has one if nobody asks) and says how long records are kept.
    async fn configure(&self, stream: &StreamName, partitions: u32, retention: Duration) -> Result<(), StoreError>;
    /// The streams whose names begin with `prefix`, by name, after a name.
    async fn streams(&self, prefix: &str, after: Option<&StreamName>, max: usize) -> Result<Vec<StreamName>, StoreError>;
    /// How each partition is doing.
    async fn stats(&self, stream: &StreamName) -> Result<Vec<PartitionStats>, StoreError>;
    /// Removes all records; sequences go on where they were.
    async fn purge(&self, stream: &StreamName) -> Result<(), StoreError>;
    /// The group goes on elsewhere: the only way back. Members must join again: what they hold is fenced off.
    async fn reset(&self, stream: &StreamName, group: &GroupName, to: ResetTo) -> Result<(), StoreError>;
}
