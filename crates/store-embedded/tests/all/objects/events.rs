//! A change of an object and its event are there together.

use std::time::Duration;

use ports::{feeds::Feed, feeds::FeedSource, queue::QueueName};
use types::{
    event::StoreChange,
    object::{BucketConfig, LifecycleRule, Versioning},
    trace::{Cause, TraceContext},
    trigger::ChangeKind,
};

use super::*;

fn queue(name: &str) -> QueueName {
    QueueName(format!("shop/dev/~{name}"))
}

/// Takes all events of a queue: key, whether it is there now, version, and the depth of what caused it.
async fn events(store: &EmbeddedStore, name: &str) -> Vec<(String, bool, bool, Option<u32>)> {
    let claimed = store.queue().claim(&queue(name), 100, Duration::from_secs(30), Duration::ZERO).await.expect("readable");
    let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
    store.queue().ack(&queue(name), &receipts).await.expect("they are held");
    let event = |delivery: ports::queue::Delivery| match postcard::from_bytes(&delivery.message.body).expect("a change") {
        StoreChange::Object { key, written, version, bytes, .. } => {
            assert_eq!(bytes > 0, written);
            (key, written, version.is_some(), delivery.message.cause.map(|cause| cause.depth))
        }
        other => panic!("{other:?}"),
    };
    claimed.into_iter().map(event).collect()
}

fn some(key: &str, written: bool, version: bool, depth: Option<u32>) -> (String, bool, bool, Option<u32>) {
    (key.into(), written, version, depth)
}

#[tokio::test]
async fn those_who_wait_for_it_hear_of_each_change_and_of_nothing_else() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(TestClock::new());
    let store = EmbeddedStore::open(dir.path(), clock.clone()).expect("a new folder opens");
    let objects = store.objects();
    objects.create_bucket(&bucket()).await.expect("it can be made");
    let feed = |name, change, matching: Option<&str>| Feed {
        source: FeedSource::Bucket(bucket()),
        change,
        matching: matching.map(Into::into),
        queue: queue(name),
    };
    let feeds = vec![feed("all", ChangeKind::Any, None), feed("png", ChangeKind::Written, Some("*.png"))];
    store.feeds().install(feeds).await.expect("they can be installed");
    let trace = TraceContext::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("a context");
    let options = || PutOptions { cause: Some(Cause { trace, depth: 3 }), ..PutOptions::default() };
    for (key, size) in [("x/a.png", 10), ("b.txt", 100_000)] {
        objects.put(&bucket(), key, Body::from(pattern(size, 1)), options()).await.expect("there is room");
    }
    objects
        .put(&bucket(), "b.txt", Body::from("1"), PutOptions { condition: types::object::ObjectCondition::Absent, ..options() })
        .await
        .expect_err("it is there");
    objects.delete(&bucket(), "b.txt", None, None).await.expect("removable");
    objects.delete(&bucket(), "b.txt", None, None).await.expect("removable");
    let expected =
        [some("x/a.png", true, false, Some(3)), some("b.txt", true, false, Some(3)), some("b.txt", false, false, None)];
    assert_eq!(events(&store, "all").await, expected);
    assert_eq!(events(&store, "png").await, [some("x/a.png", true, false, Some(3))]);

    let expire = LifecycleRule { enabled: true, expire: Some(Duration::from_secs(60)), ..LifecycleRule::default() };
    let config = BucketConfig { versioning: Versioning::On, lifecycle: vec![expire], ..BucketConfig::default() };
    objects.configure(&bucket(), config).await.expect("it is there");
    let old = put(&objects, "v", Bytes::from("1")).await.expect("there is room");
    let new = put(&objects, "v", Bytes::from("2")).await.expect("there is room");
    objects.delete(&bucket(), "v", Some(&old.version), None).await.expect("removable");
    let marker = objects.delete(&bucket(), "v", None, None).await.expect("removable").expect("it is written");
    objects.delete(&bucket(), "v", Some(&marker.version), None).await.expect("removable");
    objects.delete(&bucket(), "v", Some(&new.version), None).await.expect("removable");
    let expected = [true, true, false, true, false].map(|written| some("v", written, true, None));
    assert_eq!(events(&store, "all").await, expected, "removing the old version changed nothing");
    clock.advance(Duration::from_secs(61));
    assert_eq!(objects.sweep().await.expect("it can be swept"), 1);
    assert_eq!(events(&store, "all").await, [some("x/a.png", false, true, None)]);

    let upload = objects.begin_upload(&bucket(), "up.png", Default::default()).await.expect("it begins");
    let part = objects.put_part(&bucket(), &upload.id, 1, Body::from("1"), vec![]).await.expect("there is room");
    objects.complete_upload(&bucket(), &upload.id, &[(1, part.etag)], options()).await.expect("it is there");
    objects.copy((&bucket(), "up.png", None), (&bucket(), "y/copy.png"), None, options()).await.expect("there is room");
    let expected = [some("up.png", true, true, Some(3)), some("y/copy.png", true, true, Some(3))];
    assert_eq!(events(&store, "png").await, expected);
}
