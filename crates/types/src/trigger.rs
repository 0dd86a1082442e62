//! What starts a function beside HTTP requests: `on = { … }` in the manifest, validated.
//!
//! Whatever the source, what is to be delivered lies in a queue (or a stream) first, so that one set of rules holds for all of them.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// What starts a function, and the rules of delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct On {
    /// Where events come from.
    pub source: Source,
    /// How they are delivered.
    pub rules: Rules,
}

/// Where events come from. Resources are named as in the manifest, without their kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Messages of a queue.
    Queue {
        /// The queue.
        queue: String,
    },
    /// Records of a stream, in order within each partition.
    Stream {
        /// The stream.
        stream: String,
        /// Where a function that is new to the stream begins.
        from: StreamStart,
    },
    /// Objects of a bucket.
    Bucket {
        /// The bucket.
        bucket: String,
        /// Which changes.
        change: ChangeKind,
        /// A glob over keys: without a slash it is matched against the last part of a key, with one against all of it.
        matching: Option<String>,
    },
    /// Entries of a key-value store; the function gets the old and the new value.
    Kv {
        /// The store.
        store: String,
        /// Which changes.
        change: ChangeKind,
        /// A glob over keys, as for buckets.
        matching: Option<String>,
    },
    /// Rows of a database's tables; the function gets the old and the new row.
    Sql {
        /// The database.
        database: String,
        /// The tables.
        tables: Vec<String>,
        /// Which changes; all of them if none is named.
        change: Option<RowChange>,
    },
    /// Events of the app's bus.
    Event {
        /// The bus.
        bus: String,
        /// A glob over event types: `order.*`.
        pattern: String,
        /// A CEL expression over `event` that must be true.
        filter: Option<String>,
    },
    /// A schedule.
    Cron {
        /// Five fields, or six with seconds first, or a name such as `@hourly`.
        schedule: String,
        /// An IANA time zone.
        zone: String,
        /// What happens when the last run still goes on.
        overlap: Overlap,
        /// What happens with times at which the node was down.
        missed: Missed,
    },
}

impl Source {
    /// The key of `on` that names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Queue { .. } => "queue",
            Self::Stream { .. } => "stream",
            Self::Bucket { .. } => "bucket",
            Self::Kv { .. } => "kv",
            Self::Sql { .. } => "sql",
            Self::Event { .. } => "event",
            Self::Cron { .. } => "cron",
        }
    }
}

/// In a few words, for plans: `queue mail`, `kv sessions deleted user/*`, `cron 0 6 * * * in Europe/Berlin`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |word: &'static str, change: &ChangeKind| match change {
            ChangeKind::Any => "",
            ChangeKind::Written => word,
            ChangeKind::Deleted => " deleted",
        };
        let matching = |matching: &Option<String>| matching.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
        match self {
            Self::Queue { queue } => write!(f, "queue {queue}"),
            Self::Stream { stream, from: StreamStart::Oldest } => write!(f, "stream {stream}"),
            Self::Stream { stream, from: StreamStart::Newest } => write!(f, "stream {stream} from the newest"),
            Self::Bucket { bucket, change, matching: glob } => {
                write!(f, "bucket {bucket}{}{}", written(" created", change), matching(glob))
            }
            Self::Kv { store, change, matching: glob } => write!(f, "kv {store}{}{}", written(" put", change), matching(glob)),
            Self::Sql { database, tables, change } => {
                let change = match change {
                    None => "",
                    Some(RowChange::Insert) => " insert",
                    Some(RowChange::Update) => " update",
                    Some(RowChange::Delete) => " delete",
                };
                write!(f, "sql {database}{change} {}", tables.join(", "))
            }
            Self::Event { bus, pattern, filter } => {
                write!(f, "event {pattern} of {bus}")?;
                filter.as_ref().map_or(Ok(()), |filter| write!(f, " if {filter}"))
            }
            Self::Cron { schedule, zone, .. } => write!(f, "cron {schedule} in {zone}"),
        }
    }
}

/// Where a consumer that is new begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamStart {
    /// With the oldest record left.
    #[default]
    Oldest,
    /// With what is appended from then on.
    Newest,
}

/// Which changes of objects or entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Both.
    #[default]
    Any,
    /// Created or overwritten (`event = "created"` of a bucket, `"put"` of a key-value store).
    Written,
    /// Deleted or expired (`event = "deleted"`).
    Deleted,
}

/// Which changes of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowChange {
    /// New rows.
    Insert,
    /// Changed rows.
    Update,
    /// Removed rows.
    Delete,
}

/// What a schedule does when its last run still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// Leaves this time out.
    #[default]
    Skip,
    /// Waits for it, then runs.
    Queue,
    /// Runs beside it.
    Allow,
}

/// What a schedule does about times at which the node was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// Runs once for all of them, at the next start.
    #[default]
    Once,
    /// Runs for each of them, at most `limits::CRON_MISSED`.
    All,
    /// Forgets them.
    Skip,
}

/// How events are delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The most events in one invocation.
    pub batch: u32,
    /// How long a batch that is not full waits for more.
    pub wait: Duration,
    /// How often a failed event is delivered again before it is a dead letter.
    pub retries: u32,
    /// The queue that dead letters go to, by its name in the app.
    pub dead: String,
}

/// Whether what a function does to the platform's state happens at once, or together with its success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effects {
    /// At once, whatever becomes of the invocation. The default for HTTP.
    #[default]
    Immediate,
    /// All of it with the invocation's success and its acknowledgement, or none. The default for everything else.
    Atomic,
}

/// How requests to a function's routes are checked to come from whom they say: an HMAC over the body in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The header that carries the signature, in lower case.
    pub header: String,
    /// The secret with the key.
    pub secret: String,
    /// The hash.
    pub algorithm: WebhookHash,
    /// How the signature is written.
    pub encoding: WebhookEncoding,
    /// What stands before the signature: `sha256=`.
    pub prefix: String,
    /// The header that carries the time, in seconds since 1970, which is signed as `<time>.` before the body; none if it is not signed.
    pub timestamp: Option<String>,
    /// How old the time may be.
    pub tolerance: Duration,
}

/// The hash of a webhook's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookHash {
    /// HMAC-SHA-256.
    #[default]
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
    /// HMAC-SHA-1, for those who have nothing better.
    Sha1,
}

/// How a webhook's signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookEncoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base 64.
    Base64,
}
