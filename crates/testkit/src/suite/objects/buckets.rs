//! Buckets themselves.

use std::time::Duration;

use ports::Clock as _;

use super::*;

pub(super) async fn are_made_once_and_listed_by_name(store: &ObjectsFixture) {
    let [first, second] = &store.buckets;
    let made = store.clock.now();
    store.clock.advance(Duration::from_secs(1));
    assert!(!store.objects.create_bucket(first).await.expect("it is there"), "it is not new");
    let listed = store.objects.buckets("shop/dev/").await.expect("readable");
    assert_eq!(listed, [(first.clone(), made), (second.clone(), made)]);
    assert_eq!(store.objects.buckets("shop/dev/s").await.expect("readable").len(), 1);
    assert_eq!(store.objects.buckets("shop/prod/").await.expect("readable"), []);
}

pub(super) async fn are_only_removed_empty(store: &ObjectsFixture) {
    let bucket = store.bucket();
    let is_refused = async || {
        let refused = store.objects.delete_bucket(bucket).await;
        assert!(matches!(refused, Err(StoreError::Changed(_))), "{refused:?}");
    };
    store.put("a", "1").await;
    is_refused().await;
    store.delete("a", None).await.expect("it was there");
    let upload = store.objects.begin_upload(bucket, "a", ObjectAttributes::default()).await.expect("there is the bucket");
    is_refused().await;
    store.objects.abort_upload(bucket, &upload.id).await.expect("it is there");
    store.objects.delete_bucket(bucket).await.expect("it is empty");
    assert_eq!(store.objects.config(bucket).await.expect("readable"), None);
    assert!(store.objects.create_bucket(bucket).await.expect("it can be made"), "it is new again");
}

pub(super) async fn that_do_not_exist_are_missing(store: &ObjectsFixture) {
    let bucket = &BucketName("shop/dev/none".into());
    let (objects, options) = (&store.objects, PutOptions::default);
    fn is_missing<T>(outcome: Result<T, StoreError>) {
        match outcome {
            Err(StoreError::Missing(_)) => {}
            Err(other) => panic!("{other:?} and not missing"),
            Ok(_) => panic!("there is no such bucket"),
        }
    }
    assert_eq!(objects.config(bucket).await.expect("readable"), None);
    is_missing(objects.configure(bucket, BucketConfig::default()).await);
    is_missing(objects.delete_bucket(bucket).await);
    is_missing(objects.put(bucket, "a", Body::from("1"), options()).await);
    is_missing(objects.head(bucket, "a", None).await);
    is_missing(objects.get(bucket, "a", None, None).await);
    is_missing(objects.delete(bucket, "a", None, None).await);
    is_missing(objects.tag(bucket, "a", None, BTreeMap::new()).await);
    is_missing(objects.copy((bucket, "a", None), (store.bucket(), "b"), None, options()).await);
    is_missing(objects.list(bucket, query("", None, 10)).await);
    is_missing(objects.list_versions(bucket, query("", None, 10), None).await);
    is_missing(objects.begin_upload(bucket, "a", ObjectAttributes::default()).await);
    is_missing(objects.put_part(bucket, "1", 1, Body::from("1"), vec![]).await);
    is_missing(objects.uploads(bucket, "", None, 10).await);
    store.put("a", "1").await;
    is_missing(objects.copy((store.bucket(), "a", None), (bucket, "b"), None, options()).await);
    is_missing(objects.put_part(store.bucket(), "1", 1, Body::from("1"), vec![]).await);
    is_missing(objects.parts(store.bucket(), "1", 0, 10).await);
    is_missing(objects.complete_upload(store.bucket(), "1", &[(1, "x".into())], options()).await);
    is_missing(objects.abort_upload(store.bucket(), "1").await);
}

pub(super) async fn keep_their_settings(store: &ObjectsFixture) {
    let bucket = store.bucket();
    assert_eq!(store.objects.config(bucket).await.expect("readable"), Some(BucketConfig::default()));
    let rule = LifecycleRule { id: "r".into(), enabled: true, expire: Some(Duration::from_secs(5)), ..LifecycleRule::default() };
    let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let config = BucketConfig { versioning: Versioning::On, lifecycle: vec![rule], tags, ..BucketConfig::default() };
    store.objects.configure(bucket, config.clone()).await.expect("there is the bucket");
    assert_eq!(store.objects.config(bucket).await.expect("readable"), Some(config));
}

pub(super) async fn share_nothing(store: &ObjectsFixture) {
    store.put("a", "first").await;
    let other = &store.buckets[1];
    assert_eq!(store.objects.head(other, "a", None).await.expect("readable"), None);
    assert_eq!(store.objects.list(other, query("", None, 10)).await.expect("readable"), ObjectPage::default());
    store.objects.put(other, "a", Body::from("second"), PutOptions::default()).await.expect("it can be written");
    assert_eq!(store.bytes("a").await, Some(Bytes::from("first")));
    store.delete("a", None).await.expect("it was there");
    assert!(store.objects.head(other, "a", None).await.expect("readable").is_some());
}
