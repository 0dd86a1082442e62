//! Events of an app's bus: who waits for which, and what publishing means.
//!
//! An event is delivered as it was published, attribute for attribute. Who waits is found when it is published: a glob over its type and,
//! where there is one, a CEL filter over all of it (`filter`). A message for each function that waits is written in the same
//! transaction as the record in the bus's stream, so neither is ever there without the other.

mod filter;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
};

use arc_swap::ArcSwap;
use globset::GlobMatcher;
use parking_lot::Mutex;
use ports::{
    Bus, Plane, StoreError,
    log::Record,
    queue::{Message, QueueName},
    unit::Effects,
};
use types::{
    Cause, CloudEvent, Snapshot,
    event::{BusName, StoreChange},
    limits,
    trigger::Source,
};

use self::filter::Filter;
use crate::cloudevents;

/// Which events somebody waits for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pattern: Option<GlobMatcher>,
    filter: Option<Filter>,
}

impl Wanted {
    pub(crate) fn new(pattern: &str, filter: Option<&str>) -> Self {
        let compiled = globset::Glob::new(pattern).map(|glob| glob.compile_matcher());
        let compiled =
            compiled.inspect_err(|error| tracing::error!(%error, pattern, "a pattern that the manifest allowed can't be read"));
        Self { pattern: compiled.ok(), filter: filter.map(Filter::new) }
    }

    pub(crate) fn matches(&self, event: &CloudEvent) -> bool {
        let by_type = self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(&event.kind));
        by_type && self.filter.as_ref().is_none_or(|filter| filter.matches(event))
    }
}

/// One who waits: a revision's trigger, and the queue of its function.
#[derive(Debug)]
struct Waiting {
    source: (String, Option<String>),
    wanted: Wanted,
    queue: QueueName,
}

#[derive(Debug, Default)]
struct Table {
    number: u64,
    buses: HashMap<BusName, Vec<Waiting>>,
}

/// Knows who waits for which events, by the newest snapshot.
#[derive(Default)]
pub struct BusTable {
    table: ArcSwap<Table>,
    installing: Mutex<()>,
    /// Events that were published.
    published: AtomicU64,
}

impl BusTable {
    /// A table in which nobody waits yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn judge(event: &CloudEvent) -> Result<(), StoreError> {
        cloudevents::check(event).map_err(|what| StoreError::Denied(format!("the event is no CloudEvent 1.0: {what}")))?;
        let measured = cloudevents::size(event);
        if measured > limits::EVENT.0 {
            return Err(StoreError::TooLarge { what: "event", measured, allowed: limits::EVENT.0 });
        }
        Ok(())
    }
}

impl Plane for BusTable {
    fn install(&self, snapshot: &Arc<Snapshot>) {
        let _one_at_a_time = self.installing.lock();
        if snapshot.number < self.table.load().number {
            return;
        }
        let mut table = Table { number: snapshot.number, ..Table::default() };
        let functions = snapshot.apps.iter().flat_map(|app| &app.shares).flat_map(|(revision, _)| revision.functions.values());
        for function in functions {
            let Some(Source::Event { bus, pattern, filter }) = function.function.on.as_ref().map(|on| &on.source) else {
                continue;
            };
            let waiting = table.buses.entry(BusName { key: function.key.clone(), name: bus.clone() }).or_default();
            let (queue, source) =
                (QueueName::of_trigger(&function.key, &function.function.name), (pattern.clone(), filter.clone()));
            // Revisions that ask for the same are one.
            if !waiting.iter().any(|other| other.queue == queue && other.source == source) {
                waiting.push(Waiting { wanted: Wanted::new(pattern, filter.as_deref()), source, queue });
            }
        }
        self.table.store(Arc::new(table));
    }
}

impl Bus for BusTable {
    fn effects(&self, bus: &BusName, events: &[CloudEvent], cause: Option<Cause>) -> Result<Effects, StoreError> {
        if events.len() > limits::EVENT_BATCH {
            return Err(StoreError::TooMany {
                what: "events",
                measured: events.len() as u64,
                allowed: limits::EVENT_BATCH as u64,
            });
        }
        events.iter().try_for_each(Self::judge)?;
        let table = self.table.load();
        let waiting = table.buses.get(bus).map(Vec::as_slice).unwrap_or_default();
        let (mut effects, stream) = (Effects::default(), bus.stream());
        for event in events {
            let body = encode(event)?;
            effects.appends.push((stream.clone(), Record { key: None, body, dedup: None, cause }));
            let mut queues: Vec<&QueueName> =
                waiting.iter().filter(|one| one.wanted.matches(event)).map(|one| &one.queue).collect();
            // Two revisions of one function share a queue: whichever is drawn gets the one message.
            queues.sort_unstable();
            queues.dedup();
            if queues.is_empty() {
                continue;
            }
            let body = encode(&StoreChange::Published(event.clone()))?;
            for queue in queues {
                let message = Message { body: body.clone(), cause, ..Message::default() };
                effects.enqueues.push((queue.clone(), message));
            }
        }
        self.published.fetch_add(events.len() as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(effects)
    }
}

fn encode(value: &impl serde::Serialize) -> Result<bytes::Bytes, StoreError> {
    let encoded =
        postcard::to_allocvec(value).map_err(|error| StoreError::Failed(format!("an event can't be written: {error}")))?;
    Ok(encoded.into())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
