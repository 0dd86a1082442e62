//! Versions and delete markers.

use super::*;

impl ObjectsFixture {
    /// The versions of a key, newest first: text, or `-` for a delete marker.
    async fn texts(&self, key: &str) -> Vec<String> {
        let page = self.objects.list_versions(self.bucket(), query(key, None, 1_000), None).await.expect("readable");
        let mut texts = Vec::new();
        for info in page.objects.iter().filter(|info| info.key == key) {
            let bytes = self.read(key, Some(&info.version), None).await.expect("it is listed");
            texts.push(if info.is_delete_marker { "-".into() } else { String::from_utf8_lossy(&bytes).into_owned() });
        }
        texts
    }
}

pub(super) async fn are_kept_when_it_is_said(store: &ObjectsFixture) {
    let before = store.put("a", "1").await;
    store.configure(Versioning::On, vec![]).await;
    let second = store.put("a", "2").await;
    let third = store.put("a", "3").await;
    assert_eq!(before.version.0, "null");
    assert!(second.version != third.version && second.version.0 != "null");
    assert_eq!(store.bytes("a").await, Some(Bytes::from("3")));
    for (info, text) in [(&before, "1"), (&second, "2"), (&third, "3")] {
        assert_eq!(store.read("a", Some(&info.version), None).await, Some(Bytes::from(text)));
        assert_eq!(store.head("a", Some(&info.version)).await.as_ref(), Some(info));
    }
    assert_eq!(store.texts("a").await, ["3", "2", "1"]);
    assert_eq!(store.keys().await, ["a"]);
    assert_eq!(store.head("a", Some(&VersionId("other".into()))).await, None);
    let from = (store.bucket(), "a", Some(&second.version));
    store.objects.copy(from, (store.bucket(), "a"), None, PutOptions::default()).await.expect("it can be written");
    assert_eq!(store.texts("a").await, ["2", "3", "2", "1"]);
    assert_eq!(store.delete("a", Some(&third.version)).await, Some(third));
    assert_eq!(store.texts("a").await, ["2", "2", "1"]);
}

pub(super) async fn a_delete_marker_hides_and_can_be_removed(store: &ObjectsFixture) {
    store.configure(Versioning::On, vec![]).await;
    let first = store.put("a", "1").await;
    let marker = store.delete("a", None).await.expect("it is written");
    assert!(marker.is_delete_marker && marker.version != first.version);
    assert_eq!((store.head("a", None).await, store.bytes("a").await), (None, None));
    assert_eq!(store.head("a", Some(&marker.version)).await.as_ref(), Some(&marker));
    assert_eq!(store.keys().await, Vec::<String>::new());
    assert_eq!(store.texts("a").await, ["-", "1"]);
    let tagged = store.objects.tag(store.bucket(), "a", Some(&marker.version), BTreeMap::new()).await.expect("readable");
    assert_eq!(tagged, None, "there is nothing to tag");
    assert_eq!(store.delete("a", Some(&marker.version)).await, Some(marker));
    assert_eq!(store.bytes("a").await, Some(Bytes::from("1")));
    assert_eq!(store.keys().await, ["a"]);
    let lone = store.delete("b", None).await.expect("it is written, though nothing was there");
    assert!(lone.is_delete_marker);
    assert_eq!(store.delete("a", Some(&first.version)).await, Some(first));
    assert_eq!(store.delete("a", Some(&VersionId("other".into()))).await, None);
    let refused = store.objects.delete_bucket(store.bucket()).await;
    assert!(matches!(refused, Err(StoreError::Changed(_))), "a delete marker is something: {refused:?}");
    store.delete("b", Some(&lone.version)).await.expect("it was there");
    store.objects.delete_bucket(store.bucket()).await.expect("it is empty");
}

pub(super) async fn suspended_ones_share_one_place(store: &ObjectsFixture) {
    store.put("a", "0").await;
    store.configure(Versioning::On, vec![]).await;
    store.put("a", "1").await;
    store.configure(Versioning::Suspended, vec![]).await;
    assert_eq!(store.put("a", "2").await.version.0, "null");
    assert_eq!(store.texts("a").await, ["2", "1"], "it took the place of the first");
    store.put("a", "3").await;
    assert_eq!(store.texts("a").await, ["3", "1"]);
    let marker = store.delete("a", None).await.expect("it is written");
    assert_eq!((marker.version.0.as_str(), marker.is_delete_marker), ("null", true));
    assert_eq!(store.texts("a").await, ["-", "1"]);
    store.delete("a", Some(&marker.version)).await.expect("it was there");
    assert_eq!(store.bytes("a").await, Some(Bytes::from("1")));
    store.configure(Versioning::On, vec![]).await;
    store.put("a", "4").await;
    assert_eq!(store.texts("a").await, ["4", "1"]);
}

pub(super) async fn once_kept_are_never_off_again(store: &ObjectsFixture) {
    store.configure(Versioning::On, vec![]).await;
    store.put("a", "1").await;
    store.configure(Versioning::Off, vec![]).await;
    let config = store.objects.config(store.bucket()).await.expect("readable").expect("it is there");
    assert_eq!(config.versioning, Versioning::Suspended);
    store.put("a", "2").await;
    assert_eq!(store.texts("a").await, ["2", "1"]);
}
