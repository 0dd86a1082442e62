//! What every telemetry store must do, found by comparing it with the model on records and searches made by chance.
//!
//! A caller gives a [`Subject`]: the store, and a way to close it and open it again where it keeps things. Each check panics with what
//! differs; the seed is printed first, and alone repeats the run.

pub mod records;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::{
    Telemetry,
    telemetry::{Filter, LogRecord, SealedJournal},
};
use types::{AppName, Elapsed, EnvName, FunctionName, RevisionNumber, Timestamp, journal::Level, record::InvocationRecord};

use self::records::{APPS, Chance, FUNCTIONS, WORDS};
use crate::model::ModelTelemetry;

const HOUR_NS: u64 = 3_600_000_000_000;
const DAY_NS: u64 = 24 * HOUR_NS;
/// 2026-11-20T22:30:00Z: records of the next hours lie in two days.
pub const BEGINNING: Timestamp = Timestamp::from_unix_ms(1_795_213_800_000);

/// A store that is examined. It must begin empty and keep records for at least [`RETENTION_DAYS`].
#[async_trait]
pub trait Subject: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn Telemetry>;
    /// Closes the store and opens it again. A store that keeps nothing beyond its process does nothing.
    async fn reopen(&mut self);
}

/// For how many days a subject keeps records.
pub const RETENTION_DAYS: u32 = 3;

/// All checks, each with a new subject.
pub async fn check_all<S: Subject>(seed: u64, new: impl AsyncFn() -> S) {
    println!("telemetry suite, seed {seed}");
    answers_as_the_model_does(seed, new().await).await;
    followers_see_what_is_recorded_after_they_began(new().await).await;
    what_is_too_old_goes_and_the_rest_stays(seed, new().await).await;
    an_empty_store_answers_nothing(new().await).await;
}

/// A filter that finds everything.
#[must_use]
pub fn everything() -> Filter {
    Filter {
        app: None,
        env: None,
        function: None,
        revision: None,
        trace: None,
        error: None,
        status: None,
        slower_than: None,
        level: None,
        text: None,
        from: Timestamp::default(),
        until: Timestamp::from_unix_ns(u64::MAX),
        limit: usize::MAX,
    }
}

/// Records by chance, in bursts, with flushes and restarts between; then searches by chance.
pub async fn answers_as_the_model_does(seed: u64, mut subject: impl Subject) {
    let mut chance = Chance::new(seed);
    let model = ModelTelemetry::new(RETENTION_DAYS);
    let mut known = Vec::new();
    for round in 0..24 {
        for _ in 0..chance.below(200) {
            known.push(record_in_both(&mut chance, &*subject.store(), &*model));
        }
        subject.store().flush().await.expect("a flush");
        if chance.once_in(4) {
            subject.reopen().await;
        }
        for _ in 0..4 {
            let filter = filter(&mut chance);
            same_answers(&*subject.store(), &*model, filter, &format!("seed {seed}, round {round}")).await;
        }
        let id = chance.pick(&known.iter().map(|record| record.id).chain([unknown_id()]).collect::<Vec<_>>());
        assert_eq!(
            subject.store().invocation(id).await.expect("a search"),
            model.invocation(id).await.expect("a search"),
            "seed {seed}"
        );
        assert_eq!(
            subject.store().journal(id).await.expect("a search"),
            model.journal(id).await.expect("a search"),
            "seed {seed}"
        );
    }
    same_answers(&*subject.store(), &*model, everything(), &format!("seed {seed}, at the end")).await;
    assert_eq!(subject.store().health().dropped, 0, "nothing was too much");
    assert_eq!(subject.store().health().damaged, 0, "nothing is damaged");
}

fn unknown_id() -> types::InvocationId {
    types::InvocationId::from_parts(BEGINNING.unix_ms(), [0; 10])
}

fn record_in_both(chance: &mut Chance, store: &dyn Telemetry, model: &dyn Telemetry) -> Arc<InvocationRecord> {
    let at = BEGINNING.plus(Elapsed::from_ns(chance.below(3 * HOUR_NS)));
    let record = Arc::new(records::record(chance, at));
    let sealed = Bytes::from(vec![chance.below(256).to_le_bytes()[0]; usize::try_from(chance.below(20_000)).expect("it fits")]);
    let journal = record.journal_kept.then_some(SealedJournal { id: record.id, sealed });
    store.record(Arc::clone(&record), journal.clone());
    model.record(Arc::clone(&record), journal);
    record
}

fn filter(chance: &mut Chance) -> Filter {
    let mut some = |n| chance.once_in(n);
    let (app, env, function, revision, trace, error) = (some(3), some(4), some(3), some(6), some(6), some(5));
    let (status, slower, level, text, narrow, few) = (some(6), some(5), some(3), some(3), some(2), some(2));
    let from = BEGINNING.plus(Elapsed::from_ns(chance.below(3 * HOUR_NS)));
    Filter {
        app: app.then(|| AppName::new(chance.pick(&APPS)).expect("a name")),
        env: env.then(|| EnvName::new("dev").expect("a name")),
        function: function.then(|| FunctionName::new(chance.pick(&FUNCTIONS)).expect("a name")),
        revision: revision.then_some(RevisionNumber(2)),
        trace: trace.then(|| records::trace(chance)),
        error: error.then(|| chance.once_in(2)),
        status: status.then(|| chance.pick(&[200, 404, 502])),
        slower_than: slower.then(|| Elapsed::from_ns(chance.below(2_000_000_000))),
        level: level.then(|| chance.pick(&Level::ALL)),
        text: text.then(|| chance.pick(&WORDS).to_owned()),
        from: if narrow { from } else { Timestamp::default() },
        until: if narrow { from.plus(Elapsed::from_ns(chance.below(2 * HOUR_NS))) } else { Timestamp::from_unix_ns(u64::MAX) },
        limit: if few { usize::try_from(chance.below(20)).expect("it fits") } else { usize::MAX },
    }
}

/// Compares every kind of search by this filter.
pub async fn same_answers(store: &dyn Telemetry, model: &dyn Telemetry, filter: Filter, when: &str) {
    let context = format!("{when}: {filter:?}");
    let (actual, wanted) = (store.invocations(filter.clone()).await, model.invocations(filter.clone()).await);
    assert_eq!(actual.expect("a search"), wanted.expect("a search"), "invocations, {context}");
    let (actual, wanted): (Vec<LogRecord>, Vec<LogRecord>) =
        (store.logs(filter.clone()).await.expect("a search"), model.logs(filter.clone()).await.expect("a search"));
    assert_eq!(actual, wanted, "logs, {context}");
    let (actual, wanted) = (store.usage(filter.clone()).await, model.usage(filter).await);
    assert_eq!(actual.expect("a search"), wanted.expect("a search"), "usage, {context}");
}

/// A follower gets what is recorded from then on, in order, and nothing from before.
pub async fn followers_see_what_is_recorded_after_they_began(subject: impl Subject) {
    let (mut chance, store) = (Chance::new(1), subject.store());
    let records: Vec<_> = (0..20).map(|_| Arc::new(records::record(&mut chance, BEGINNING))).collect();
    store.record(Arc::clone(&records[0]), None);
    let followed = store.follow();
    records[1..].iter().for_each(|record| store.record(Arc::clone(record), None));
    let seen: Vec<_> = followed.take(records.len() - 1).collect().await;
    assert_eq!(seen, records[1..]);
}

/// Retention counts in whole days.
pub async fn what_is_too_old_goes_and_the_rest_stays(seed: u64, mut subject: impl Subject) {
    let (mut chance, store) = (Chance::new(seed), subject.store());
    let at = |days: u64| BEGINNING.plus(Elapsed::from_ns(days * DAY_NS));
    let records: Vec<_> = (0..6).map(|days| Arc::new(records::record(&mut chance, at(days)))).collect();
    for record in &records {
        store.record(Arc::clone(record), Some(SealedJournal { id: record.id, sealed: Bytes::from_static(b"sealed") }));
    }
    store.flush().await.expect("a flush");
    store.retain(at(5)).await.expect("old records go");
    drop(store);
    subject.reopen().await;
    let store = subject.store();
    let left: Vec<_> = store.invocations(everything()).await.expect("a search").iter().map(|record| record.id).collect();
    let wanted: Vec<_> = records[2..].iter().rev().map(|record| record.id).collect();
    assert_eq!(left, wanted, "three whole days beside the present one");
    assert_eq!(store.usage(everything()).await.expect("a search").len(), 4);
    assert_eq!(store.journal(records[0].id).await.expect("a search"), None);
    assert!(store.journal(records[5].id).await.expect("a search").is_some());
}

/// Nothing recorded, nothing found, and no error.
pub async fn an_empty_store_answers_nothing(subject: impl Subject) {
    let store = subject.store();
    store.flush().await.expect("a flush");
    assert!(store.invocations(everything()).await.expect("a search").is_empty());
    assert!(store.logs(everything()).await.expect("a search").is_empty());
    assert!(store.usage(everything()).await.expect("a search").is_empty());
    assert_eq!(store.invocation(unknown_id()).await.expect("a search"), None);
    assert_eq!(store.health(), ports::telemetry::Health::default());
}
