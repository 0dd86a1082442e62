//! The JSON format: one event (structured mode) and lists of them (batch format), written without a tree in memory.

use bytes::Bytes;
use data_encoding::BASE64;
use types::CloudEvent;

/// Whether a media type says that the data is JSON (json-format.md, 3.1): `application/json`, `text/json`, `…+json`, parameters aside.
pub(crate) fn is_json(content_type: Option<&str>) -> bool {
    // Data without a media type is JSON in this format.
    let Some(content_type) = content_type else { return true };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    subtype == "json" || subtype.ends_with("+json")
}

/// One event as JSON.
pub(crate) fn to_structured(event: &CloudEvent) -> Bytes {
    let mut out = Vec::with_capacity(256 + event.data.as_ref().map_or(0, Bytes::len));
    write(&mut out, event);
    out.into()
}

/// Events as a JSON array, in their order.
pub(crate) fn to_batch<'a>(events: impl IntoIterator<Item = &'a CloudEvent>) -> Bytes {
    let mut out = vec![b'['];
    for (index, event) in events.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(&mut out, event);
    }
    out.push(b']');
    out.into()
}

fn write(out: &mut Vec<u8>, event: &CloudEvent) {
    let CloudEvent { id, source, kind, subject, time, content_type, schema, extensions, data } = event;
    out.extend_from_slice(br#"{"specversion":"1.0""#);
    let mut attribute = |name: &str, value: &str| {
        out.push(b',');
        string(out, name);
        out.push(b':');
        string(out, value);
    };
    attribute("id", id);
    attribute("source", source);
    attribute("type", kind);
    let time = time.map(types::Timestamp::to_rfc3339);
    for (name, value) in [("subject", subject), ("time", &time), ("datacontenttype", content_type), ("dataschema", schema)] {
        if let Some(value) = value {
            attribute(name, value);
        }
    }
    for (name, value) in extensions {
        attribute(name, value);
    }
    if let Some(data) = data {
        write_data(out, content_type.as_deref(), data);
    }
    out.push(b'}');
}

fn write_data(out: &mut Vec<u8>, content_type: Option<&str>, data: &Bytes) {
    // JSON that is whole is put in as it stands, so that numbers keep every digit.
    let json = content_type.is_some() && is_json(content_type);
    if json && serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok() {
        out.extend_from_slice(br#","data":"#);
        out.extend_from_slice(data);
    } else if let (false, Ok(text)) = (is_json(content_type), std::str::from_utf8(data)) {
        out.extend_from_slice(br#","data":"#);
        string(out, text);
    } else {
        out.extend_from_slice(br#","data_base64":"#);
        string(out, &BASE64.encode(data));
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is written to memory");
}
