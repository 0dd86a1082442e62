//! Publishing on the app's buses.
//!
//! ```no_run
//! use dayfly::events::{self, Publish};
//!
//! # fn main() -> Result<(), dayfly::Error> {
//! events::publish(Publish::new("order.created").subject("order-7").json("{\"id\": 7}"))?;
//! events::publish_on("audit", Publish::new("login"))?;
//! # Ok(())
//! # }
//! ```

use crate::{
    Error,
    bindings::events::bus::{self, Event as Wire},
};

/// An event to publish. What is left out is made up: its id, its source (the function), its time (now).
#[derive(Debug, Clone)]
pub struct Publish(Wire);

impl Publish {
    /// An event of this type.
    pub fn new(kind: impl Into<String>) -> Self {
        let (kind, extensions) = (kind.into(), Vec::new());
        Self(Wire {
            id: None,
            source: None,
            kind,
            subject: None,
            time_ms: None,
            content_type: None,
            schema: None,
            extensions,
            data: None,
        })
    }
    /// Its id, unique for its source.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.0.id = Some(id.into());
        self
    }
    /// Where it happened: a URI reference.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.0.source = Some(source.into());
        self
    }
    /// What it is about.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.0.subject = Some(subject.into());
        self
    }
    /// When it happened, in milliseconds since 1970.
    pub fn time_ms(mut self, time_ms: u64) -> Self {
        self.0.time_ms = Some(time_ms);
        self
    }
    /// A further attribute: a name of small letters and digits.
    pub fn extension(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.extensions.push((name.into(), value.into()));
        self
    }
    /// What it says, in JSON.
    pub fn json(self, json: impl Into<Vec<u8>>) -> Self {
        self.data("application/json", json)
    }
    /// What it says, and in which media type.
    pub fn data(mut self, content_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        self.0.content_type = Some(content_type.into());
        self.0.data = Some(data.into());
        self
    }
}

/// Publishes on the bus `default`; gives the event's id.
pub fn publish(event: Publish) -> Result<String, Error> {
    Ok(bus::publish(None, &event.0)?)
}

/// Publishes on a bus by its name in the manifest; gives the event's id.
pub fn publish_on(bus: &str, event: Publish) -> Result<String, Error> {
    Ok(bus::publish(Some(bus), &event.0)?)
}

/// Publishes all of the events or none, at most 1,000; gives their ids.
pub fn publish_all(bus: Option<&str>, events: impl IntoIterator<Item = Publish>) -> Result<Vec<String>, Error> {
    let events: Vec<Wire> = events.into_iter().map(|event| event.0).collect();
    Ok(bus::publish_batch(bus, &events)?)
}
