//! A disk without room: nothing is half written, reading goes on, and writing does when there is room again.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use ports::{
    StoreError,
    queue::{Message, QueueName},
};
use store_embedded::EmbeddedStore;
use tempfile::TempDir;
use testkit::TestClock;
use types::{
    App, Revision, Timestamp,
    kv::{Namespace, Transaction, Write},
    revision::AppKey,
};

/// A small disk that is removed with this value.
pub(crate) struct SmallDisk(TempDir);

impl SmallDisk {
    pub(crate) fn mount() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "dayfly-test"]).arg(dir.path()).output();
        let mounted = mounted.expect("mount is installed");
        let why = String::from_utf8_lossy(&mounted.stderr);
        assert!(
            mounted.status.success(),
            "this test mounts a small tmpfs, which takes root (sudo -E cargo test -p store-embedded): {why}"
        );
        Self(dir)
    }
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
    /// Takes all the room there is.
    pub(crate) fn fill(&self) -> PathBuf {
        let filler = self.path().join("filler");
        let mut size = 6 << 20;
        let mut bytes = Vec::new();
        while size > 0 {
            bytes.extend(vec![0xee; size]);
            if fs::write(&filler, &bytes).is_err() {
                bytes.truncate(bytes.len() - size);
            }
            size /= 2;
        }
        fs::write(&filler, &bytes).expect("so much did fit");
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn namespace() -> Namespace {
    Namespace("shop/dev/x".into())
}

fn put(key: &str, size: usize) -> Transaction {
    let value = Bytes::from(vec![7; size]);
    Transaction { writes: vec![Write::Put { key: Bytes::from(key.to_owned()), value, expires: None }], ..Transaction::default() }
}

/// Deploys an app whose model is too large for what is left on a full disk.
async fn deploy(store: &EmbeddedStore) -> Result<Revision, StoreError> {
    let key = AppKey { app: "shop".parse().expect("a name"), env: "dev".parse().expect("a name") };
    let (name, env) = (key.app.clone(), key.env.clone());
    let app = App { domain: Some("d".repeat(300_000)), ..App::empty(name, env) };
    store.catalog().add(&key, None, app, BTreeMap::new(), types::revision::Parts::default(), Timestamp::from_unix_ms(1)).await
}

async fn is_well(store: &EmbeddedStore) {
    let entry = store.kv().get(&namespace(), &Bytes::from("before")).await.expect("reading goes on");
    assert_eq!(entry.map(|entry| entry.value.len()), Some(1_000));
    assert_eq!(store.kv().get(&namespace(), &Bytes::from("during")).await.expect("reading goes on"), None);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let disk = SmallDisk::mount();
    let data = disk.path().join("data");
    let store = EmbeddedStore::open(&data, Arc::new(TestClock::new())).expect("there is room");
    store.kv().commit(&namespace(), put("before", 1_000)).await.expect("there is room");
    let kept = store.blob().put(Bytes::from("before")).await.expect("there is room");
    let filler = disk.fill();

    for size in [900_000, 100_000] {
        let refused = store.kv().commit(&namespace(), put("during", size)).await;
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        is_well(&store).await;
    }
    let refused = deploy(&store).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let refused = store.blob().put(Bytes::from(vec![1; 500_000])).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert_eq!(store.blob().get(&kept).await.expect("reading goes on"), Some(Bytes::from("before")));

    let (queue, mail) = (store.queue(), QueueName("shop/dev/mail".into()));
    let message = || vec![Message { body: Bytes::from(vec![7; 900_000]), ..Message::default() }];
    let refused = queue.enqueue(&mail, message(), None).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert_eq!(queue.stats(&mail).await.expect("reading goes on").ready, 0);
    assert!(queue.peek(&mail, None, 10).await.expect("reading goes on").is_empty());

    fs::remove_file(filler).expect("removable");
    queue.enqueue(&mail, message(), None).await.expect("there is room again");
    let (lease, now) = (Duration::from_secs(1), Duration::ZERO);
    let held = queue.claim(&mail, 10, lease, now).await.expect("claimable");
    assert_eq!(held.len(), 1, "what was refused is not there");
    queue.ack(&mail, &[held[0].receipt]).await.expect("there is room again");
    store.kv().commit(&namespace(), put("after", 900_000)).await.expect("there is room again");
    store.blob().put(Bytes::from(vec![1; 500_000])).await.expect("there is room again");
    assert_eq!(deploy(&store).await.expect("there is room again").number.0, 1, "the first did not count");
    is_well(&store).await;
    drop((queue, store));
    let store = EmbeddedStore::open(&data, Arc::new(TestClock::new())).expect("it opens again");
    is_well(&store).await;
    assert!(store.kv().get(&namespace(), &Bytes::from("after")).await.expect("readable").is_some());
}

/// Readers keep their view of the file open between reads: that must not keep the writer from starting its log anew.
#[tokio::test]
async fn the_log_stays_small_while_others_read() {
    const LOG_BYTES_MAX: u64 = 24 << 20;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = EmbeddedStore::open(dir.path(), Arc::new(TestClock::new())).expect("a new folder opens");
    for _ in 0..500 {
        store.kv().commit(&namespace(), put("key", 100_000)).await.expect("there is room");
        store.kv().get(&namespace(), &Bytes::from("key")).await.expect("readable").expect("it was put");
    }
    let log = fs::metadata(dir.path().join("kv/shard-0.sqlite-wal")).expect("the log is there").len();
    assert!(log < LOG_BYTES_MAX, "500 writes of 100 kB left a log of {log} bytes");
}
