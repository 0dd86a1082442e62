//! Events: CloudEvents 1.0.2 (<https://github.com/cloudevents/spec>), as every trigger delivers them and the bus carries them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName},
    kv::Rev,
    revision::AppKey,
    time::Timestamp,
};

/// An event. Attribute names and rules are the specification's; the data is bytes whatever they mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Unique for its source.
    pub id: String,
    /// Where it happened: a URI reference, not empty.
    pub source: String,
    /// What happened: `com.example.order.created`.
    pub kind: String,
    /// What it is about, within the source.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The media type of the data.
    pub content_type: Option<String>,
    /// The schema of the data: a URI.
    pub schema: Option<String>,
    /// Further attributes: names of `a-z 0-9`, values as text.
    pub extensions: Vec<(String, String)>,
    /// What it says.
    pub data: Option<Bytes>,
}

/// A bus's identity: one app's bus in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BusName {
    /// Its app.
    pub key: AppKey,
    /// Its name within the app.
    pub name: String,
}

impl BusName {
    /// The bus that is meant where none is named.
    pub const DEFAULT: &'static str = "default";

    /// The bus `name` of `app` in `env`.
    #[must_use]
    pub fn of(app: &AppName, env: &EnvName, name: &str) -> Self {
        Self { key: AppKey { app: app.clone(), env: env.clone() }, name: name.to_owned() }
    }
    /// The stream that keeps what was published on it.
    #[must_use]
    pub fn stream(&self) -> crate::stream::StreamName {
        crate::stream::StreamName(format!("{}/{}/~bus.{}", self.key.app, self.key.env, self.name))
    }
}

/// A change of the platform's own stores, as it waits in a function's queue until it is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StoreChange {
    /// An entry of a key-value store was written, deleted or has expired.
    Kv {
        /// The key.
        key: Bytes,
        /// The value before, if there was one.
        old: Option<Bytes>,
        /// The value after, if there is one.
        new: Option<Bytes>,
        /// The revision of the change.
        rev: Rev,
        /// When.
        at: Timestamp,
    },
    /// An object was written, deleted or has expired.
    Object {
        /// Its key.
        key: String,
        /// Whether it is there now.
        written: bool,
        /// Its size in bytes, 0 if it is gone.
        bytes: u64,
        /// Its entity tag.
        etag: String,
        /// Its media type.
        content_type: Option<String>,
        /// Its version, where versions are kept.
        version: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A row of a database was changed.
    Row(crate::sql::RowChanged),
    /// A time of a schedule has come.
    Tick {
        /// The time that was meant.
        scheduled: Timestamp,
        /// Times before it that were missed and that this run stands for.
        missed: u32,
    },
    /// An event of the bus.
    Published(CloudEvent),
}

/// What of the stores' changes goes to which queue. The store writes the queue's message in the transaction of the change itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// What is watched.
    pub source: FeedSource,
    /// Which changes.
    pub change: crate::trigger::ChangeKind,
    /// A glob over keys, as [`Source`](crate::trigger::Source) has it.
    pub matching: Option<String>,
    /// Where changes go: as [`StoreChange`] in postcard.
    pub queue: crate::queue::QueueName,
}

/// What a feed watches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FeedSource {
    /// A key-value store.
    Kv(crate::kv::Namespace),
    /// A bucket.
    Bucket(crate::object::BucketName),
}
