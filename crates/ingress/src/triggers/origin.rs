//! What an event says of where it comes from, and values of stores as JSON.

use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Map, Value};
use types::{AppKey, CloudEvent, Timestamp};

/// The source of events of an app's resource: `/apps/shop/prod/kv/sessions`.
pub(crate) fn source(key: &AppKey, kind: &str, name: &str) -> String {
    format!("/apps/{}/{}/{kind}/{name}", key.app, key.env)
}

/// An event of the platform with JSON data.
pub(crate) struct Happened {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) kind: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) data: Map<String, Value>,
}

impl From<Happened> for CloudEvent {
    fn from(happened: Happened) -> Self {
        let Happened { id, source, kind, subject, at, data } = happened;
        Self {
            id,
            source,
            kind: kind.to_owned(),
            subject: subject.filter(|text| !text.is_empty() && crate::cloudevents::is_text(text)),
            time: Some(at),
            content_type: Some("application/json".to_owned()),
            schema: None,
            extensions: Vec::new(),
            data: Some(Bytes::from(Value::Object(data).to_string())),
        }
    }
}

/// Puts bytes under a name as text; under the name with `_base64` where they are no UTF-8; as null where there are none.
pub(crate) fn put_bytes(data: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => data.insert(name.to_owned(), Value::Null),
        Some((_, Ok(text))) => data.insert(name.to_owned(), text.into()),
        Some((bytes, Err(_))) => data.insert(format!("{name}_base64"), BASE64.encode(bytes).into()),
    };
}
