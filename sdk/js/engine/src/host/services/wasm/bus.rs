//! `dayfly:events`.

use crate::host::{
    services::{Answer, Event},
    wasm::bindings::dayfly::events::bus,
};

super::told!(bus::Error {
    AccessDenied => "access-denied",
    TooLarge => "too-large",
    Invalid => "invalid",
    UnknownOutcome => "unknown-outcome",
    Unavailable => "unavailable",
    Other => "other",
});

/// Publishes all of the events or none, and gives their ids.
pub(crate) fn publish(name: &str, events: Vec<Event>) -> Answer<Vec<String>> {
    let event = |event: Event| {
        let Event { id, source, kind, subject, time_ms, content_type, schema, extensions, data } = event;
        bus::Event { id, source, kind, subject, time_ms, content_type, schema, extensions, data }
    };
    let events: Vec<bus::Event> = events.into_iter().map(event).collect();
    match events.as_slice() {
        [event] => bus::publish(Some(name), event).map(|id| vec![id]),
        events => bus::publish_batch(Some(name), events),
    }
    .map_err(told)
}
