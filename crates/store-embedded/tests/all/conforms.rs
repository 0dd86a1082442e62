//! The conformance suites on SQLite and files.

use std::sync::Arc;

use store_embedded::EmbeddedStore;
use tempfile::TempDir;
use testkit::{
    TestClock,
    suite::{self, BlobFixture, CatalogFixture, KvFixture, SecretsFixture, SqlFixture},
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
