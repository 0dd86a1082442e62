//! The conformance suites of queues, units, leases and feeds on SQLite.

use std::{sync::Arc, time::Duration};

use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use tempfile::TempDir;
use testkit::{
    TestClock,
    suite::{self, FeedsFixture, LeaseFixture, QueueFixture, UnitFixture},
};

fn fresh() -> (TempDir, Arc<TestClock>, EmbeddedStore) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(TestClock::new());
    let store = EmbeddedStore::open(dir.path(), clock.clone()).expect("a new folder opens");
    (dir, clock, store)
}

async fn queues() -> QueueFixture {
    let (dir, clock, store) = fresh();
    QueueFixture::new(store.queue(), clock).keeping((dir, store))
}

#[tokio::test]
async fn queues_do_what_all_do() {
    suite::queue(queues).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_do_so_on_many_threads() {
    suite::queue(queues).await;
}

#[tokio::test]
async fn units_do_what_all_do() {
    suite::unit(|| async {
        let (dir, clock, store) = fresh();
        let (unit, kv, queue) = (store.unit(), store.kv(), store.queue());
        UnitFixture { unit, kv, queue, clock, keep: Box::new((dir, store)) }
    })
    .await;
}

#[tokio::test]
async fn leases_do_what_all_do() {
    suite::lease(|| async {
        let (dir, clock, store) = fresh();
        LeaseFixture { lease: store.lease(), clock, keep: Box::new((dir, store)) }
    })
    .await;
}

#[tokio::test]
async fn feeds_do_what_all_do() {
    suite::feeds(|| async {
        let (dir, clock, store) = fresh();
        let (feeds, kv, unit, queue) = (store.feeds(), store.kv(), store.unit(), store.queue());
        FeedsFixture { feeds, kv, unit, queue, clock, keep: Box::new((dir, store)) }
    })
    .await;
}

/// The controls: with a protection off, the suite must fail on this store too.
async fn must_fail(point: Point) {
    let outcome = tokio::spawn(suite::queue(move || async move {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(TestClock::new());
        let failpoints = Failpoints::default().with(point, Fault::Skip, 0);
        let store = EmbeddedStore::open_with(dir.path(), clock.clone(), failpoints).expect("a new folder opens");
        QueueFixture::new(store.queue(), clock).keeping((dir, store))
    }));
    assert!(outcome.await.is_err_and(|error| error.is_panic()), "the suite did not notice that {point:?} is off");
}

#[tokio::test]
async fn without_deduplication_the_suite_fails() {
    must_fail(Point::QueueDedup).await;
}

#[tokio::test]
async fn without_fenced_receipts_the_suite_fails() {
    must_fail(Point::QueueFence).await;
}

#[tokio::test]
async fn without_records_of_calls_the_suite_fails() {
    must_fail(Point::ReplyRecord).await;
}

/// Commits that take their time change nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_commits_change_nothing_for_queues() {
    suite::queue(|| async {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(TestClock::new());
        let slow = Fault::Slow(Duration::from_millis(1));
        let failpoints = Failpoints::default().with(Point::ShardBeforeCommit, slow, 0).with(Point::ShardAfterCommit, slow, 0);
        let store = EmbeddedStore::open_with(dir.path(), clock.clone(), failpoints).expect("a new folder opens");
        QueueFixture::new(store.queue(), clock).keeping((dir, store))
    })
    .await;
}
