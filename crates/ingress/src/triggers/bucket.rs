//! Changes of buckets as events. What waits is written by the store in the transaction of the change itself.
//!
//! Type `dayfly.bucket.created` (overwritten too) or `dayfly.bucket.deleted` (expiry too), source `/apps/{app}/{env}/bucket/{bucket}`,
//! subject the key. Data: `{"bucket", "key", "bytes", "etag", "contentType", "version"}`; what does not apply is null.

use serde_json::{Map, Value};
use types::{AppKey, CloudEvent, Timestamp};

use super::origin::{Happened, source};

/// One change.
pub(crate) struct Changed<'a> {
    pub(crate) key: &'a str,
    pub(crate) written: bool,
    pub(crate) bytes: u64,
    pub(crate) etag: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    pub(crate) at: Timestamp,
}

pub(crate) fn event(app: &AppKey, bucket: &str, id: String, changed: &Changed<'_>) -> CloudEvent {
    let Changed { key, written, bytes, etag, content_type, version, at } = changed;
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    put("bucket", bucket.into());
    put("key", (*key).into());
    put("bytes", if *written { (*bytes).into() } else { Value::Null });
    put("etag", if etag.is_empty() { Value::Null } else { (*etag).into() });
    put("contentType", (*content_type).into());
    put("version", (*version).into());
    let kind = if *written { "dayfly.bucket.created" } else { "dayfly.bucket.deleted" };
    Happened { id, source: source(app, "bucket", bucket), kind, subject: Some((*key).to_owned()), at: *at, data }.into()
}
