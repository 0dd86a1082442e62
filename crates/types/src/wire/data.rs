//! What the control API takes and gives of an app's data: stores, queues, streams, buckets, databases, secrets, schedules and events.
//!
//! Times are RFC 3339 in UTC, durations whole milliseconds with `_ms` in the name.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Base64;
use crate::sql::SqlValue;

/// Bytes as people can read them: text where they are UTF-8, else base 64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// The bytes are this text.
    Text(String),
    /// The bytes in base 64.
    #[schema(value_type = String)]
    Base64(Base64),
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(Base64(bytes)),
        }
    }
}
impl From<Content> for Bytes {
    fn from(content: Content) -> Self {
        match content {
            Content::Text(text) => text.into(),
            Content::Base64(Base64(bytes)) => bytes,
        }
    }
}

/// One resource of an app with how much is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceRow {
    /// Its name.
    pub name: String,
    /// The functions that use it or are started by it.
    pub used_by: Vec<String>,
}

/// Which part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// What names or keys begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Only what comes after this: the last name, key or number of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many: 100 by default, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// An entry of a key-value store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvEntry {
    /// The key.
    pub key: Content,
    /// The value.
    pub value: Content,
    /// The revision that wrote it.
    pub rev: u64,
    /// When it ceases to exist, if it does.
    pub expires: Option<String>,
}

/// Which entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct KvKey {
    /// The key.
    pub key: String,
    /// When writing: how long it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_ms: Option<u64>,
    /// When writing or removing: only if it was last written at this revision; 0 means only if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_rev: Option<u64>,
}

/// That a key-value store was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvWritten {
    /// The revision of the change.
    pub rev: u64,
}

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

/// How many things were moved or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// How many.
    pub count: u64,
}

/// How many messages at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct AtMost {
    /// At most so many; all of them if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
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

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObjectRow {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its entity tag.
    pub etag: String,
    /// When it was written.
    pub modified: String,
    /// Its media type.
    pub content_type: Option<String>,
}

/// A page of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ObjectRows {
    /// Objects by key.
    pub objects: Vec<ObjectRow>,
    /// What stands for all keys that share it up to the delimiter.
    pub prefixes: Vec<String>,
    /// What the next page comes after; none at the end.
    pub next: Option<String>,
}

/// Which objects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectRange {
    /// What keys begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What keys are grouped by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Only what comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many: 1,000 by default and at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectKey {
    /// Its key.
    pub key: String,
}

/// A link to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presign {
    /// The object's key.
    pub key: String,
    /// `GET` to read it or `PUT` to write it.
    pub method: String,
    /// How long the link holds, in seconds: at most seven days.
    pub expires_secs: u64,
}

/// A link that holds for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presigned {
    /// The link.
    pub url: String,
    /// Until when it holds.
    pub until: String,
}

/// One value of a row or a parameter, as JSON: null, a number, text, or `{"base64": …}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob {
        /// The bytes.
        #[schema(value_type = String)]
        base64: Base64,
    },
}

impl From<SqlValue> for Cell {
    fn from(value: SqlValue) -> Self {
        match value {
            SqlValue::Null => Self::Null,
            SqlValue::Integer(number) => Self::Integer(number),
            SqlValue::Real(number) => Self::Real(number),
            SqlValue::Text(text) => Self::Text(text),
            SqlValue::Blob(bytes) => Self::Blob { base64: Base64(bytes) },
        }
    }
}
impl From<Cell> for SqlValue {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(number) => Self::Integer(number),
            Cell::Real(number) => Self::Real(number),
            Cell::Text(text) => Self::Text(text),
            Cell::Blob { base64 } => Self::Blob(base64.0),
        }
    }
}

/// Statements for a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlQuery {
    /// The statement.
    pub sql: String,
    /// Its parameters, by position.
    #[serde(default)]
    pub parameters: Vec<Cell>,
    /// Whether it may write.
    #[serde(default)]
    pub write: bool,
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SqlRows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that were changed.
    pub changed: u64,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretRow {
    /// Its name.
    pub name: String,
    /// Its newest version; none if it was never set.
    pub version: Option<u32>,
    /// When that was set.
    pub set: Option<String>,
    /// The functions that use it.
    pub used_by: Vec<String>,
}

/// That a secret was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretSet {
    /// Its new version.
    pub version: u32,
}

/// A pair of keys for AWS clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AwsKey {
    /// What requests name.
    pub id: String,
    /// What they are signed with: shown once, when it is issued.
    pub secret: Option<String>,
    /// Whether it may change anything.
    pub read_only: bool,
    /// When it was issued.
    pub issued: String,
    /// Where AWS clients are to connect.
    pub endpoint_url: String,
}

/// A pair of keys to issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwsKeyIssue {
    /// Whether it may only read.
    pub read_only: bool,
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
