//! Queues, streams, events and schedules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Content;

/// A queue and how it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueRow {
    /// Its name. One that begins with `~` holds what starts the function of that name.
    pub name: String,
    /// The function that works it off, if there is one.
    pub consumer: Option<String>,
    /// The queue that its dead letters go to, if it has a consumer.
    pub dead: Option<String>,
    /// Messages that can be claimed now.
    pub ready: u64,
    /// Messages that wait for their delay or for a retry.
    pub delayed: u64,
    /// Messages that a function is working on.
    pub claimed: u64,
    /// How long the oldest ready message has waited.
    pub oldest_ms: u64,
}

/// A message that lies in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueMessage {
    /// Its id.
    pub id: String,
    /// Its number: what `after` takes.
    pub number: u64,
    /// When it was enqueued.
    pub enqueued: String,
    /// When it can be delivered.
    pub due: String,
    /// How often it was delivered.
    pub attempts: u32,
    /// Its group.
    pub group: Option<Content>,
    /// Names and values that travel along.
    pub attributes: Vec<(String, String)>,
    /// Its body.
    pub body: Content,
    /// The queue that it came from, if it is a dead letter.
    pub dead_from: Option<String>,
    /// Why it is a dead letter.
    pub dead_reason: Option<String>,
    /// The trace of what sent it.
    pub trace: Option<String>,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSend {
    /// Its body.
    pub body: Content,
    /// Not delivered before this has passed.
    #[serde(default)]
    pub delay_ms: u64,
    /// Its group.
    #[serde(default)]
    pub group: Option<String>,
    /// Its deduplication key.
    #[serde(default)]
    pub dedup: Option<String>,
    /// Names and values that travel along.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// That a message was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueSent {
    /// Its id.
    pub id: String,
    /// Whether it is another copy of a message that was sent before.
    pub duplicate: bool,
}

/// A stream and how it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamRow {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<PartitionRow>,
}

/// A partition of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartitionRow {
    /// Its number.
    pub partition: u32,
    /// The oldest record left.
    pub oldest: u64,
    /// Where the next record goes.
    pub next: u64,
    /// How many records each consumer has not seen yet.
    pub lag: BTreeMap<String, u64>,
}

/// Which records of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct StreamRange {
    /// The partition.
    pub partition: u32,
    /// The first record; the oldest left by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// So many of the newest instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// At most so many: 100 by default, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How long to wait for the first, at most 30,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// A record of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamRecord {
    /// Its partition.
    pub partition: u32,
    /// Its place.
    pub sequence: u64,
    /// When it was appended.
    pub at: String,
    /// Its key.
    pub key: Option<Content>,
    /// Its body.
    pub body: Content,
    /// The trace of what appended it.
    pub trace: Option<String>,
}

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamAppend {
    /// Its key.
    #[serde(default)]
    pub key: Option<String>,
    /// Its body.
    pub body: Content,
}

/// Where a record went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamAppended {
    /// Its partition.
    pub partition: u32,
    /// Its place.
    pub sequence: u64,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleRow {
    /// The function that it starts.
    pub function: String,
    /// The schedule.
    pub schedule: String,
    /// Its time zone.
    pub zone: String,
    /// When it ran last.
    pub last: Option<String>,
    /// When it runs next.
    pub next: Option<String>,
}

/// An event to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSend {
    /// What happened: `order.created`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where; `/apps/<app>/<env>` by default.
    #[serde(default)]
    pub source: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub subject: Option<String>,
    /// The media type of the data.
    #[serde(default)]
    pub content_type: Option<String>,
    /// What it says.
    #[serde(default)]
    pub data: Option<Content>,
    /// The bus.
    #[serde(default)]
    pub bus: Option<String>,
}

/// That an event was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventSent {
    /// Its id.
    pub id: String,
    /// The functions that are started by it.
    pub starts: Vec<String>,
}

/// Which bus.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct BusRange {
    /// The bus; `default` if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// Events after this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// So many of the newest instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// How long to wait for the first, at most 30,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// An event that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventRow {
    /// Its place on the bus: what `from` takes, plus one.
    pub sequence: u64,
    /// When it was published.
    pub at: String,
    /// Its id.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where.
    pub source: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The media type of the data.
    pub content_type: Option<String>,
    /// What it says.
    pub data: Option<Content>,
    /// The trace of what published it.
    pub trace: Option<String>,
}
