//! What a snapshot asks of the triggers: which workers there are to be, and which revisions share each one's batches.

use std::{collections::BTreeMap, sync::Arc};

use ports::Rng;
use types::{
    AppKey, FunctionName, LiveFunction, Snapshot, queue::QueueName, sql::DatabaseName, stream::StreamName, trigger::Source,
};

/// One worker's identity. It outlives revisions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Delivers what waits in a queue to a function.
    Queue(AppKey, FunctionName, QueueName),
    /// Delivers a stream's records to a function.
    Stream(AppKey, FunctionName, StreamName),
    /// Moves changed rows of a database into the queues of those who wait for them.
    Rows(DatabaseName),
    /// Moves times of schedules into queues: one worker for all of them.
    Times,
}

/// The functions that a worker works for: for the first two kinds the revisions of one function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidates(pub(crate) Vec<(Arc<LiveFunction>, u32)>);

impl Candidates {
    /// The function of the revision that gets the next batch, each by its weight.
    ///
    /// # Panics
    /// If there is none, which `wanted` never builds.
    pub(crate) fn draw(&self, rng: &dyn Rng) -> &Arc<LiveFunction> {
        if let [(only, _)] = &self.0[..] {
            return only;
        }
        let total: u64 = self.0.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut ticket = [0; 4];
        rng.fill(&mut ticket);
        let mut left = (u64::from(u32::from_ne_bytes(ticket)) * total) >> 32;
        let drawn = self.0.iter().find(|(_, weight)| match left.checked_sub(u64::from(*weight)) {
            None => true,
            Some(rest) => {
                left = rest;
                false
            }
        });
        &drawn.or(self.0.last()).expect("a worker has a function to run").0
    }

    /// The function of the revision with most of the traffic; of equal ones the newest.
    pub(crate) fn heaviest(&self) -> Option<&Arc<LiveFunction>> {
        self.0.iter().max_by_key(|(function, weight)| (*weight, function.revision)).map(|(function, _)| function)
    }
}

/// The place from which a function's events are taken.
fn place(function: &LiveFunction, source: &Source) -> Work {
    let (key, name) = (function.key.clone(), function.function.name.clone());
    match source {
        Source::Queue { queue } => {
            let queue = QueueName::of(&key.app, &key.env, queue);
            Work::Queue(key, name, queue)
        }
        Source::Stream { stream, .. } => {
            let stream = StreamName::of(&key.app, &key.env, stream);
            Work::Stream(key, name, stream)
        }
        _ => {
            let queue = QueueName::of_trigger(&key, &name);
            Work::Queue(key, name, queue)
        }
    }
}

/// All workers that the snapshot asks for.
pub(crate) fn wanted(snapshot: &Snapshot) -> BTreeMap<Work, Candidates> {
    let mut wanted: BTreeMap<Work, Candidates> = BTreeMap::new();
    for app in &snapshot.apps {
        for (revision, weight) in &app.shares {
            for function in revision.functions.values() {
                let Some(on) = &function.function.on else { continue };
                let mut add = |work| wanted.entry(work).or_default().0.push((Arc::clone(function), *weight));
                add(place(function, &on.source));
                match &on.source {
                    Source::Sql { database, .. } => {
                        add(Work::Rows(DatabaseName::of(&function.key.app, &function.key.env, database)));
                    }
                    Source::Cron { .. } => add(Work::Times),
                    _ => {}
                }
            }
        }
    }
    wanted
}
