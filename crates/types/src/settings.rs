//! What a manifest sets of resources, the site and the way in for events: only what differs from the defaults.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// Settings of resources by name. A resource that is used and not named here has the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Key-value stores.
    pub kv: BTreeMap<String, KvSettings>,
    /// Databases.
    pub sql: BTreeMap<String, SqlSettings>,
    /// Buckets.
    pub bucket: BTreeMap<String, BucketSettings>,
    /// Queues.
    pub queue: BTreeMap<String, QueueSettings>,
    /// Streams.
    pub stream: BTreeMap<String, StreamSettings>,
}

/// Settings of a key-value store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KvSettings {
    /// How long an entry lives that is written without an expiry of its own; for ever if not set.
    pub expire: Option<Duration>,
}

/// Settings of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlSettings {
    /// The folder of migrations, relative to the manifest: `*.sql`, applied once each in the order of their names.
    pub migrations: Option<String>,
}

/// Settings of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketSettings {
    /// Whether overwritten and deleted objects are kept as versions.
    pub versioning: bool,
    /// How long objects live; for ever if not set.
    pub expire: Option<Duration>,
    /// Origins whose pages may read and write with signed requests.
    pub cors: Vec<String>,
}

/// Settings of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueSettings {
    /// How long a message is kept; `limits::RETENTION_TIME` if not set.
    pub retention: Option<Duration>,
}

/// Settings of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamSettings {
    /// Partitions; one if not set. Only ever more.
    pub partitions: Option<u32>,
    /// How long a record is kept; `limits::RETENTION_TIME` if not set.
    pub retention: Option<Duration>,
}

/// A static site, as the manifest names it. The files themselves belong to the revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSettings {
    /// The folder of files, relative to the manifest.
    pub dir: String,
    /// The file that answers to paths which no file and no route answers to, for apps that route in the browser.
    pub fallback: Option<String>,
}

/// The way in for CloudEvents: `POST /events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsSettings {
    /// The secret whose value callers present as `authorization: Bearer …` or `x-api-key`.
    pub key: String,
    /// The bus that the events go to.
    pub bus: String,
}
