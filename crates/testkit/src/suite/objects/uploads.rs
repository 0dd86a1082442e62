//! Uploads in parts.

use md5::{Digest as _, Md5};

use super::*;

async fn begin(store: &ObjectsFixture, key: &str) -> String {
    let upload = store.objects.begin_upload(store.bucket(), key, tagged("upload")).await.expect("there is the bucket");
    assert_eq!((upload.key.as_str(), &upload.attributes), (key, &tagged("upload")));
    upload.id
}

pub(super) async fn become_an_object_of_their_parts(store: &ObjectsFixture) {
    let id = begin(store, "big").await;
    let sizes = [70_000, 1, 0, 200_000, 65_536];
    let all: Vec<Bytes> = sizes.iter().enumerate().map(|(i, size)| pattern(*size, i as u8)).collect();
    // Out of order, one of them twice, and one that is not used.
    for i in [4, 0, 3, 1, 2] {
        store.part(&id, 10 * (i as u32 + 1), pattern(i, 99)).await;
    }
    store.part(&id, 7, pattern(5, 98)).await;
    let mut named = Vec::new();
    for (i, bytes) in all.iter().enumerate() {
        named.push(store.part(&id, 10 * (i as u32 + 1), bytes.clone()).await);
    }
    let (upload, parts) = store.objects.parts(store.bucket(), &id, 7, 3).await.expect("it is there");
    assert_eq!((upload.id.as_str(), parts.iter().map(|part| part.number).collect::<Vec<_>>()), (id.as_str(), vec![10, 20, 30]));
    assert_eq!(parts[0].bytes, 70_000);
    let checksums = vec![("crc32".to_owned(), "of all".to_owned())];
    let options = PutOptions { checksums: checksums.clone(), ..PutOptions::default() };
    let info = store.objects.complete_upload(store.bucket(), &id, &named, options).await.expect("all are there");
    let mut md5 = Md5::new();
    all.iter().for_each(|bytes| md5.update(Md5::digest(bytes)));
    assert_eq!(info.etag, format!("{:x}-5", md5.finalize()));
    assert_eq!((info.parts.clone(), &info.attributes), (sizes.map(|size| size as u64).to_vec(), &tagged("upload")));
    assert_eq!(info.checksums, checksums);
    let whole: Bytes = all.concat().into();
    assert_eq!(info.bytes, whole.len() as u64);
    assert!(store.bytes("big").await == Some(whole.clone()));
    for (first, last) in [(69_999, 70_001), (0, 335_536), (70_000, 70_000), (100_000, 299_999), (270_000, 270_002)] {
        let got = store.read("big", None, Some(ByteRange::Between(first, last))).await.expect("it is there");
        assert!(got == whole.slice(first as usize..whole.len().min(last as usize + 1)), "{first} to {last}");
    }
    assert_eq!(store.head("big", None).await, Some(info));
    let again = store.objects.complete_upload(store.bucket(), &id, &named, PutOptions::default()).await;
    assert!(matches!(again, Err(StoreError::Missing(_))), "{again:?}");
    let copy = store.objects.copy((store.bucket(), "big", None), (store.bucket(), "copy"), None, PutOptions::default()).await;
    assert_eq!(copy.expect("it can be written").map(|copy| copy.parts.len()), Some(5));
    store.delete("big", None).await.expect("it was there");
    store.objects.sweep().await.expect("it can be swept");
    assert!(store.bytes("copy").await == Some(whole));
}

pub(super) async fn refuse_parts_that_are_not_there(store: &ObjectsFixture) {
    let id = begin(store, "a").await;
    let first = store.part(&id, 1, pattern(10, 1)).await;
    let second = store.part(&id, 2, pattern(10, 2)).await;
    let wrong = [
        vec![],
        vec![second.clone(), first.clone()],
        vec![first.clone(), first.clone()],
        vec![first.clone(), (3, second.1.clone())],
        vec![first.clone(), (2, first.1.clone())],
    ];
    for named in wrong {
        let outcome = store.objects.complete_upload(store.bucket(), &id, &named, PutOptions::default()).await;
        assert!(matches!(outcome, Err(StoreError::Conflict(_))), "{named:?}: {outcome:?}");
    }
    store.put("a", "there").await;
    let options = on(ObjectCondition::Absent);
    let outcome = store.objects.complete_upload(store.bucket(), &id, std::slice::from_ref(&first), options).await;
    assert!(matches!(outcome, Err(StoreError::Changed(_))), "{outcome:?}");
    let outcome = store.objects.complete_upload(store.bucket(), &id, &[first, second], PutOptions::default()).await;
    assert_eq!(outcome.expect("nothing was lost by the refusals").bytes, 20);
}

pub(super) async fn are_listed_and_aborted(store: &ObjectsFixture) {
    let (first, second, other) = (begin(store, "a/1").await, begin(store, "a/1").await, begin(store, "b").await);
    assert!(first < second && second < other, "ids are in the order of their beginning");
    let list = async |prefix: &str, after: Option<(&str, &str)>, max| {
        let uploads = store.objects.uploads(store.bucket(), prefix, after, max).await.expect("readable");
        uploads.into_iter().map(|upload| upload.id).collect::<Vec<_>>()
    };
    assert_eq!(list("", None, 10).await, [&*first, &second, &other]);
    assert_eq!(list("a/", None, 10).await, [&*first, &second]);
    assert_eq!(list("", None, 1).await, [&*first]);
    assert_eq!(list("", Some(("a/1", &first)), 10).await, [&*second, &other]);
    assert_eq!(list("", Some(("a/2", "")), 10).await, [&*other]);
    store.part(&first, 1, pattern(100_000, 1)).await;
    store.objects.abort_upload(store.bucket(), &first).await.expect("it is there");
    assert_eq!(list("", None, 10).await, [second, other]);
    let part = store.objects.put_part(store.bucket(), &first, 1, Body::from("1"), vec![]).await;
    assert!(matches!(part, Err(StoreError::Missing(_))), "{part:?}");
    let of_other = store.objects.parts(&store.buckets[1], &first, 0, 1).await;
    assert!(matches!(of_other, Err(StoreError::Missing(_))), "{of_other:?}");
}

pub(super) async fn leave_what_is_there_until_they_are_complete(store: &ObjectsFixture) {
    store.put("a", "before").await;
    let id = begin(store, "a").await;
    let part = store.part(&id, 1, pattern(100_000, 1)).await;
    assert_eq!(store.bytes("a").await, Some(Bytes::from("before")));
    assert_eq!(store.keys().await, ["a"]);
    store.objects.complete_upload(store.bucket(), &id, &[part], PutOptions::default()).await.expect("it is there");
    assert!(store.bytes("a").await == Some(pattern(100_000, 1)));
}
