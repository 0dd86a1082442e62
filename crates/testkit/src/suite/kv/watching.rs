//! Watching: the present, what follows, and where it can be taken up again.

use types::{
    kv::{Change, Entry, Rev, WatchFrom},
    limits,
};

use super::{KvFixture, bytes, delete, next, put, rev_of, until_caught_up};

pub(super) async fn gives_the_present_then_what_follows(store: &KvFixture) {
    let mut empty = store.watch("", WatchFrom::Snapshot).await;
    assert_eq!(next(&mut empty).await, Change::CaughtUp(Rev(0)), "an empty store has no revision yet");
    store.write([put("a", "1")]).await;
    store.write([put("b", "1"), put("c", "1")]).await;
    let head = store.write([delete("a")]).await;
    let mut watch = store.watch("", WatchFrom::Snapshot).await;
    let (present, caught_up) = until_caught_up(&mut watch).await;
    let wanted: Vec<Change> = store.list("").await.into_iter().map(Change::Put).collect();
    assert_eq!((present, caught_up), (wanted, head));
    let rev = store.write([put("d", "1"), delete("b"), delete("nothing")]).await;
    assert!(matches!(next(&mut watch).await, Change::Put(Entry { key, rev: at, .. }) if key == "d" && at == rev));
    assert_eq!(next(&mut watch).await, Change::Delete { key: bytes("b"), rev });
    // A removal of nothing is no change; the next one comes.
    let rev = store.write([put("e", "1")]).await;
    assert!(matches!(next(&mut watch).await, Change::Put(entry) if entry.key == "e" && entry.rev == rev));
}

pub(super) async fn resumes_at_each_revision_without_loss(store: &KvFixture) {
    let mut live = store.watch("", WatchFrom::Snapshot).await;
    until_caught_up(&mut live).await;
    for i in 0..12 {
        store.write([put("x", &i.to_string()), put(&i.to_string(), "1"), delete(&(i - 1).to_string())]).await;
    }
    let mut all = Vec::new();
    while all.len() < 12 * 3 - 1 {
        all.push(next(&mut live).await);
    }
    let revs: Vec<Rev> = all.iter().map(rev_of).collect();
    assert!(revs.is_sorted(), "in the order of revisions: {revs:?}");
    for from in revs.iter().copied().chain([Rev(0)]) {
        let mut resumed = store.watch("", WatchFrom::After(from)).await;
        let (changes, caught_up) = until_caught_up(&mut resumed).await;
        let wanted: Vec<Change> = all.iter().filter(|change| rev_of(change) > from).cloned().collect();
        assert_eq!(changes, wanted, "after {from:?}");
        assert!(revs.last().is_some_and(|last| caught_up >= *last), "caught up at {caught_up:?}");
    }
}

pub(super) async fn a_transaction_shares_its_revision(store: &KvFixture) {
    let mut watch = store.watch("", WatchFrom::Snapshot).await;
    until_caught_up(&mut watch).await;
    // More writes than any sensible page has: pages must not split it.
    let rev = store.write((0..limits::KV_TRANSACTION).map(|i| put(&i.to_string(), "1")).collect::<Vec<_>>()).await;
    for _ in 0..limits::KV_TRANSACTION {
        assert_eq!(rev_of(&next(&mut watch).await), rev);
    }
    let next_rev = store.write([put("a", "1"), put("a", "2")]).await;
    assert!(next_rev > rev);
    for value in ["1", "2"] {
        assert!(matches!(next(&mut watch).await, Change::Put(entry) if entry.value == value && entry.rev == next_rev));
    }
}

pub(super) async fn sees_its_prefix_only(store: &KvFixture) {
    store.write([put("a/1", "1"), put("b/1", "1")]).await;
    let mut watch = store.watch("b/", WatchFrom::Snapshot).await;
    let (present, _) = until_caught_up(&mut watch).await;
    assert!(matches!(&present[..], [Change::Put(entry)] if entry.key == "b/1"), "{present:?}");
    store.write([put("a/2", "1"), put("b", "1"), put("c/", "1"), delete("a/1")]).await;
    store.kv.commit(&store.namespaces[1], super::writes([put("b/other", "1")])).await.expect("the commit succeeds");
    store.write([delete("b/1")]).await;
    assert!(matches!(next(&mut watch).await, Change::Delete { key, .. } if key == "b/1"));
}

pub(super) async fn says_when_changes_are_gone(store: &KvFixture) {
    let first = store.write([put("old", "1")]).await;
    let second = store.write([put("old", "2")]).await;
    let mut stalled = store.watch("", WatchFrom::After(first)).await;
    let rounds = limits::KV_CHANGES / limits::KV_TRANSACTION + 2;
    let mut head = second;
    for round in 0..rounds {
        let batch = (0..limits::KV_TRANSACTION).map(|i| put(&format!("{i}"), &round.to_string()));
        head = store.write(batch.collect::<Vec<_>>()).await;
    }
    for gone in [Rev(0), first] {
        let mut watch = store.watch("", WatchFrom::After(gone)).await;
        assert_eq!(next(&mut watch).await, Change::Compacted);
        assert_eq!(super::soon("the end", futures_util::StreamExt::next(&mut watch)).await, None, "then it ends");
    }
    assert_eq!(next(&mut stalled).await, Change::Compacted, "a watcher that was too slow is told so");
    // Old values that are still present are no history: they stay.
    assert_eq!(store.value("old").await, Some(bytes("2")));
    assert_eq!(store.get("old").await.map(|entry| entry.rev), Some(second));
    let mut listed = store.watch("", WatchFrom::Snapshot).await;
    let (present, caught_up) = until_caught_up(&mut listed).await;
    assert_eq!((present.len(), caught_up), (limits::KV_TRANSACTION + 1, head));
    let mut recent = store.watch("", WatchFrom::After(Rev(head.0 - 1))).await;
    assert_eq!(until_caught_up(&mut recent).await.0.len(), limits::KV_TRANSACTION, "recent changes are kept");
    // A value that outlived its change is removed like any other.
    store.write([delete("old")]).await;
    assert_eq!(store.get("old").await, None);
    assert!(matches!(next(&mut recent).await, Change::Delete { key, .. } if key == "old"));
}
