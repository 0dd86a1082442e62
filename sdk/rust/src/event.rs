//! The events that a function is called for: CloudEvents 1.0.2 over HTTP, one in the header and body of the request or several as JSON
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>).

use serde_json::Value;

use crate::{Error, Request, http::decode};

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// The events of one call.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// Whether they came as a batch: only then may [`Response::failed`](crate::Response::failed) name some of them.
    pub is_batch: bool,
}

/// An event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// Unique for its source.
    pub id: String,
    /// Where it happened.
    pub source: String,
    /// What happened: the attribute `type`.
    pub kind: String,
    /// What it is about.
    pub subject: Option<String>,
    /// When it happened, as RFC 3339 has it.
    pub time: Option<String>,
    /// The media type of the data.
    pub content_type: Option<String>,
    /// The schema of the data.
    pub schema: Option<String>,
    /// Further attributes.
    pub extensions: Vec<(String, String)>,
    /// What it says.
    pub data: Vec<u8>,
}

impl Event {
    /// What it says, as text; what is not UTF-8 in it is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }
    /// What it says, as JSON.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.data).map_err(|error| Error::other(format!("the data of {} is no JSON: {error}", self.id)))
    }
    /// A further attribute.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &str, value: String) {
        match name {
            "id" => self.id = value,
            "source" => self.source = value,
            "type" => self.kind = value,
            "subject" => self.subject = Some(value),
            "time" => self.time = Some(value),
            "datacontenttype" => self.content_type = Some(value),
            "dataschema" => self.schema = Some(value),
            "specversion" => {}
            other => self.extensions.push((other.to_owned(), value)),
        }
    }

    fn from_json(value: Value) -> Result<Self, Error> {
        let Value::Object(members) = value else { return Err(Error::other("an event is no JSON object")) };
        let (mut event, mut data) = (Self::default(), None);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("data", value) => data = Some(value),
                ("data_base64", Value::String(text)) => {
                    let bytes = data_encoding::BASE64.decode(text.as_bytes());
                    event.data = bytes.map_err(|error| Error::other(format!("data_base64: {error}")))?;
                }
                (_, Value::Null) => {}
                (_, Value::String(text)) => event.set(&name, text),
                (_, other) => event.set(&name, other.to_string()),
            }
        }
        if let Some(data) = data {
            event.data = event.bytes_of(data);
        }
        Ok(event)
    }

    /// Data that is a JSON string is the string itself, unless the data is said to be JSON.
    fn bytes_of(&self, data: Value) -> Vec<u8> {
        let is_json = self.content_type.as_deref().is_none_or(|media| media.contains("json"));
        match data {
            Value::String(text) if !is_json => text.into_bytes(),
            data => data.to_string().into_bytes(),
        }
    }
}

/// What the request delivers, if it delivers events.
pub(crate) fn delivered(request: &Request) -> Result<Option<Delivery>, Error> {
    let content_type = request.header("content-type").unwrap_or_default();
    let is = |media: &str| content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media);
    if is(BATCH) || is(ONE) {
        let json = serde_json::from_slice(&request.bytes()?);
        let json: Value = json.map_err(|error| Error::other(format!("the events are no JSON: {error}")))?;
        let (is_batch, events) = match json {
            Value::Array(events) => (true, events),
            event => (false, vec![event]),
        };
        let events = events.into_iter().map(Event::from_json).collect::<Result<_, _>>()?;
        return Ok(Some(Delivery { events, is_batch }));
    }
    if request.header("ce-id").is_none() || request.header("ce-type").is_none() {
        return Ok(None);
    }
    let mut event = Event { data: request.bytes()?, ..Event::default() };
    for (name, value) in &request.headers {
        match name.strip_prefix("ce-") {
            Some(attribute) => event.set(attribute, decode(value)),
            None if name == "content-type" => event.content_type = Some(value.clone()),
            None => {}
        }
    }
    Ok(Some(Delivery { events: vec![event], is_batch: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Event {
        Event::from_json(serde_json::from_str(json).expect("JSON")).expect("an event")
    }

    #[test]
    fn attributes_and_data_are_read_as_the_specification_says() {
        let event = read(r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","priority":3,"data":{"a":1}}"#);
        assert_eq!((event.id.as_str(), event.text().as_str(), event.extension("priority")), ("1", r#"{"a":1}"#, Some("3")));
        let text = r#"{"id":"1","source":"/s","type":"t","datacontenttype":"text/plain","data":"x"}"#;
        assert_eq!(read(text).text(), "x");
        assert_eq!(read(r#"{"id":"1","source":"/s","type":"t","data":"x"}"#).text(), r#""x""#);
        assert_eq!(read(r#"{"id":"1","source":"/s","type":"t","data_base64":"AAE="}"#).data, [0, 1]);
        assert_eq!(read(r#"{"data":"x","datacontenttype":"text/plain"}"#).text(), "x");
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        assert!(Event::from_json(Value::Bool(true)).is_err());
        assert!(Event::from_json(serde_json::json!({ "data_base64": "?" })).is_err());
    }
}
