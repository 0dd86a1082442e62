//! The conformance suites on SQLite and files.

use std::sync::Arc;

use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use tempfile::TempDir;
use testkit::{
    TestClock,
    suite::{self, BlobFixture, CatalogFixture, KvFixture, LogFixture, SecretsFixture, SqlFixture},
};

fn fresh() -> (TempDir, Arc<TestClock>, EmbeddedStore) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(TestClock::new());
    let store = EmbeddedStore::open(dir.path(), clock.clone()).expect("a new folder opens");
    (dir, clock, store)
}

#[tokio::test]
async fn key_value_stores_do_what_all_do() {
    suite::kv(|| async {
        let (dir, clock, store) = fresh();
        KvFixture::new(store.kv(), clock).keeping((dir, store))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_value_stores_do_so_on_many_threads() {
    suite::kv(|| async {
        let (dir, clock, store) = fresh();
        KvFixture::new(store.kv(), clock).keeping((dir, store))
    })
    .await;
}

#[tokio::test]
async fn blobs_do_what_all_do() {
    suite::blob(|| async {
        let (dir, _, store) = fresh();
        BlobFixture { blob: store.blob(), keep: Box::new((dir, store)) }
    })
    .await;
}

#[tokio::test]
async fn the_catalog_does_what_all_do() {
    suite::catalog(|| async {
        let (dir, _, store) = fresh();
        CatalogFixture { catalog: store.catalog(), keep: Box::new((dir, store)) }
    })
    .await;
}

#[tokio::test]
async fn databases_do_what_all_do() {
    suite::sql(|| async {
        let (dir, clock, store) = fresh();
        SqlFixture::new(store.sql(), clock).keeping((dir, store))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_do_so_on_many_threads() {
    suite::sql(|| async {
        let (dir, clock, store) = fresh();
        SqlFixture::new(store.sql(), clock).keeping((dir, store))
    })
    .await;
}

#[tokio::test]
async fn secrets_do_what_all_do() {
    suite::secrets(|| async {
        let (dir, clock, store) = fresh();
        SecretsFixture { secrets: store.secrets(), keys: store.access_keys(), clock, keep: Box::new((dir, store)) }
    })
    .await;
}

#[tokio::test]
async fn streams_do_what_all_do() {
    suite::log(|| async {
        let (dir, clock, store) = fresh();
        LogFixture::new(store.log(), clock).keeping((dir, store))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_do_so_on_many_threads_with_slow_commits() {
    suite::log(|| async {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(TestClock::new());
        let slow = Fault::Slow(std::time::Duration::from_millis(1));
        let failpoints = Failpoints::default().with(Point::ShardBeforeCommit, slow, 0).with(Point::ShardAfterCommit, slow, 0);
        let store = EmbeddedStore::open_with(dir.path(), clock.clone(), failpoints).expect("a new folder opens");
        LogFixture::new(store.log(), clock).keeping((dir, store))
    })
    .await;
}
