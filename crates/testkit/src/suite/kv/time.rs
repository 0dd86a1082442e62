//! Expiry, by the clock that the store was given.

use std::time::Duration;

use ports::Clock as _;
use types::{
    Timestamp,
    kv::{Change, Committed, Condition, Transaction, WatchFrom},
};

use super::{KvFixture, bytes, next, put, put_until, rev_of, until_caught_up, writes};

fn in_seconds(store: &KvFixture, seconds: u64) -> Timestamp {
    store.clock.now().plus(Duration::from_secs(seconds).into())
}

pub(super) async fn expired_entries_are_gone_for_everyone(store: &KvFixture) {
    let expires = in_seconds(store, 10);
    let rev = store.write([put_until("a", "1", expires), put_until("b", "1", in_seconds(store, 20)), put("c", "1")]).await;
    assert_eq!(store.get("a").await.and_then(|entry| entry.expires), Some(expires), "the time is kept as it was given");
    store.clock.advance(Duration::from_millis(9_999));
    assert_eq!(store.list("").await.len(), 3, "nothing expires early");
    store.clock.advance(Duration::from_millis(1));
    assert_eq!(store.get("a").await, None);
    let keys = ["a", "b"].map(bytes);
    let many = store.kv.get_many(store.namespace(), &keys).await.expect("readable");
    assert_eq!(many.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    assert_eq!(store.list("").await.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), ["b", "c"]);
    let at = Transaction { conditions: vec![Condition::At(bytes("a"), rev)], ..writes([]) };
    assert_eq!(store.commit(at).await, Committed::Refused { condition: 0 });
    let absent = Transaction { conditions: vec![Condition::Absent(bytes("a"))], ..writes([put("a", "2")]) };
    assert!(matches!(store.commit(absent).await, Committed::At(_)));
    assert_eq!(store.value("a").await, Some(bytes("2")));
}

pub(super) async fn expiry_is_a_delete_for_watchers(store: &KvFixture) {
    let put_at = store.write([put_until("a", "1", in_seconds(store, 5)), put_until("b", "1", in_seconds(store, 70))]).await;
    let mut watch = store.watch("", WatchFrom::Snapshot).await;
    until_caught_up(&mut watch).await;
    store.clock.advance(Duration::from_secs(5));
    let gone = next(&mut watch).await;
    assert!(matches!(&gone, Change::Delete { key, .. } if key == "a"), "{gone:?}");
    assert!(rev_of(&gone) > put_at);
    // The next expiry comes without any write between.
    store.clock.advance(Duration::from_secs(65));
    let gone = next(&mut watch).await;
    assert!(matches!(&gone, Change::Delete { key, .. } if key == "b"), "{gone:?}");
    // An expired key that is written again was deleted before.
    store.write([put_until("c", "1", in_seconds(store, 1))]).await;
    assert!(matches!(next(&mut watch).await, Change::Put(_)));
    store.clock.advance(Duration::from_secs(1));
    store.write([put("c", "2")]).await;
    assert!(matches!(next(&mut watch).await, Change::Delete { .. }));
    assert!(matches!(next(&mut watch).await, Change::Put(entry) if entry.value == "2"));
}

pub(super) async fn a_later_write_outlives_the_first_expiry(store: &KvFixture) {
    let mut watch = store.watch("", WatchFrom::Snapshot).await;
    until_caught_up(&mut watch).await;
    store.write([put_until("a", "1", in_seconds(store, 5)), put_until("b", "1", in_seconds(store, 5))]).await;
    store.write([put("a", "2"), put_until("b", "2", in_seconds(store, 50))]).await;
    store.clock.advance(Duration::from_secs(5));
    store.write([put("end", "")]).await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|change| !matches!(change, Change::Put(entry) if entry.key == "end")) {
        seen.push(next(&mut watch).await);
    }
    assert!(seen.iter().all(|change| matches!(change, Change::Put(_))), "{seen:?}");
    assert_eq!(store.list("").await.len(), 3);
}
