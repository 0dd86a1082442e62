//! CloudEvents 1.0.2 over HTTP, both ways: the rules of events, the binary mode, and in `json` the structured and the batch format.
//!
//! Written by hand from the specification (<https://github.com/cloudevents/spec/tree/v1.0.2/cloudevents>: `spec.md`,
//! `bindings/http-protocol-binding.md`, `formats/json-format.md`), because it is short and everything here must be bounded.

mod json;
mod read;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use types::CloudEvent;

pub(crate) use json::{is_json, to_batch, to_structured};
pub use read::{from_request, read_binary};

/// The media type of one event in structured mode.
pub(crate) const STRUCTURED: &str = "application/cloudevents+json";
/// The media type of a batch.
pub(crate) const BATCH: &str = "application/cloudevents-batch+json";
/// Further attributes of one event.
const EXTENSIONS_MAX: usize = 64;
/// The longest name of a further attribute. The specification asks for at most 20 and forbids no more.
const EXTENSION_NAME_MAX: usize = 64;
/// Attributes that need more bytes than this as header fields don't travel in binary mode.
pub(crate) const BINARY_HEADERS_MAX: usize = 16 * 1024;
/// Names of attributes that no extension may have.
const CORE: [&str; 10] =
    ["id", "source", "type", "specversion", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"];

/// The bytes that an event counts against `limits::EVENT`: its attributes' names and values, and its data.
#[must_use]
pub fn size(event: &CloudEvent) -> u64 {
    let CloudEvent { id, source, kind, subject, time: _, content_type, schema, extensions, data } = event;
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let core = id.len() + source.len() + kind.len() + optional(subject) + optional(content_type) + optional(schema);
    let further: usize = extensions.iter().map(|(name, value)| name.len() + value.len()).sum();
    (core + further + data.as_ref().map_or(0, Bytes::len)) as u64
}

/// Whether the event keeps the specification's rules.
///
/// # Errors
/// What it breaks, in words that name the attribute.
pub fn check(event: &CloudEvent) -> Result<(), String> {
    let CloudEvent { id, source, kind, subject, time: _, content_type, schema, extensions, data: _ } = event;
    for (name, value) in [("id", id), ("source", source), ("type", kind)] {
        text(name, value)?;
        if value.is_empty() {
            return Err(format!("`{name}` is empty"));
        }
    }
    for (name, value) in [("subject", subject), ("datacontenttype", content_type), ("dataschema", schema)] {
        if let Some(value) = value {
            text(name, value)?;
            if value.is_empty() {
                return Err(format!("`{name}` is empty: leave it out"));
            }
        }
    }
    if !is_uri_reference(source) {
        return Err(format!("`source` {source:?} is no URI reference"));
    }
    if schema.as_ref().is_some_and(|schema| !is_uri_reference(schema) || !schema.contains(':')) {
        return Err("`dataschema` is no absolute URI".into());
    }
    if content_type.as_ref().is_some_and(|value| !value.is_ascii() || !value.contains('/')) {
        return Err("`datacontenttype` is no media type".into());
    }
    check_extensions(extensions)
}

fn check_extensions(extensions: &[(String, String)]) -> Result<(), String> {
    if extensions.len() > EXTENSIONS_MAX {
        return Err(format!("{} further attributes, allowed {EXTENSIONS_MAX}", extensions.len()));
    }
    for (index, (name, value)) in extensions.iter().enumerate() {
        if !is_extension_name(name) {
            return Err(format!("{name:?} is no name of an attribute: use a-z and 0-9"));
        }
        if extensions[..index].iter().any(|(other, _)| other == name) {
            return Err(format!("`{name}` is there twice"));
        }
        text(name, value)?;
    }
    Ok(())
}

/// Whether an attribute beside the specification's may have this name.
pub(crate) fn is_extension_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=EXTENSION_NAME_MAX).contains(&name.len()) && name.bytes().all(fits) && !CORE.contains(&name)
}

/// Whether a text may stand in an attribute: no control characters (spec.md, "Type System", String).
pub(crate) fn is_text(value: &str) -> bool {
    !value.chars().any(char::is_control)
}

fn text(name: &str, value: &str) -> Result<(), String> {
    if is_text(value) { Ok(()) } else { Err(format!("`{name}` has control characters")) }
}

/// Characters that RFC 3986 has in a URI, without looking at its parts.
fn is_uri_reference(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'))
}

/// One event in binary mode: attributes as header fields, the data as the body. `None` if the attributes need more than
/// [`BINARY_HEADERS_MAX`] bytes or the media type is none that a header can hold.
pub(crate) fn to_binary(event: &CloudEvent) -> Option<(HeaderMap, Bytes)> {
    let CloudEvent { id, source, kind, subject, time, content_type, schema, extensions, data } = event;
    let mut headers = HeaderMap::new();
    let mut used = 0;
    let mut put = |name: &str, value: &str| {
        let encoded = percent_encode(value);
        used += name.len() + encoded.len() + 3;
        let name = HeaderName::try_from(format!("ce-{name}")).ok()?;
        headers.insert(name, HeaderValue::try_from(encoded).ok()?);
        (used <= BINARY_HEADERS_MAX).then_some(())
    };
    put("specversion", "1.0")?;
    put("id", id)?;
    put("source", source)?;
    put("type", kind)?;
    let time = time.map(types::Timestamp::to_rfc3339);
    for (name, value) in [("subject", subject), ("time", &time), ("dataschema", schema)] {
        if let Some(value) = value {
            put(name, value)?;
        }
    }
    for (name, value) in extensions {
        put(name, value)?;
    }
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(content_type).ok()?);
    }
    Some((headers, data.clone().unwrap_or_default()))
}

/// What header values can't hold, in percent encoding (http-protocol-binding.md, 3.1.3.2).
fn percent_encode(value: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes all text");
        }
    }
    encoded
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
