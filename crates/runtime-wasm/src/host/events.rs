//! `dayfly:events`: publishing on the app's buses. What the guest leaves out of an event is filled in here.

use types::{CloudEvent, Timestamp, event::BusName, limits};

use super::{
    Host,
    bindings::dayfly::events::bus::{self, Error, Event},
    store::{Answered, Kind, Told, too_many},
};

/// The attributes that the specification itself names, which an extension can't.
const NAMED: [&str; 9] = ["id", "source", "specversion", "type", "subject", "time", "datacontenttype", "dataschema", "data"];
/// The most milliseconds since 1970 that a time can say.
const TIME_MS_MAX: u64 = u64::MAX / 1_000_000;

impl From<Told> for Error {
    fn from(Told { kind, text }: Told) -> Self {
        match kind {
            Kind::AccessDenied => Self::AccessDenied(text),
            Kind::TooLarge => Self::TooLarge(text),
            Kind::UnknownOutcome => Self::UnknownOutcome(text),
            Kind::Unavailable => Self::Unavailable(text),
            Kind::Conflict | Kind::Rejected | Kind::Busy | Kind::Other => Self::Other(text),
        }
    }
}

/// Why the event breaks the specification (sections 3.1 and 3.1.1), if it does.
fn broken(event: &Event) -> Option<String> {
    let empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
    if event.kind.is_empty() {
        return Some("an event has a type".into());
    }
    let given =
        [("id", &event.id), ("source", &event.source), ("subject", &event.subject), ("datacontenttype", &event.content_type)];
    if let Some((name, _)) = given.into_iter().find(|(_, text)| empty(text)) {
        return Some(format!("the attribute {name} is empty: leave it out"));
    }
    if event.time_ms.is_some_and(|time| time > TIME_MS_MAX) {
        return Some("the time is beyond the year 2554".into());
    }
    let fits = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let refused = event.extensions.iter().find(|(name, _)| !fits(name) || NAMED.contains(&name.as_str()));
    refused.map(|(name, _)| format!("{name:?} is no name of an extension: small letters and digits, and none that is taken"))
}

impl Host {
    /// The event with everything that it must have.
    fn complete(&mut self, event: Event) -> CloudEvent {
        let Event { id, source, kind, subject, time_ms, content_type, schema, extensions, data } = event;
        let id = id.unwrap_or_else(|| {
            let mut bytes = [0; 16];
            self.scope.random(&mut bytes);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        CloudEvent {
            id,
            source: source.unwrap_or_else(|| self.scope.source()),
            kind,
            subject,
            time: Some(time_ms.map_or_else(|| self.scope.wall_now(), Timestamp::from_unix_ms)),
            content_type,
            schema,
            extensions,
            data: data.map(Into::into),
        }
    }

    async fn publish_all(&mut self, bus: Option<String>, events: Vec<Event>) -> Answered<Vec<String>, Error> {
        if events.len() > limits::EVENT_BATCH {
            return Ok(Err(too_many("events", events.len(), limits::EVENT_BATCH).into()));
        }
        let bus = match self.scope.bus(bus.as_deref().unwrap_or(BusName::DEFAULT)) {
            Ok(bus) => bus,
            Err(failure) => return Ok(Err(Told::from(failure).into())),
        };
        if let Some(why) = events.iter().find_map(broken) {
            return Ok(Err(Error::Invalid(why)));
        }
        if events.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let events: Vec<CloudEvent> = events.into_iter().map(|event| self.complete(event)).collect();
        let ids = events.iter().map(|event| event.id.clone()).collect();
        let published = self.asked(bus.publish(events)).await?;
        Ok(published.map(|()| ids).map_err(|error| Told::from(error).into()))
    }
}

impl bus::Host for Host {
    async fn publish(&mut self, bus: Option<String>, event: Event) -> Answered<String, Error> {
        let published = self.publish_all(bus, vec![event]).await?;
        let one = |mut ids: Vec<String>| ids.pop().ok_or_else(|| Error::Other("the bus did not answer".into()));
        Ok(published.and_then(one))
    }
    async fn publish_batch(&mut self, bus: Option<String>, events: Vec<Event>) -> Answered<Vec<String>, Error> {
        self.publish_all(bus, events).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(change: impl FnOnce(&mut Event)) -> Event {
        let mut event = Event {
            id: None,
            source: None,
            kind: "order.created".into(),
            subject: None,
            time_ms: None,
            content_type: None,
            schema: None,
            extensions: Vec::new(),
            data: None,
        };
        change(&mut event);
        event
    }

    #[test]
    fn the_rules_of_the_specification_are_kept() {
        assert_eq!(broken(&event(|_| ())), None);
        assert_eq!(broken(&event(|event| event.extensions = vec![("priority2".into(), "1".into())])), None);
        let bad: [fn(&mut Event); 6] = [
            |event| event.kind.clear(),
            |event| event.id = Some(String::new()),
            |event| event.source = Some(String::new()),
            |event| event.time_ms = Some(u64::MAX),
            |event| event.extensions = vec![("Priority".into(), "1".into())],
            |event| event.extensions = vec![("type".into(), "1".into())],
        ];
        for change in bad {
            assert!(broken(&event(change)).is_some());
        }
    }
}
