//! Writing, and what is known afterwards.

use std::time::Duration;

use md5::{Digest as _, Md5};
use ports::{Clock as _, body::checksum_trailers};
use types::limits;

use super::*;

pub(super) async fn gives_back_what_was_put(store: &ObjectsFixture) {
    // On both sides of where an adapter may begin to store differently.
    for size in [0, 1, 1_000, 65_535, 65_536, 65_537, 131_072, 524_289, 3 << 20] {
        let bytes = pattern(size, 1);
        for piece in [None, Some(777), Some(65_536), Some(1 << 20)] {
            let body = piece.map_or_else(|| Body::from(bytes.clone()), |piece| pieces(&bytes, piece));
            let info = store.objects.put(store.bucket(), "key", body, PutOptions::default()).await.expect("it can be written");
            assert_eq!((info.bytes, info.etag), (size as u64, format!("{:x}", Md5::digest(&bytes))), "{size} in {piece:?}");
            assert!(store.bytes("key").await == Some(bytes.clone()), "{size} in {piece:?}");
        }
    }
    assert_eq!(store.keys().await, ["key"], "the last took the place of those before");
}

pub(super) async fn says_what_is_known_of_an_object(store: &ObjectsFixture) {
    let early = ("crc32".to_owned(), "NhCmhg==".to_owned());
    let late = ("sha256".to_owned(), "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=".to_owned());
    let frames = [Ok(Frame::data(Bytes::from("hello"))), Ok(checksum_trailers(std::slice::from_ref(&late)))];
    let body = Body::stream(StreamBody::new(stream::iter(frames)));
    let options = PutOptions { attributes: tagged("a"), checksums: vec![early.clone()], ..PutOptions::default() };
    let modified = store.clock.now();
    let info = store.objects.put(store.bucket(), "späte/äpfel", body, options).await.expect("it can be written");
    store.clock.advance(Duration::from_secs(1));
    let expected = ObjectInfo {
        key: "späte/äpfel".into(),
        bytes: 5,
        etag: "5d41402abc4b2a76b9719d911017c592".into(),
        modified,
        version: VersionId("null".into()),
        is_delete_marker: false,
        attributes: tagged("a"),
        checksums: vec![early, late],
        parts: vec![],
    };
    assert_eq!(info, expected);
    assert_eq!(store.head("späte/äpfel", None).await.as_ref(), Some(&info));
    assert_eq!(store.head("späte/äpfel", Some(&info.version)).await.as_ref(), Some(&info));
    assert_eq!(store.list(query("", None, 10)).await.objects, [info]);
    assert_eq!(store.head("späte", None).await, None);
    assert_eq!(store.bytes("späte").await, None);
    assert_eq!(store.delete("späte", None).await, None);
}

pub(super) async fn a_body_that_breaks_off_writes_nothing(store: &ObjectsFixture) {
    store.put("there", "before").await;
    for size in [0, 10, 100_000, 2 << 20] {
        for key in ["there", "new"] {
            let body = breaking(pattern(size, 2));
            let outcome = store.objects.put(store.bucket(), key, body, PutOptions::default()).await;
            assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
        }
        assert_eq!(store.bytes("there").await, Some(Bytes::from("before")));
        assert_eq!(store.keys().await, ["there"]);
    }
    let upload = store.objects.begin_upload(store.bucket(), "new", ObjectAttributes::default()).await.expect("it begins");
    let part = store.objects.put_part(store.bucket(), &upload.id, 1, breaking(pattern(100_000, 3)), vec![]).await;
    assert!(matches!(part, Err(StoreError::Failed(_))), "{part:?}");
    let (_, parts) = store.objects.parts(store.bucket(), &upload.id, 0, 10).await.expect("it is there");
    assert_eq!(parts, []);
}

pub(super) async fn conditions_are_looked_at(store: &ObjectsFixture) {
    let put = async |text: &'static str, condition| {
        store.objects.put(store.bucket(), "a", Body::from(text), on(condition)).await.map(|info| info.etag)
    };
    let is_refused = |outcome: Result<String, StoreError>| assert!(matches!(outcome, Err(StoreError::Changed(_))), "{outcome:?}");
    is_refused(put("0", ObjectCondition::Matches("x".into())).await);
    let first = put("1", ObjectCondition::Absent).await.expect("there is none");
    is_refused(put("2", ObjectCondition::Absent).await);
    let second = put("3", ObjectCondition::Matches(first.clone())).await.expect("it has this tag");
    is_refused(put("4", ObjectCondition::Matches(first)).await);
    assert_eq!(store.bytes("a").await, Some(Bytes::from("3")));
    let (a, b) = ((store.bucket(), "a", None), (store.bucket(), "b"));
    store.objects.copy(a, b, None, on(ObjectCondition::Absent)).await.expect("there is none").expect("there is the source");
    let again = store.objects.copy(a, b, None, on(ObjectCondition::Absent)).await;
    is_refused(again.map(|_| String::new()));
    store.objects.copy(a, b, None, on(ObjectCondition::Matches(second))).await.expect("it has this tag");
    store.delete("a", None).await.expect("it was there");
    put("5", ObjectCondition::Absent).await.expect("there is none any more");
    store.configure(Versioning::On, vec![]).await;
    store.delete("a", None).await.expect("it was there");
    put("6", ObjectCondition::Absent).await.expect("a delete marker says that there is none");
}

pub(super) async fn refuses_what_is_over_a_limit(store: &ObjectsFixture) {
    let (bucket, text) = (store.bucket(), |count: types::ByteCount| "x".repeat(count.0 as usize));
    let put = async |key: &str, attributes: ObjectAttributes| {
        let options = PutOptions { attributes, ..PutOptions::default() };
        let outcome = store.objects.put(bucket, key, Body::from("1"), options).await;
        match outcome {
            Ok(_) => "",
            Err(StoreError::TooLarge { what, measured, allowed }) if measured == allowed + 1 => what,
            Err(StoreError::Denied(_)) => "denied",
            Err(other) => panic!("{other:?}"),
        }
    };
    let metadata =
        |value: String| ObjectAttributes { metadata: BTreeMap::from([(String::new(), value)]), ..ObjectAttributes::default() };
    let tags = |value: String| ObjectAttributes { tags: BTreeMap::from([(String::new(), value)]), ..ObjectAttributes::default() };
    let none = ObjectAttributes::default;
    assert_eq!(put("", none()).await, "denied");
    assert_eq!(put(&text(limits::OBJECT_KEY), none()).await, "");
    assert_eq!(put(&(text(limits::OBJECT_KEY) + "x"), none()).await, "key");
    assert_eq!(put("a", metadata(text(limits::OBJECT_METADATA))).await, "");
    assert_eq!(put("b", metadata(text(limits::OBJECT_METADATA) + "x")).await, "metadata");
    assert_eq!(put("a", tags(text(limits::OBJECT_METADATA))).await, "");
    assert_eq!(put("b", tags(text(limits::OBJECT_METADATA) + "x")).await, "tags");
    assert_eq!(store.head("b", None).await, None);
    let upload = store.objects.begin_upload(bucket, "a", none()).await.expect("it begins");
    for (number, is_allowed) in [(0, false), (limits::OBJECT_PARTS, true), (limits::OBJECT_PARTS + 1, false)] {
        let part = store.objects.put_part(bucket, &upload.id, number, Body::from("1"), vec![]).await;
        assert_eq!(part.is_ok(), is_allowed, "{number}: {part:?}");
    }
}

pub(super) async fn copies_take_all_or_what_is_said_anew(store: &ObjectsFixture) {
    for size in [10, 200_000] {
        let bytes = pattern(size, 4);
        let checksums = vec![("crc32".to_owned(), "x".to_owned())];
        let options = PutOptions { attributes: tagged("a"), checksums, ..PutOptions::default() };
        let source = store.objects.put(store.bucket(), "a", Body::from(bytes.clone()), options).await.expect("it can be written");
        let (from, other) = ((store.bucket(), "a", None), &store.buckets[1]);
        store.clock.advance(Duration::from_secs(1));
        let copy = store.objects.copy(from, (other, "b"), None, PutOptions::default()).await.expect("it can be written");
        let copied = ObjectInfo { key: "b".into(), modified: store.clock.now(), ..source.clone() };
        assert_eq!(copy, Some(copied));
        let said = store.objects.copy(from, (store.bucket(), "a"), Some(tagged("new")), PutOptions::default()).await;
        let said = said.expect("it can be written").expect("an object can be copied onto itself");
        assert_eq!((said.attributes, said.etag), (tagged("new"), source.etag));
        assert!(store.bytes("a").await == Some(bytes.clone()));
        // The copy lives by itself.
        store.delete("a", None).await.expect("it was there");
        let (_, body) = store.objects.get(other, "b", None, None).await.expect("readable").expect("it is there");
        assert!(collect(body).await.expect("the body is whole") == bytes);
        let none = store.objects.copy(from, (other, "c"), None, PutOptions::default()).await.expect("readable");
        assert_eq!(none, None, "there is no source any more");
    }
}

pub(super) async fn tags_change_alone(store: &ObjectsFixture) {
    let info = store.put("a", "1").await;
    store.clock.advance(Duration::from_secs(1));
    let tags = BTreeMap::from([("state".to_owned(), "done".to_owned())]);
    let tagged = store.objects.tag(store.bucket(), "a", None, tags.clone()).await.expect("it can be written");
    let attributes = ObjectAttributes { tags: tags.clone(), ..ObjectAttributes::default() };
    assert_eq!(tagged, Some(ObjectInfo { attributes, ..info }));
    assert_eq!(store.head("a", None).await, tagged);
    assert_eq!(store.bytes("a").await, Some(Bytes::from("1")));
    assert_eq!(store.objects.tag(store.bucket(), "b", None, tags).await.expect("readable"), None);
}
