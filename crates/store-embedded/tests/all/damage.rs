//! Flipped bits: what is read is right or an error.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use ports::StoreError;
use store_embedded::EmbeddedStore;
use testkit::TestClock;
use types::{
    Code,
    kv::{Namespace, Transaction, Write},
};

fn open(dir: &Path) -> EmbeddedStore {
    EmbeddedStore::open(dir, Arc::new(TestClock::new())).expect("the folder opens")
}

/// Flips one bit of the text wherever the file holds it; there must be such a place.
fn flip(file: &Path, text: &[u8]) {
    let mut bytes = fs::read(file).expect("readable");
    let places: Vec<usize> = (0..bytes.len().saturating_sub(text.len())).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert!(!places.is_empty(), "{} does not hold the text", file.display());
    places.iter().for_each(|at| bytes[at + text.len() / 2] ^= 0x10);
    fs::write(file, bytes).expect("writable");
}

#[tokio::test]
async fn a_flipped_bit_in_a_value_is_an_error_and_its_neighbours_are_well() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let namespace = Namespace("shop/dev/x".into());
    let put =
        |key: &'static str, value: &'static str| Write::Put { key: Bytes::from(key), value: Bytes::from(value), expires: None };
    let writes = vec![put("a", "the value that is damaged"), put("b", "the value that is not")];
    let store = open(dir.path());
    store.kv().commit(&namespace, Transaction { writes, ..Transaction::default() }).await.expect("the commit succeeds");
    // The last connection moves the log into the file.
    drop(store);
    flip(&dir.path().join("kv/shard-0.sqlite"), b"the value that is damaged");
    let kv = open(dir.path()).kv();
    let damaged = kv.get(&namespace, &Bytes::from("a")).await;
    assert!(matches!(&damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
    let listed = kv.list(&namespace, &Bytes::new(), None, 10).await;
    assert!(matches!(&listed, Err(StoreError::Damaged(_))), "{listed:?}");
    let well = kv.get(&namespace, &Bytes::from("b")).await.expect("readable");
    assert_eq!(well.map(|entry| entry.value), Some(Bytes::from("the value that is not")));
    // Written anew, it is well again.
    let mended = Transaction { writes: vec![put("a", "new")], ..Transaction::default() };
    kv.commit(&namespace, mended).await.expect("the commit succeeds");
    assert_eq!(kv.list(&namespace, &Bytes::new(), None, 10).await.expect("readable").len(), 2);
}

#[tokio::test]
async fn a_flipped_bit_in_a_blob_is_an_error_until_it_is_stored_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path());
    let bytes = Bytes::from("the blob that is damaged");
    let digest = store.blob().put(bytes.clone()).await.expect("there is room");
    let hex = digest.to_hex();
    let (folder, name) = hex.split_at(2);
    let file = dir.path().join("blobs").join(folder).join(name);
    flip(&file, b"blob");
    let damaged = store.blob().get(&digest).await;
    assert!(matches!(&damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
    store.blob().put(bytes.clone()).await.expect("there is room");
    assert_eq!(store.blob().get(&digest).await.expect("readable"), Some(bytes));
    fs::write(&file, "").expect("writable");
    let cut = store.blob().get(&digest).await;
    assert!(matches!(&cut, Err(StoreError::Damaged(_))), "{cut:?}");
}

#[tokio::test]
async fn what_was_half_written_when_the_process_died_is_removed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    drop(open(dir.path()));
    let leftover = dir.path().join("blobs/tmp/7");
    fs::write(&leftover, "half").expect("writable");
    let _store = open(dir.path());
    assert!(!leftover.exists());
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("catalog.sqlite"), "this is not a database, but it is long enough to be looked at".repeat(40))
        .expect("writable");
    let refused = EmbeddedStore::open(dir.path(), Arc::new(TestClock::new())).err().expect("it can't be read");
    assert_eq!(refused.code, Code::E0603);
    assert!(refused.notes.iter().any(|note| note.contains(&dir.path().display().to_string())), "{refused:?}");
}
