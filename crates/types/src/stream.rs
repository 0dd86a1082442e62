//! The vocabulary of streams: partitioned logs with consumer groups.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName},
    time::Timestamp,
    trace::Cause,
};

/// A stream's identity: one app's stream in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamName(pub String);

impl StreamName {
    /// The stream `name` of `app` in `env`.
    #[must_use]
    pub fn of(app: &AppName, env: &EnvName, name: &str) -> Self {
        Self(format!("{app}/{env}/{name}"))
    }
}

/// A partition of a stream, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Partition(pub u32);
/// A record's place in its partition, from 0. Once a reader saw one, nothing ever appears below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Sequence(pub u64);

impl Sequence {
    /// What a record is told to have that is held until its sender succeeds: it has no place yet, and no partition.
    pub const HELD: Self = Self(u64::MAX);
}

/// The right to commit for a partition; a newer one fences off all older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch(pub u64);
/// A consumer group's identity within its stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupName(pub String);

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// Records of one key go to one partition; those without one are spread.
    pub key: Option<Bytes>,
    /// The body.
    pub body: Bytes,
    /// Records of one stream with the same value within `limits::QUEUE_DEDUP_TIME` are one.
    pub dedup: Option<Bytes>,
    /// What appended it.
    pub cause: Option<Cause>,
}

/// A record as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Its place.
    pub sequence: Sequence,
    /// When it was appended.
    pub at: Timestamp,
    /// The record; its `dedup` is not kept.
    pub record: Record,
}

/// Where a consumer group goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetTo {
    /// The oldest record left.
    Oldest,
    /// What is appended from now on.
    Newest,
    /// This record, in every partition.
    At(Sequence),
}

/// How a partition is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionStats {
    /// Which.
    pub partition: Partition,
    /// The oldest record left.
    pub oldest: Sequence,
    /// Where the next record goes.
    pub next: Sequence,
    /// Where each consumer group is: its next record.
    pub groups: Vec<(GroupName, Sequence)>,
}
