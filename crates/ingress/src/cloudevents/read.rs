//! Reading CloudEvents from HTTP requests in all three modes. Whatever breaks a rule is refused whole, with the rule.

use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderMap, header};
use serde_json::{Map, Value};
use types::{CloudEvent, Code, Problem, Timestamp, limits};

use super::{BATCH, STRUCTURED, check, is_json, size};

fn refused(what: impl Into<String>) -> Problem {
    Problem::new(Code::E0411, what)
        .help("send a CloudEvent 1.0: attributes as ce-… header fields, or application/cloudevents+json")
}

/// The events of a request, by its media type: structured, batch, or else binary.
///
/// # Errors
/// `E0411` for what is no CloudEvent 1.0, `E0614` for an event above `limits::EVENT`.
pub fn from_request(headers: &HeaderMap, body: Bytes) -> Result<Vec<CloudEvent>, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let events = match essence.as_str() {
        STRUCTURED => vec![from_json(parse(&body)?)?],
        BATCH => match parse(&body)? {
            Value::Array(values) if values.len() > limits::EVENT_BATCH => {
                return Err(Problem::limit(Code::E0411, "events", values.len(), limits::EVENT_BATCH));
            }
            Value::Array(values) => values.into_iter().map(from_json).collect::<Result<_, _>>()?,
            _ => return Err(refused("a batch of CloudEvents is a JSON array")),
        },
        other if other.starts_with("application/cloudevents") => {
            return Err(refused(format!("{other} is no format of CloudEvents that is known here")));
        }
        _ => vec![read_binary(headers, body).map_err(refused)?],
    };
    for event in &events {
        check(event).map_err(refused)?;
        let measured = types::ByteCount(size(event));
        if measured > limits::EVENT {
            return Err(Problem::limit(Code::E0614, "event", measured, limits::EVENT));
        }
    }
    Ok(events)
}

fn parse(body: &Bytes) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| refused(format!("the body is no JSON: {error}")))
}

/// One event in binary mode, its rules not checked yet.
///
/// # Errors
/// What is missing or can't be read.
pub fn read_binary(headers: &HeaderMap, body: Bytes) -> Result<CloudEvent, String> {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
        let value = value.to_str().map_err(|_| format!("ce-{name} is no ASCII"))?;
        let value = percent_decode(value).ok_or_else(|| format!("ce-{name} is no UTF-8"))?;
        if attributes.insert(name.to_owned(), Value::String(value)).is_some() {
            return Err(format!("ce-{name} is there twice"));
        }
    }
    let mut event = attributes_of(attributes)?;
    let content_type = headers.get(header::CONTENT_TYPE);
    event.content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    event.data = (!body.is_empty()).then_some(body);
    Ok(event)
}

fn from_json(value: Value) -> Result<CloudEvent, Problem> {
    let Value::Object(mut object) = value else { return Err(refused("a CloudEvent is a JSON object")) };
    let (data, base64) = (object.remove("data"), object.remove("data_base64"));
    let mut event = attributes_of(object).map_err(refused)?;
    let base64 = base64.filter(|value| !value.is_null());
    event.data = match (data, base64) {
        (None | Some(Value::Null), None) => None,
        (None, Some(Value::String(text))) => {
            Some(BASE64.decode(text.as_bytes()).map_err(|_| refused("`data_base64` is no base 64"))?.into())
        }
        (None, Some(_)) => return Err(refused("`data_base64` is no text")),
        (Some(_), Some(_)) => return Err(refused("`data` and `data_base64` are both there")),
        (Some(Value::String(text)), None) if !is_json(event.content_type.as_deref()) => Some(text.into()),
        (Some(value), None) => {
            event.content_type.get_or_insert_with(|| "application/json".into());
            Some(serde_json::to_vec(&value).map_err(|error| refused(error.to_string()))?.into())
        }
    };
    Ok(event)
}

/// The event of these attributes, which are taken out one by one: what is left are extensions.
fn attributes_of(mut object: Map<String, Value>) -> Result<CloudEvent, String> {
    let mut take = |name: &str| match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is no text")),
    };
    let version = take("specversion")?.ok_or("`specversion` is missing")?;
    if version != "1.0" {
        return Err(format!("`specversion` is {version:?}, understood is \"1.0\""));
    }
    let (id, source, kind) = (take("id")?, take("source")?, take("type")?);
    let (subject, time, content_type, schema) = (take("subject")?, take("time")?, take("datacontenttype")?, take("dataschema")?);
    let time = time.map(|text| read_time(&text)).transpose()?;
    let missing = |name: &str| format!("`{name}` is missing");
    let extensions = object.into_iter().filter_map(|(name, value)| match value {
        Value::Null => None,
        Value::String(text) => Some(Ok((name, text))),
        Value::Bool(_) | Value::Number(_) => Some(Ok((name, value.to_string()))),
        _ => Some(Err(format!("`{name}` is no text, number or boolean"))),
    });
    Ok(CloudEvent {
        id: id.ok_or_else(|| missing("id"))?,
        source: source.ok_or_else(|| missing("source"))?,
        kind: kind.ok_or_else(|| missing("type"))?,
        subject,
        time,
        content_type,
        schema,
        extensions: extensions.collect::<Result<_, _>>()?,
        data: None,
    })
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    let bad = || format!("`time` {text:?} is no time of RFC 3339 since 1970");
    let time: jiff::Timestamp = text.parse().map_err(|_| bad())?;
    u64::try_from(time.as_nanosecond()).map(Timestamp::from_unix_ns).map_err(|_| bad())
}

/// A header value as the specification reads it: quotes around it are taken off, then percent encoding (3.1.3.2 of the binding).
fn percent_decode(value: &str) -> Option<String> {
    let unquoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let value = unquoted.map_or_else(|| value.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
    let bytes = value.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (*byte == b'%').then(|| Some((hex(at + 1)?, hex(at + 2)?))).flatten() {
            Some((high, low)) => {
                out.push(u8::try_from(high * 16 + low).ok()?);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}
