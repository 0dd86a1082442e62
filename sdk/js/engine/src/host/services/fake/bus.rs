//! Buses in memory: what was published can be looked at.

use std::{cell::RefCell, collections::BTreeMap};

use super::granted;
use crate::host::services::{Answer, Event, Failed};

thread_local! {
    static BUSES: RefCell<BTreeMap<String, Vec<Event>>> = RefCell::default();
}

/// What was published on a bus.
pub fn published(name: &str) -> Vec<Event> {
    BUSES.with_borrow(|buses| buses.get(name).cloned().unwrap_or_default())
}

/// Publishes all of the events or none, and gives their ids.
pub fn publish(name: &str, events: Vec<Event>) -> Answer<Vec<String>> {
    granted("event", name)?;
    if events.iter().any(|event| event.kind.is_empty()) {
        return Err(Failed::new("invalid", "`type` is empty"));
    }
    BUSES.with_borrow_mut(|buses| {
        let bus = buses.entry(name.to_owned()).or_default();
        let publish = |event: Event| {
            let id = event.id.clone().unwrap_or_else(|| format!("evt-{}", bus.len() + 1));
            bus.push(event);
            id
        };
        Ok(events.into_iter().map(publish).collect())
    })
}
