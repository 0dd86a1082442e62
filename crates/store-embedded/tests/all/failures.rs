//! A disk that fails: what was not certain is said to be ambiguous, and the store stops.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::StoreError;
use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use testkit::{TestClock, suite};
use types::{
    Code,
    kv::{Change, Committed, IdempotencyKey, Namespace, Transaction, WatchFrom, Write},
};

fn open(dir: &Path, failpoints: Failpoints) -> EmbeddedStore {
    EmbeddedStore::open_with(dir, Arc::new(TestClock::new()), failpoints).expect("the folder opens")
}

fn namespace() -> Namespace {
    Namespace("shop/dev/x".into())
}

fn put(key: &'static str, idempotency: &str) -> Transaction {
    let write = Write::Put { key: Bytes::from(key), value: Bytes::from("1"), expires: None };
    Transaction { conditions: vec![], writes: vec![write], idempotency: Some(IdempotencyKey(idempotency.into())), cause: None }
}

#[tokio::test]
async fn a_failed_commit_is_ambiguous_and_stops_everything() {
    for (point, is_there) in [(Point::ShardBeforeCommit, false), (Point::ShardAfterCommit, true)] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = open(dir.path(), Failpoints::default().with(point, Fault::Fail, 1));
        let told = Arc::new(AtomicU32::new(0));
        let teller = told.clone();
        store.on_stop(move |reason| {
            assert!(reason.contains("failpoint"), "{reason}");
            teller.fetch_add(1, Ordering::SeqCst);
        });
        let (kv, namespace) = (store.kv(), namespace());
        let mut watch = kv.watch(&namespace, Bytes::new(), WatchFrom::Snapshot).await.expect("it can be watched");
        kv.commit(&namespace, put("a", "1")).await.expect("the first is let pass");
        let outcome = kv.commit(&namespace, put("b", "2")).await;
        assert!(matches!(outcome, Err(StoreError::Ambiguous(_))), "{outcome:?}");
        assert_eq!(told.load(Ordering::SeqCst), 1, "the hook was called");
        refuses_everything(&store).await;
        while watch.next().await.is_some() {}
        drop((kv, watch, store));

        let store = open(dir.path(), Failpoints::default());
        let found = store.kv().get(&namespace, &Bytes::from("b")).await.expect("readable");
        assert_eq!(found.is_some(), is_there);
        let repeated = store.kv().commit(&namespace, put("b", "2")).await.expect("it can be repeated");
        let entry = store.kv().get(&namespace, &Bytes::from("b")).await.expect("readable").expect("it is there now");
        assert_eq!(repeated, Committed::At(entry.rev));
    }
}

async fn refuses_everything(store: &EmbeddedStore) {
    let refused = |error: Option<StoreError>| {
        let error = error.expect("a stopped store refuses");
        assert!(error.code() == Code::E0601 && error.to_string().contains("stopped"), "{error}");
    };
    let (namespace, key) = (namespace(), Bytes::from("a"));
    refused(store.kv().get(&namespace, &key).await.err());
    refused(store.kv().list(&namespace, &key, None, 1).await.err());
    refused(store.kv().commit(&namespace, put("c", "3")).await.err());
    refused(store.kv().watch(&namespace, key.clone(), WatchFrom::Snapshot).await.err());
    refused(store.blob().put(key).await.err());
    refused(store.catalog().apps().await.err());
}

#[tokio::test]
async fn a_failed_sync_of_a_blob_is_ambiguous_and_stops_everything() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default().with(Point::BlobAfterRename, Fault::Fail, 0));
    let mut watch = store.kv().watch(&namespace(), Bytes::new(), WatchFrom::Snapshot).await.expect("it can be watched");
    let outcome = store.blob().put(Bytes::from("x")).await;
    assert!(matches!(outcome, Err(StoreError::Ambiguous(_))), "{outcome:?}");
    refuses_everything(&store).await;
    while watch.next().await.is_some() {}
    let (told, hears) = std::sync::mpsc::channel();
    store.on_stop(move |reason| told.send(reason.to_owned()).expect("somebody listens"));
    assert!(hears.try_recv().expect("a late hook is called at once").contains("fsync"));
}

#[tokio::test]
async fn a_dropped_store_ends_its_watches_and_frees_its_folder() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    let kv = store.kv();
    let mut watch = kv.watch(&namespace(), Bytes::new(), WatchFrom::Snapshot).await.expect("it can be watched");
    assert!(matches!(watch.next().await, Some(Change::CaughtUp(_))));
    let second = EmbeddedStore::open(dir.path(), Arc::new(TestClock::new())).err().expect("it is taken");
    assert_eq!(second.code, Code::E0607);
    drop((kv, store));
    assert_eq!(watch.next().await, None);
    open(dir.path(), Failpoints::default());
}

#[tokio::test]
async fn what_expired_while_the_store_was_closed_is_still_a_delete() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(TestClock::new());
    let expires = ports::Clock::now(&*clock).plus(Duration::from_secs(5).into());
    let write = Write::Put { key: Bytes::from("a"), value: Bytes::new(), expires: Some(expires) };
    let store = EmbeddedStore::open(dir.path(), clock.clone()).expect("the folder opens");
    let transaction = Transaction { writes: vec![write], ..Transaction::default() };
    let committed = store.kv().commit(&namespace(), transaction).await.expect("the commit succeeds");
    let Committed::At(rev) = committed else { panic!("there was no condition") };
    drop(store);
    clock.advance(Duration::from_secs(6));
    let store = EmbeddedStore::open(dir.path(), clock).expect("the folder opens");
    let mut watch = store.kv().watch(&namespace(), Bytes::new(), WatchFrom::After(rev)).await.expect("it can be watched");
    loop {
        match watch.next().await.expect("the watch goes on") {
            Change::CaughtUp(_) => {}
            change => break assert!(matches!(&change, Change::Delete { key, .. } if key == "a"), "{change:?}"),
        }
    }
}

/// Commits that take their revision early and are visible late: nobody may see that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_commits_change_nothing_but_the_time() {
    suite::kv(|| async {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(TestClock::new());
        let slow = Fault::Slow(Duration::from_millis(2));
        let failpoints = Failpoints::default().with(Point::ShardBeforeCommit, slow, 0).with(Point::ShardAfterCommit, slow, 0);
        let store = EmbeddedStore::open_with(dir.path(), clock.clone(), failpoints).expect("a new folder opens");
        suite::KvFixture::new(store.kv(), clock).keeping((dir, store))
    })
    .await;
}
