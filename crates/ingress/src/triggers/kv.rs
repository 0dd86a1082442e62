//! Changes of key-value stores as events. What waits is written by the store in the transaction of the change itself.
//!
//! Type `dayfly.kv.put` or `dayfly.kv.delete` (expiry too), source `/apps/{app}/{env}/kv/{store}`, subject the key where it is text.
//! Data: `{"key", "old", "new", "rev"}`; keys and values as text, or in base 64 under `key_base64`, `old_base64`, `new_base64` where they
//! are none; null where there is none.

use bytes::Bytes;
use serde_json::Map;
use types::{AppKey, CloudEvent, Timestamp, kv::Rev, trigger::ChangeKind};

use super::origin::{Happened, put_bytes, source};

/// One change.
pub(crate) struct Changed<'a> {
    pub(crate) key: &'a Bytes,
    pub(crate) old: Option<&'a Bytes>,
    pub(crate) new: Option<&'a Bytes>,
    pub(crate) rev: Rev,
    pub(crate) at: Timestamp,
}

/// Whether a function that asked for these changes gets one that wrote, or deleted.
pub(crate) fn wants(change: ChangeKind, written: bool) -> bool {
    match change {
        ChangeKind::Any => true,
        ChangeKind::Written => written,
        ChangeKind::Deleted => !written,
    }
}

pub(crate) fn event(app: &AppKey, store: &str, id: String, changed: &Changed<'_>) -> CloudEvent {
    let Changed { key, old, new, rev, at } = changed;
    let mut data = Map::new();
    put_bytes(&mut data, "key", Some(key));
    put_bytes(&mut data, "old", old.map(|old| &old[..]));
    put_bytes(&mut data, "new", new.map(|new| &new[..]));
    data.insert("rev".to_owned(), rev.0.into());
    let kind = if new.is_some() { "dayfly.kv.put" } else { "dayfly.kv.delete" };
    let subject = std::str::from_utf8(key).ok().map(str::to_owned);
    Happened { id, source: source(app, "kv", store), kind, subject, at: *at, data }.into()
}
