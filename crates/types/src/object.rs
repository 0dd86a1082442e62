//! The vocabulary of object storage: buckets and the objects in them, as S3 has them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName},
    time::Timestamp,
    trace::Cause,
};

/// A bucket's identity: one app's bucket in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BucketName(pub String);

impl BucketName {
    /// The bucket `name` of `app` in `env`.
    #[must_use]
    pub fn of(app: &AppName, env: &EnvName, name: &str) -> Self {
        Self(format!("{app}/{env}/{name}"))
    }
    /// The name within its app.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

/// A version of an object. Without versioning there is one, named `null` as S3 has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionId(pub String);

/// What is known of an object beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its entity tag without quotes: the MD5 of its bytes, or of its parts' with `-` and their number.
    pub etag: String,
    /// When it was written.
    pub modified: Timestamp,
    /// Its version.
    pub version: VersionId,
    /// Whether this version says that the object was deleted.
    pub is_delete_marker: bool,
    /// What its writer said of it.
    pub attributes: ObjectAttributes,
    /// Checksums that its writer gave and that were verified, in base 64: `("crc32", …)`.
    pub checksums: Vec<(String, String)>,
    /// The sizes of its parts in order, if it came in parts.
    pub parts: Vec<u64>,
}

/// What the writer of an object says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectAttributes {
    /// Its media type.
    pub content_type: Option<String>,
    /// Further standard header fields (`cache-control`, `content-disposition`, `content-encoding`, `content-language`, `expires`).
    pub headers: BTreeMap<String, String>,
    /// The writer's own names and values (`x-amz-meta-…`).
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What must hold of the present object for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ObjectCondition {
    /// Nothing.
    #[default]
    None,
    /// There is none (`if-none-match: *`).
    Absent,
    /// It has this entity tag (`if-match`).
    Matches(String),
}

/// How an object is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutOptions {
    /// What its writer says of it.
    pub attributes: ObjectAttributes,
    /// What must hold.
    pub condition: ObjectCondition,
    /// What wrote it.
    pub cause: Option<Cause>,
    /// Checksums that whoever read the bytes has verified, kept with the object.
    pub checksums: Vec<(String, String)>,
}

/// Which bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ByteRange {
    /// From the first to the last of them, both included; the end of the object bounds it.
    Between(u64, u64),
    /// From this one to the end.
    From(u64),
    /// So many at the end.
    Last(u64),
}

impl ByteRange {
    /// The first byte and the length within an object of so many bytes; `None` if no byte of it is there.
    #[must_use]
    pub fn within(self, bytes: u64) -> Option<(u64, u64)> {
        let (first, end) = match self {
            Self::Between(first, last) => (first, last.saturating_add(1).min(bytes)),
            Self::From(first) => (first, bytes),
            Self::Last(count) => (bytes.saturating_sub(count), bytes),
        };
        (first < end).then(|| (first, end - first))
    }
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectPage {
    /// Objects in the byte order of their keys.
    pub objects: Vec<ObjectInfo>,
    /// What stands for all keys that share it up to the delimiter, in order among the objects.
    pub prefixes: Vec<String>,
    /// What to continue after; `None` at the end.
    pub next: Option<String>,
}

/// What is asked of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectQuery {
    /// What keys begin with.
    pub prefix: String,
    /// What keys are grouped by, if they are.
    pub delimiter: Option<String>,
    /// Only what comes after this: a key, or a `next` of an earlier page.
    pub after: Option<String>,
    /// The most objects and prefixes together; at most `limits::BUCKET_PAGE`.
    pub limit: usize,
}

/// The settings of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketConfig {
    /// Whether versions are kept.
    pub versioning: Versioning,
    /// Which pages may call it from a browser.
    pub cors: Vec<CorsRule>,
    /// When objects are removed by themselves.
    pub lifecycle: Vec<LifecycleRule>,
    /// The bucket's own tags.
    pub tags: BTreeMap<String, String>,
}

/// Whether versions of objects are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Versioning {
    /// Never was.
    #[default]
    Off,
    /// From now on.
    On,
    /// No more; those that are there stay.
    Suspended,
}

/// A rule for pages of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CorsRule {
    /// Origins, with at most one `*` each.
    pub origins: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Request header fields, with at most one `*` each.
    pub headers: Vec<String>,
    /// Response header fields that scripts may see.
    pub expose: Vec<String>,
    /// For how many seconds an answer may be kept.
    pub max_age: Option<u32>,
}

/// A rule for the end of objects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LifecycleRule {
    /// Its name.
    pub id: String,
    /// Whether it holds.
    pub enabled: bool,
    /// What keys begin with.
    pub prefix: String,
    /// How long objects live.
    pub expire: Option<Duration>,
    /// How long versions live that are not the newest.
    pub expire_old: Option<Duration>,
    /// How long uploads in parts may stay unfinished.
    pub abort_uploads: Option<Duration>,
}

/// An upload in parts that is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The key of the object that it will be.
    pub key: String,
    /// When it began.
    pub began: Timestamp,
    /// What its writer said of the object.
    pub attributes: ObjectAttributes,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, from 1 to 10,000.
    pub number: u32,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its entity tag.
    pub etag: String,
    /// When it was written.
    pub modified: Timestamp,
    /// Its checksums, as objects have them.
    pub checksums: Vec<(String, String)>,
}
