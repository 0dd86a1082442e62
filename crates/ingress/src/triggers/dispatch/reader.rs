//! What a waiting message says, as a function of one revision is to get it.

use std::sync::Arc;

use ports::Rng;
use types::{
    CloudEvent, LiveFunction,
    event::StoreChange,
    queue::Delivery,
    trigger::{Rules, Source},
};

use super::LANE_RUNS_MAX;
use crate::triggers::{bucket, cron, event::Wanted, globs::Keys, kv, queue, sql, wanted::Candidates};

/// A message, understood.
pub(crate) enum Read {
    /// The event to deliver.
    Event(Box<CloudEvent>),
    /// Nothing that this revision asks for: the rules of the revision that was drawn decide, as they do for routes.
    Unwanted,
    /// No change that can be understood.
    Damaged(String),
}

/// A function with what it asks for, ready to compare.
pub(crate) struct Reader {
    pub(crate) function: Arc<LiveFunction>,
    source: Source,
    rules: Rules,
    keys: Keys,
    events: Option<Wanted>,
}

impl Reader {
    /// `None` for a function that nothing but requests starts.
    pub(crate) fn new(function: &Arc<LiveFunction>) -> Option<Self> {
        let on = function.function.on.clone()?;
        let keys = match &on.source {
            Source::Kv { matching, .. } | Source::Bucket { matching, .. } => Keys::new(matching.as_deref()),
            _ => Keys::new(None),
        };
        let events = match &on.source {
            Source::Event { pattern, filter, .. } => Some(Wanted::new(pattern, filter.as_deref())),
            _ => None,
        };
        Some(Self { function: Arc::clone(function), source: on.source, rules: on.rules, keys, events })
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Runs that a lane of this function may have at once.
    pub(crate) fn runs_max(&self) -> usize {
        (self.function.function.limits.concurrency as usize).clamp(1, LANE_RUNS_MAX)
    }

    /// `queue orders`, for traces and logs.
    pub(crate) fn cause(&self) -> String {
        let kind = self.source.kind();
        match &self.source {
            Source::Queue { queue: name }
            | Source::Stream { stream: name, .. }
            | Source::Bucket { bucket: name, .. }
            | Source::Kv { store: name, .. }
            | Source::Sql { database: name, .. }
            | Source::Event { pattern: name, .. } => format!("{kind} {name}"),
            Source::Cron { .. } => kind.to_owned(),
        }
    }

    pub(crate) fn read(&self, delivery: &Delivery) -> Read {
        let key = &self.function.key;
        if let Source::Queue { queue } = &self.source {
            return Read::Event(Box::new(queue::event(key, queue, delivery)));
        }
        let change = match postcard::from_bytes::<StoreChange>(&delivery.message.body) {
            Ok(change) => change,
            Err(error) => return Read::Damaged(format!("the platform's message can't be read: {error}")),
        };
        self.event(delivery.receipt.id.to_string(), change).map_or(Read::Unwanted, |event| Read::Event(Box::new(event)))
    }

    fn event(&self, id: String, change: StoreChange) -> Option<CloudEvent> {
        let app = &self.function.key;
        match (&self.source, change) {
            (Source::Kv { store, change: wanted, .. }, StoreChange::Kv { key, old, new, rev, at }) => {
                let asked = kv::wants(*wanted, new.is_some()) && self.keys.matches(&key);
                let changed = kv::Changed { key: &key, old: old.as_ref(), new: new.as_ref(), rev, at };
                asked.then(|| kv::event(app, store, id, &changed))
            }
            (
                Source::Bucket { bucket, change: wanted, .. },
                StoreChange::Object { key, written, bytes, etag, content_type, version, at },
            ) => {
                let (content_type, version) = (content_type.as_deref(), version.as_deref());
                let asked = kv::wants(*wanted, written) && self.keys.matches(key.as_bytes());
                let changed = bucket::Changed { key: &key, written, bytes, etag: &etag, content_type, version, at };
                asked.then(|| bucket::event(app, bucket, id, &changed))
            }
            (Source::Sql { database, tables, change: wanted }, StoreChange::Row(row)) => {
                sql::wants(tables, *wanted, &row).then(|| sql::event(app, database, id, &row))
            }
            (Source::Cron { schedule, zone, .. }, StoreChange::Tick { scheduled, missed }) => {
                Some(cron::event(app, &self.function.function.name, (schedule, zone), scheduled, missed))
            }
            (Source::Event { .. }, StoreChange::Published(event)) => {
                self.events.as_ref().is_some_and(|wanted| wanted.matches(&event)).then_some(event)
            }
            _ => None,
        }
    }
}

/// The revisions of a function that share a lane's batches.
pub(crate) struct Readers {
    readers: Vec<Arc<Reader>>,
    candidates: Candidates,
}

impl Readers {
    pub(crate) fn of(candidates: &Candidates) -> Self {
        let readers = candidates.0.iter().filter_map(|(function, _)| Reader::new(function)).map(Arc::new).collect();
        Self { readers, candidates: candidates.clone() }
    }

    fn find(&self, function: &Arc<LiveFunction>) -> Option<&Arc<Reader>> {
        self.readers.iter().find(|reader| Arc::ptr_eq(&reader.function, function))
    }

    /// The reader whose rules size the next claim; none once nothing is to be worked off any more.
    pub(crate) fn heaviest(&self) -> Option<&Arc<Reader>> {
        self.candidates.heaviest().and_then(|function| self.find(function))
    }

    /// The reader for the next batch.
    ///
    /// # Panics
    /// If there is none: callers have asked for the heaviest before.
    pub(crate) fn draw(&self, rng: &dyn Rng) -> Arc<Reader> {
        let drawn = self.candidates.draw(rng);
        Arc::clone(self.find(drawn).expect("each candidate has a reader"))
    }
}
