//! Flipped bits and lost files: what is read is right or an error.

use std::fs::{self, File};

use store_embedded::{Fault, Point};

use super::*;

/// Flips one bit of the text wherever the file holds it; there must be such a place.
fn flip(file: &Path, text: &[u8]) {
    let mut bytes = fs::read(file).expect("readable");
    let places: Vec<usize> = (0..bytes.len().saturating_sub(text.len())).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert!(!places.is_empty(), "{} does not hold the text", file.display());
    places.iter().for_each(|at| bytes[at + text.len() / 2] ^= 0x10);
    fs::write(file, bytes).expect("writable");
}

fn unchecked() -> Failpoints {
    Failpoints::default().with(Point::ObjectVerify, Fault::Skip, 0)
}

fn is_damaged<T: std::fmt::Debug>(outcome: Result<T, StoreError>) {
    assert!(matches!(&outcome, Err(StoreError::Damaged(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_flipped_bit_in_small_bytes_is_an_error_and_without_checksums_it_is_not() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    store.objects().create_bucket(&bucket()).await.expect("it can be made");
    let (bad, good) = (Bytes::from("the object that is damaged"), Bytes::from("the object that is not"));
    put(&store.objects(), "bad", bad.clone()).await.expect("there is room");
    put(&store.objects(), "good", good.clone()).await.expect("there is room");
    drop(store);
    flip(&dir.path().join("kv/shard-0.sqlite"), &bad);
    // The control: without checksums the reader gets other bytes than were written.
    let store = open(dir.path(), unchecked());
    assert_ne!(bytes(&store.objects(), "bad").await, bad);
    drop(store);
    let objects = open(dir.path(), Failpoints::default()).objects();
    is_damaged(get(&objects, "bad").await);
    assert_eq!(bytes(&objects, "good").await, good);
    put(&objects, "bad", bad.clone()).await.expect("written anew, it is well again");
    assert_eq!(bytes(&objects, "bad").await, bad);
}

#[tokio::test]
async fn a_flipped_bit_in_what_is_known_of_an_object_is_an_error_until_it_is_written_or_removed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    store.objects().create_bucket(&bucket()).await.expect("it can be made");
    for key in ["a", "b"] {
        let mut options = PutOptions::default();
        options.attributes.content_type = Some("application/x-that-is-damaged".into());
        store.objects().put(&bucket(), key, Body::from("bytes"), options).await.expect("there is room");
    }
    drop(store);
    flip(&dir.path().join("kv/shard-0.sqlite"), b"application/x-that-is-damaged");
    let objects = open(dir.path(), Failpoints::default()).objects();
    is_damaged(objects.head(&bucket(), "a", None).await);
    is_damaged(get(&objects, "b").await);
    put(&objects, "a", Bytes::from("new")).await.expect("it can be written over");
    assert_eq!(bytes(&objects, "a").await, Bytes::from("new"));
    objects.delete(&bucket(), "b", None, None).await.expect("it can be removed");
    assert!(objects.head(&bucket(), "b", None).await.expect("readable").is_none());
}

#[tokio::test]
async fn a_flipped_bit_in_a_file_is_an_error_wherever_it_is() {
    let size = 3_000_000;
    for (place, is_in_first_window) in [(0, true), (70_000, true), (1_500_000, false), (size - 1, false), (size + 5, true)] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = open(dir.path(), Failpoints::default());
        store.objects().create_bucket(&bucket()).await.expect("it can be made");
        put(&store.objects(), "a", pattern(size, 1)).await.expect("there is room");
        let file = files(dir.path()).pop().expect("it lies in a file");
        let mut stored = fs::read(&file).expect("readable");
        stored[place] ^= 1;
        fs::write(&file, stored).expect("writable");
        match get(&store.objects(), "a").await {
            Err(StoreError::Damaged(_)) => assert!(is_in_first_window, "byte {place}"),
            Ok(Some(Err(BodyError::Broken(text)))) => {
                assert!(text.contains("damaged") && !is_in_first_window, "byte {place}: {text}")
            }
            other => panic!("byte {place}: {other:?}"),
        }
        drop(store);
        // The control: without checksums the reader gets other bytes than were written.
        let store = open(dir.path(), unchecked());
        let read = bytes(&store.objects(), "a").await;
        assert_eq!(read == pattern(size, 1), place > size, "byte {place}");
    }
}

#[tokio::test]
async fn a_file_that_is_cut_or_gone_is_an_error() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let objects = open(dir.path(), Failpoints::default()).objects();
    objects.create_bucket(&bucket()).await.expect("it can be made");
    put(&objects, "a", pattern(200_000, 1)).await.expect("there is room");
    let file = files(dir.path()).pop().expect("it lies in a file");
    File::options().write(true).open(&file).and_then(|file| file.set_len(100_000)).expect("writable");
    is_damaged(get(&objects, "a").await);
    fs::remove_file(&file).expect("removable");
    is_damaged(get(&objects, "a").await);
    put(&objects, "a", pattern(200_000, 2)).await.expect("it can be written over");
    assert!(bytes(&objects, "a").await == pattern(200_000, 2));
}
