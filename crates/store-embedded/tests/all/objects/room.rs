//! Room on the disk: where there is none, what is given back, and what crashes leave.

use std::{fs, time::Duration};

use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use store_embedded::{Fault, Point};

use super::*;
use crate::full::SmallDisk;

/// Waits until so many files are left.
async fn files_become(dir: &Path, count: usize) {
    for _ in 0..1_000 {
        if files(dir).len() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} files instead of {count}", files(dir).len());
}

#[tokio::test]
async fn a_full_disk_refuses_objects_until_there_is_room() {
    let disk = SmallDisk::mount();
    let data = disk.path().join("data");
    let store = open(&data, Failpoints::default());
    let objects = store.objects();
    objects.create_bucket(&bucket()).await.expect("there is room");
    put(&objects, "small", pattern(1_000, 1)).await.expect("there is room");
    put(&objects, "large", pattern(300_000, 1)).await.expect("there is room");
    let filler = disk.fill();
    for size in [60_000, 300_000, 2_000_000] {
        for key in ["small", "large", "new"] {
            // A small one may fit into room that the database holds already.
            let outcome = put(&objects, key, pattern(size, 2)).await;
            assert!(matches!(outcome, Err(StoreError::Full)) || size == 60_000 && outcome.is_ok(), "{outcome:?}");
        }
    }
    for key in ["small", "large"] {
        let read = bytes(&objects, key).await;
        assert!(read == pattern(1_000, 1) || read == pattern(300_000, 1) || read == pattern(60_000, 2), "{key}");
    }
    fs::remove_file(filler).expect("removable");
    put(&objects, "large", pattern(1_000_000, 3)).await.expect("there is room again");
    assert!(bytes(&objects, "large").await == pattern(1_000_000, 3));
    files_become(&data, 1).await;
    drop((objects, store));
    let store = open(&data, Failpoints::default());
    assert!(bytes(&store.objects(), "large").await == pattern(1_000_000, 3));
}

#[tokio::test]
async fn bytes_of_what_is_gone_are_given_back() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    let objects = store.objects();
    objects.create_bucket(&bucket()).await.expect("it can be made");
    for i in 0..5 {
        put(&objects, "a", pattern(100_000, i)).await.expect("there is room");
    }
    files_become(dir.path(), 1).await;
    objects.copy((&bucket(), "a", None), (&bucket(), "b"), None, PutOptions::default()).await.expect("there is room");
    objects.delete(&bucket(), "a", None, None).await.expect("removable");
    put(&objects, "c", pattern(100_000, 9)).await.expect("there is room");
    files_become(dir.path(), 2).await;
    let (_, body) = objects.get(&bucket(), "b", None, None).await.expect("readable").expect("it is there");
    objects.delete(&bucket(), "b", None, None).await.expect("removable");
    drop(body);
    files_become(dir.path(), 1).await;
}

#[tokio::test]
async fn a_reader_keeps_the_files_that_it_reads() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    let objects = store.objects();
    objects.create_bucket(&bucket()).await.expect("it can be made");
    let upload = objects.begin_upload(&bucket(), "a", Default::default()).await.expect("it begins");
    let mut named = Vec::new();
    for number in 1..=3 {
        let part = objects.put_part(&bucket(), &upload.id, number, Body::from(pattern(3_000_000, number as u8)), vec![]).await;
        named.push((number, part.expect("there is room").etag));
    }
    objects.complete_upload(&bucket(), &upload.id, &named, PutOptions::default()).await.expect("all are there");
    let (_, mut body) = objects.get(&bucket(), "a", None, None).await.expect("readable").expect("it is there");
    let first = body.frame().await.expect("there are bytes").expect("readable").into_data().expect("no trailers");
    objects.delete(&bucket(), "a", None, None).await.expect("removable");
    // The reaper comes by for this one, and must leave the others.
    put(&objects, "b", pattern(100_000, 1)).await.expect("there is room");
    objects.delete(&bucket(), "b", None, None).await.expect("removable");
    files_become(dir.path(), 3).await;
    let rest = body.collect().await.expect("it is whole").to_bytes();
    let whole: Vec<u8> = (1..=3).flat_map(|number| pattern(3_000_000, number)).collect();
    assert!([first, rest].concat() == whole);
    files_become(dir.path(), 0).await;
}

#[tokio::test]
async fn writes_that_come_to_nothing_leave_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    let objects = store.objects();
    objects.create_bucket(&bucket()).await.expect("it can be made");
    let frames = [Ok(Frame::data(pattern(2_000_000, 1))), Err(BodyError::Gone)];
    let broken = Body::stream(StreamBody::new(stream::iter(frames)));
    objects.put(&bucket(), "a", broken, PutOptions::default()).await.expect_err("its body breaks off");
    put(&objects, "b", pattern(100_000, 1)).await.expect("there is room");
    let options = PutOptions { condition: types::object::ObjectCondition::Absent, ..PutOptions::default() };
    objects.put(&bucket(), "b", Body::from(pattern(100_000, 2)), options).await.expect_err("there is one");
    // A caller that goes away in the middle of its body.
    let endless = stream::unfold((), |()| async { Some((Ok(Frame::data(pattern(100_000, 1))), ())) });
    let endless = Body::stream(StreamBody::new(Box::pin(endless)));
    let bucket = bucket();
    let writing = objects.put(&bucket, "c", endless, PutOptions::default());
    tokio::time::timeout(Duration::from_millis(100), writing).await.expect_err("its body has no end");
    files_become(dir.path(), 1).await;
    assert!(objects.head(&bucket, "c", None).await.expect("readable").is_none());
}

#[tokio::test]
async fn files_that_a_crash_left_are_swept_and_no_others() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default());
    store.objects().create_bucket(&bucket()).await.expect("it can be made");
    put(&store.objects(), "a", pattern(100_000, 1)).await.expect("there is room");
    let named = files(dir.path()).pop().expect("it lies in a file");
    drop(store);
    let orphan = named.parent().expect("a folder").join(format!("{:016x}", (1_u64 << 32) + 0x7700));
    fs::write(&orphan, "half").expect("writable");
    let store = open(dir.path(), Failpoints::default());
    store.objects().sweep().await.expect("it can be swept");
    assert!(named.exists() && !orphan.exists());
    assert!(bytes(&store.objects(), "a").await == pattern(100_000, 1));
}

#[tokio::test]
async fn a_failed_sync_of_an_object_writes_nothing_and_stops_everything() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path(), Failpoints::default().with(Point::ObjectBeforeSync, Fault::Fail, 0));
    let objects = store.objects();
    objects.create_bucket(&bucket()).await.expect("it can be made");
    put(&objects, "a", pattern(100_000, 1)).await.expect_err("the disk fails");
    let refused = objects.head(&bucket(), "a", None).await.expect_err("a stopped store refuses");
    assert!(refused.to_string().contains("stopped"), "{refused}");
}
