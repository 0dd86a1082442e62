//! Secrets on the disk: nothing of them is in any file, and the key that sealed them is needed.

use std::{fs, path::Path, sync::Arc};

use ports::{StoreError, secrets::SecretValue};
use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use testkit::TestClock;

use crate::victim::app_key;

const CANARY: &[u8] = b"canary-3f9c1e7a-not-to-be-found";

fn open(dir: &Path, failpoints: Failpoints) -> EmbeddedStore {
    EmbeddedStore::open_with(dir, Arc::new(TestClock::new()), failpoints).expect("the folder opens")
}

/// The files below the folder that hold the bytes.
fn files_with(dir: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if fs::read(&path).expect("readable").windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Sets a secret, issues a pair of keys, goes to a new key; gives the files with the secret or the secret key, while open and after.
async fn files_with_secrets(failpoints: Failpoints) -> usize {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), failpoints);
    store.secrets().set(&app_key(), "token", SecretValue(CANARY.to_vec())).await.expect("there is room");
    let pair = store.access_keys().issue(&app_key(), false).await.expect("there is room");
    let count = || files_with(dir.path(), CANARY).len() + files_with(dir.path(), &pair.secret.0).len();
    let mut found = count();
    if found == 0 {
        store.secrets().rewrap().await.expect("it can be done");
        store.secrets().remove(&app_key(), "token").await.expect("removable");
        found += count();
    }
    drop(store);
    found + count()
}

#[tokio::test]
async fn no_file_holds_a_secret() {
    assert_eq!(files_with_secrets(Failpoints::default()).await, 0);
}

/// The control: with sealing off the same search finds both.
#[tokio::test]
async fn without_sealing_the_search_finds_it() {
    let found = files_with_secrets(Failpoints::default().with(Point::SecretsSeal, Fault::Skip, 0)).await;
    assert!(found >= 2, "{found} files");
}

#[tokio::test]
async fn secrets_need_the_key_that_sealed_them() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let other = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    store.secrets().set(&app_key(), "token", SecretValue(CANARY.to_vec())).await.expect("there is room");
    let pair = store.access_keys().issue(&app_key(), true).await.expect("there is room");
    drop((store, open(other.path(), Failpoints::default())));
    let file = dir.path().join("secrets.key");
    let right = fs::read(&file).expect("readable");
    let refused = || {
        let opened = EmbeddedStore::open(dir.path(), Arc::new(TestClock::new()));
        opened.err().expect("it must not open").message
    };
    fs::copy(other.path().join("secrets.key"), &file).expect("writable");
    assert!(refused().contains("put back the file"), "{}", refused());
    fs::remove_file(&file).expect("removable");
    assert!(refused().contains("secrets.key is missing"), "{}", refused());
    assert!(!file.exists(), "no new key is made where secrets are sealed with an old one");
    fs::write(&file, "nonsense").expect("writable");
    assert!(refused().contains("secrets.key"), "{}", refused());
    fs::write(&file, right).expect("writable");
    let store = open(dir.path(), Failpoints::default());
    assert_eq!(store.secrets().get(&app_key(), "token").await.expect("readable"), Some((1, SecretValue(CANARY.to_vec()))));
    assert_eq!(store.access_keys().find(&pair.id).await.expect("readable"), Some(pair));
}

#[tokio::test]
async fn a_sealed_value_that_was_changed_is_damaged() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default().with(Point::SecretsSeal, Fault::Skip, 1));
    store.secrets().set(&app_key(), "good", SecretValue(CANARY.to_vec())).await.expect("there is room");
    // Not sealed, so not what its key would give.
    store.secrets().set(&app_key(), "bad", SecretValue(CANARY.to_vec())).await.expect("there is room");
    let damaged = store.secrets().get(&app_key(), "bad").await;
    assert!(matches!(&damaged, Err(StoreError::Damaged(text)) if text.contains("bad")), "{damaged:?}");
    assert!(store.secrets().get(&app_key(), "good").await.expect("readable").is_some());
}
