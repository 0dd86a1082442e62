//! The telemetry port in memory: a list, searched from end to end. What it answers is what every store must answer.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use parking_lot::Mutex;
use ports::{
    BoxStream, StoreError, Telemetry,
    telemetry::{Filter, Health, LogRecord, SealedJournal, UsageRow},
};
use tokio::sync::broadcast;
use types::{Elapsed, InvocationId, Outcome, Timestamp, Usage, record::InvocationRecord};

const HOUR_NS: u64 = 3_600_000_000_000;

/// Telemetry that keeps everything in memory, and at once.
pub struct ModelTelemetry {
    keep: Elapsed,
    held: Mutex<Held>,
    followers: broadcast::Sender<Arc<InvocationRecord>>,
}

#[derive(Default)]
struct Held {
    records: Vec<Arc<InvocationRecord>>,
    journals: BTreeMap<InvocationId, Bytes>,
    written: u64,
}

impl ModelTelemetry {
    /// An empty one that keeps records for so many days.
    #[must_use]
    pub fn new(days: u32) -> Arc<Self> {
        let keep = Elapsed::from_ns(u64::from(days) * 24 * HOUR_NS);
        Arc::new(Self { keep, held: Mutex::default(), followers: broadcast::Sender::new(4_096) })
    }

    fn of(&self, filter: &Filter) -> Vec<Arc<InvocationRecord>> {
        let held = self.held.lock();
        let mut records: Vec<_> = held.records.iter().filter(|record| is_of(filter, record)).cloned().collect();
        records.sort_by_key(|record| (record.at, record.id));
        records
    }
}

fn is<T: PartialEq>(wanted: Option<&T>, actual: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == actual)
}

fn is_named(filter: &Filter, record: &InvocationRecord) -> bool {
    is(filter.app.as_ref(), &record.app) && is(filter.env.as_ref(), &record.env) && is(filter.function.as_ref(), &record.function)
}

fn is_of(filter: &Filter, record: &InvocationRecord) -> bool {
    is_named(filter, record)
        && is(filter.revision.as_ref(), &record.revision)
        && is(filter.trace.as_ref(), &record.trace)
        && is(filter.error.as_ref(), &record.outcome.is_error())
        && is(filter.status.as_ref(), &record.outcome.status())
        && filter.slower_than.is_none_or(|bound| record.duration >= bound)
}

fn within(filter: &Filter, at: Timestamp) -> bool {
    at >= filter.from && at < filter.until
}

fn tells(record: &InvocationRecord, text: &str) -> bool {
    let failure = match &record.outcome {
        Outcome::Answered { .. } => false,
        Outcome::Failed { code, message, .. } => message.contains(text) || code.to_string().contains(text),
    };
    failure || record.cause.contains(text)
}

fn lines(filter: &Filter, record: &InvocationRecord) -> Vec<LogRecord> {
    let wanted = record.logs.iter().filter(|line| {
        within(filter, record.at.plus(line.at))
            && filter.level.is_none_or(|level| line.level >= level)
            && filter.text.as_ref().is_none_or(|text| line.text.contains(text.as_str()))
    });
    let log = |line: &types::journal::LogLine| LogRecord {
        invocation: record.id,
        trace: record.trace,
        app: record.app.clone(),
        env: record.env.clone(),
        function: record.function.clone(),
        at: record.at.plus(line.at),
        line: line.clone(),
    };
    wanted.map(log).collect()
}

#[async_trait]
impl Telemetry for ModelTelemetry {
    fn record(&self, record: Arc<InvocationRecord>, journal: Option<SealedJournal>) {
        let mut held = self.held.lock();
        held.written += 1;
        held.journals.extend(journal.map(|journal| (journal.id, journal.sealed)));
        held.records.push(Arc::clone(&record));
        // Nobody following is no fault.
        let _ = self.followers.send(record);
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn follow(&self) -> BoxStream<Arc<InvocationRecord>> {
        Box::pin(stream::unfold(self.followers.subscribe(), |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(record) => return Some((record, receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }

    async fn invocations(&self, filter: Filter) -> Result<Vec<InvocationRecord>, StoreError> {
        let mut records = self.of(&filter);
        records.retain(|record| within(&filter, record.at) && filter.text.as_ref().is_none_or(|text| tells(record, text)));
        Ok(records.iter().rev().take(filter.limit).map(|record| (**record).clone()).collect())
    }

    async fn invocation(&self, id: InvocationId) -> Result<Option<InvocationRecord>, StoreError> {
        Ok(self.held.lock().records.iter().find(|record| record.id == id).map(|record| (**record).clone()))
    }

    async fn logs(&self, filter: Filter) -> Result<Vec<LogRecord>, StoreError> {
        let records = self.of(&filter);
        let mut found: Vec<_> = records.iter().flat_map(|record| lines(&filter, record)).collect();
        // The sort is stable: lines of one invocation at one time stay in their order.
        found.sort_by_key(|log| (log.at, log.invocation));
        Ok(found.split_off(found.len().saturating_sub(filter.limit)))
    }

    async fn usage(&self, filter: Filter) -> Result<Vec<UsageRow>, StoreError> {
        let from = filter.from.unix_ns() / HOUR_NS * HOUR_NS;
        let mut sums = BTreeMap::new();
        for record in &self.held.lock().records {
            let hour = Timestamp::from_unix_ns(record.at.unix_ns() / HOUR_NS * HOUR_NS);
            if is_named(&filter, record) && hour.unix_ns() >= from && hour < filter.until {
                let key = (record.app.clone(), record.env.clone(), record.function.clone(), hour);
                let (usage, errors): &mut (Usage, u64) = sums.entry(key).or_default();
                *usage += record.usage;
                *errors += u64::from(record.outcome.is_error());
            }
        }
        let row = |((app, env, function, hour), (usage, errors))| UsageRow { app, env, function, hour, usage, errors };
        Ok(sums.into_iter().map(row).collect())
    }

    async fn journal(&self, id: InvocationId) -> Result<Option<SealedJournal>, StoreError> {
        let sealed = self.held.lock().journals.get(&id).cloned();
        Ok(sealed.map(|sealed| SealedJournal { id, sealed }))
    }

    fn health(&self) -> Health {
        Health { written: self.held.lock().written, ..Health::default() }
    }

    async fn retain(&self, now: Timestamp) -> Result<(), StoreError> {
        let day = |at: Timestamp| at.unix_ns() / (24 * HOUR_NS);
        let oldest = day(now).saturating_sub(self.keep.ns() / (24 * HOUR_NS));
        let mut held = self.held.lock();
        let gone: Vec<_> = held.records.extract_if(.., |record| day(record.at) < oldest).collect();
        gone.iter().for_each(|record| drop(held.journals.remove(&record.id)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::telemetry::{self as suite, RETENTION_DAYS, Subject};

    struct InMemory(Arc<dyn Telemetry>);

    #[async_trait]
    impl Subject for InMemory {
        fn store(&self) -> Arc<dyn Telemetry> {
            Arc::clone(&self.0)
        }
        async fn reopen(&mut self) {}
    }

    #[tokio::test]
    async fn the_model_passes_its_own_suite() {
        suite::check_all(1, async || InMemory(ModelTelemetry::new(RETENTION_DAYS))).await;
    }

    /// Loses one record of a thousand.
    struct Forgetful(Arc<ModelTelemetry>);

    #[async_trait]
    impl Telemetry for Forgetful {
        fn record(&self, record: Arc<InvocationRecord>, journal: Option<SealedJournal>) {
            if record.id.as_bytes()[15] != 0 || record.id.as_bytes()[14] > 64 {
                self.0.record(record, journal);
            }
        }
        async fn flush(&self) -> Result<(), StoreError> {
            self.0.flush().await
        }
        fn follow(&self) -> BoxStream<Arc<InvocationRecord>> {
            self.0.follow()
        }
        async fn invocations(&self, filter: Filter) -> Result<Vec<InvocationRecord>, StoreError> {
            self.0.invocations(filter).await
        }
        async fn invocation(&self, id: InvocationId) -> Result<Option<InvocationRecord>, StoreError> {
            self.0.invocation(id).await
        }
        async fn logs(&self, filter: Filter) -> Result<Vec<LogRecord>, StoreError> {
            self.0.logs(filter).await
        }
        async fn usage(&self, filter: Filter) -> Result<Vec<UsageRow>, StoreError> {
            self.0.usage(filter).await
        }
        async fn journal(&self, id: InvocationId) -> Result<Option<SealedJournal>, StoreError> {
            self.0.journal(id).await
        }
        fn health(&self) -> Health {
            self.0.health()
        }
        async fn retain(&self, now: Timestamp) -> Result<(), StoreError> {
            self.0.retain(now).await
        }
    }

    #[tokio::test]
    #[should_panic(expected = "seed 3")]
    async fn the_suite_finds_one_lost_record_of_a_thousand() {
        let subject = InMemory(Arc::new(Forgetful(ModelTelemetry::new(RETENTION_DAYS))));
        suite::answers_as_the_model_does(3, subject).await;
    }
}
