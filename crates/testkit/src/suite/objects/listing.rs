//! Listings in pages.

use super::*;

const KEYS: [&str; 12] =
    ["a", "a/", "a/1", "a/2/x", "a/2/y", "a0", "b/1", "b/2", "c", "ä/1", "z/\u{10ffff}", "z/\u{10ffff}\u{10ffff}"];

/// Objects and groups of a page in order.
fn names(page: &ObjectPage) -> Vec<String> {
    let mut names: Vec<String> = page.objects.iter().map(|info| info.key.clone()).chain(page.prefixes.clone()).collect();
    names.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    names
}

impl ObjectsFixture {
    /// All pages of a listing, each of at most `limit`.
    async fn all(&self, prefix: &str, delimiter: Option<&str>, limit: usize) -> Vec<String> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(ObjectQuery { after, ..query(prefix, delimiter, limit) }).await;
            let names = names(&page);
            assert!(names.len() == limit || page.next.is_none(), "a page that is not the last is full: {page:?}");
            assert!(page.objects.is_sorted_by(|a, b| a.key < b.key) && page.prefixes.is_sorted(), "{page:?}");
            all.extend(names);
            assert!(all.len() <= KEYS.len(), "pages repeat what was given: {all:?}");
            match page.next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    }
}

async fn fill(store: &ObjectsFixture) {
    for key in KEYS {
        store.put(key, key).await;
    }
}

pub(super) async fn pages_have_no_gaps(store: &ObjectsFixture) {
    fill(store).await;
    let mut sorted = KEYS;
    sorted.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    for limit in [1, 2, 5, 11, 12, 13] {
        assert_eq!(store.all("", None, limit).await, sorted, "{limit} at once");
    }
    let page = store.list(ObjectQuery { after: Some("a/1x".into()), ..query("", None, 2) }).await;
    assert_eq!(names(&page), ["a/2/x", "a/2/y"], "what to continue after need not be there");
    assert_eq!(store.list(query("", None, 0)).await, ObjectPage::default());
    let before = store.list(ObjectQuery { after: Some("a".into()), ..query("b/", None, 5) }).await;
    assert_eq!(names(&before), ["b/1", "b/2"]);
    let behind = store.list(ObjectQuery { after: Some("c".into()), ..query("b/", None, 5) }).await;
    assert_eq!(behind, ObjectPage::default());
}

pub(super) async fn groups_stand_for_all_that_share_them(store: &ObjectsFixture) {
    fill(store).await;
    for limit in [1, 2, 3, 20] {
        assert_eq!(store.all("", Some("/"), limit).await, ["a", "a/", "a0", "b/", "c", "z/", "ä/"], "{limit} at once");
        assert_eq!(store.all("a/", Some("/"), limit).await, ["a/", "a/1", "a/2/"], "{limit} at once");
        assert_eq!(store.all("", Some("/2"), limit).await.len(), 11, "a delimiter may be longer");
        assert_eq!(store.all("", Some(""), limit).await.len(), KEYS.len(), "none at all groups nothing");
    }
    let page = store.list(query("", Some("/"), 20)).await;
    assert_eq!(page.prefixes, ["a/", "b/", "z/", "ä/"]);
    let inside = store.list(ObjectQuery { after: Some("a/1".into()), ..query("", Some("/"), 2) }).await;
    assert_eq!(names(&inside), ["a/", "a0"], "a key is no group: the rest of its group comes");
}

pub(super) async fn prefixes_end_where_they_should(store: &ObjectsFixture) {
    fill(store).await;
    assert_eq!(store.all("a", None, 3).await, ["a", "a/", "a/1", "a/2/x", "a/2/y", "a0"]);
    assert_eq!(store.all("z/\u{10ffff}", None, 1).await, ["z/\u{10ffff}", "z/\u{10ffff}\u{10ffff}"]);
    assert_eq!(store.all("z/\u{10ffff}", Some("\u{10ffff}"), 1).await, ["z/\u{10ffff}", "z/\u{10ffff}\u{10ffff}"]);
    assert_eq!(store.all("none", None, 3).await, Vec::<String>::new());
}

pub(super) async fn deleted_objects_are_not_there(store: &ObjectsFixture) {
    store.configure(Versioning::On, vec![]).await;
    fill(store).await;
    for key in ["a", "b/1", "b/2", "a/1", "z/\u{10ffff}"] {
        store.delete(key, None).await.expect("it is written");
    }
    assert_eq!(store.all("", Some("/"), 2).await, ["a/", "a0", "c", "z/", "ä/"]);
    assert_eq!(store.all("", None, 3).await.len(), KEYS.len() - 5);
}

pub(super) async fn versions_are_listed_newest_first(store: &ObjectsFixture) {
    store.configure(Versioning::On, vec![]).await;
    let mut written: BTreeMap<&str, Vec<VersionId>> = BTreeMap::new();
    for (key, text) in [("a", "1"), ("b/x", "1"), ("a", "2"), ("b/y", "1"), ("a", "3"), ("c", "1"), ("c", "2")] {
        written.entry(key).or_default().insert(0, store.put(key, text).await.version);
    }
    let marker = store.delete("c", None).await.expect("it is written");
    written.entry("c").or_default().insert(0, marker.version);
    let all: Vec<_> = written.into_iter().flat_map(|(key, ids)| ids.into_iter().map(move |id| (key.to_owned(), id))).collect();
    for limit in [1, 2, 3, 100] {
        let (mut listed, mut after, mut version) = (Vec::new(), None, None);
        loop {
            let query = ObjectQuery { after, ..query("", None, limit) };
            let page = store.objects.list_versions(store.bucket(), query, version.as_ref()).await.expect("readable");
            assert!(page.objects.len() == limit || page.next.is_none());
            version = page.objects.last().map(|last| last.version.clone());
            listed.extend(page.objects.into_iter().map(|info| (info.key, info.version)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, all, "{limit} at once");
    }
    let page = store.objects.list_versions(store.bucket(), query("", Some("/"), 100), None).await.expect("readable");
    assert_eq!((page.objects.len(), page.prefixes), (6, vec!["b/".to_owned()]));
    let skipping = ObjectQuery { after: Some("a".into()), ..query("", None, 100) };
    let page = store.objects.list_versions(store.bucket(), skipping, None).await.expect("readable");
    assert_eq!(page.objects[0].key, "b/x", "without a version all of the key is behind");
}
