//! Many callers at once.

use std::collections::BTreeMap;

use types::kv::{Change, Committed, Condition, Rev, Transaction, WatchFrom};

use super::{KvFixture, bytes, next, put, rev_of, until_caught_up, writes};

const WRITERS: usize = 16;
const WRITES_EACH: usize = 12;

/// Whoever takes a revision early and commits late must not be overtaken: what was read stays true, and no watcher misses anything.
pub(super) async fn no_revision_appears_below_one_seen(store: &KvFixture) {
    let mut watch = store.watch("", WatchFrom::Snapshot).await;
    until_caught_up(&mut watch).await;
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (kv, namespace) = (store.kv.clone(), store.namespace().clone());
            tokio::spawn(async move {
                for i in 0..WRITES_EACH {
                    kv.commit(&namespace, writes([put(&format!("{writer}/{i}"), "1")])).await.expect("the commit succeeds");
                }
            })
        })
        .collect();
    let (mut seen, mut highest) = (BTreeMap::new(), Rev(0));
    while seen.len() < WRITERS * WRITES_EACH {
        let listed = store.list("").await;
        let newest = listed.iter().map(|entry| entry.rev).max().unwrap_or_default();
        for entry in listed {
            let is_new = seen.insert(entry.key.clone(), entry.rev).is_none();
            assert!(!is_new || entry.rev > highest, "{:?} appeared at {:?} after {highest:?} was seen", entry.key, entry.rev);
        }
        highest = highest.max(newest);
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("it does not panic");
    }
    let mut watched = BTreeMap::new();
    let mut last = Rev(0);
    while watched.len() < seen.len() {
        let change = next(&mut watch).await;
        assert!(rev_of(&change) > last, "{change:?} came after {last:?}");
        last = rev_of(&change);
        if let Change::Put(entry) = change {
            watched.insert(entry.key, entry.rev);
        }
    }
    assert_eq!(watched, seen);
}

/// Compare and set, tried again when another was first: every increment counts once.
pub(super) async fn counters_lose_no_increment(store: &KvFixture) {
    store.write([put("counter", "0")]).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (kv, namespace) = (store.kv.clone(), store.namespace().clone());
            tokio::spawn(async move {
                let mut left = 10;
                while left > 0 {
                    let entry = kv.get(&namespace, &bytes("counter")).await.expect("readable").expect("it is there");
                    let count: usize = String::from_utf8_lossy(&entry.value).parse().expect("a number");
                    tokio::task::yield_now().await;
                    let conditions = vec![Condition::At(bytes("counter"), entry.rev)];
                    let next = Transaction { conditions, ..writes([put("counter", &(count + 1).to_string())]) };
                    let outcome = kv.commit(&namespace, next).await.expect("the commit succeeds");
                    left -= usize::from(matches!(outcome, Committed::At(_)));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
    assert_eq!(store.value("counter").await, Some(bytes("80")));
}
