//! Transactions, conditions and limits.

use bytes::Bytes;
use ports::StoreError;
use types::{
    kv::{Committed, Condition, IdempotencyKey, Rev, Transaction, Write},
    limits,
};

use super::{KvFixture, bytes, delete, put, writes};

fn absent(key: &str) -> Condition {
    Condition::Absent(bytes(key))
}
fn at(key: &str, rev: Rev) -> Condition {
    Condition::At(bytes(key), rev)
}
fn when(conditions: impl Into<Vec<Condition>>, items: impl Into<Vec<Write>>) -> Transaction {
    Transaction { conditions: conditions.into(), ..writes(items) }
}

pub(super) async fn a_transaction_happens_wholly_or_not_at_all(store: &KvFixture) {
    let first = store.write([put("a", "1"), put("b", "1")]).await;
    let refused = store.commit(when([at("a", first), absent("b")], [put("a", "2"), delete("b"), put("c", "2")])).await;
    assert_eq!(refused, Committed::Refused { condition: 1 });
    assert_eq!((store.value("a").await, store.value("b").await), (Some(bytes("1")), Some(bytes("1"))));
    assert_eq!(store.get("c").await, None);
    let done = store.commit(when([at("a", first), absent("c")], [put("a", "2"), delete("b"), put("c", "2")])).await;
    assert!(matches!(done, Committed::At(rev) if rev > first), "{done:?}");
    assert_eq!((store.value("a").await, store.value("b").await), (Some(bytes("2")), None));
    assert_eq!(store.get("a").await.map(|entry| entry.rev), store.get("c").await.map(|entry| entry.rev), "one revision for all");
}

pub(super) async fn names_the_first_condition_that_failed(store: &KvFixture) {
    let rev = store.write([put("a", "1")]).await;
    let refused = store.commit(when([at("a", rev), absent("x"), absent("a"), at("y", rev)], [])).await;
    assert_eq!(refused, Committed::Refused { condition: 2 });
}

pub(super) async fn conditions_see_revisions_and_absence(store: &KvFixture) {
    let old = store.write([put("a", "1")]).await;
    let new = store.write([put("a", "1")]).await;
    assert!(new > old, "the same value again is a new revision");
    let other = store.write([put("b", "1")]).await;
    for stale in [old, other, Rev(0), Rev(u64::MAX >> 1)] {
        assert_eq!(store.commit(when([at("a", stale)], [delete("a")])).await, Committed::Refused { condition: 0 });
    }
    assert!(matches!(store.commit(when([at("a", new)], [delete("a")])).await, Committed::At(_)));
    assert_eq!(store.commit(when([at("a", new)], [put("a", "2")])).await, Committed::Refused { condition: 0 });
    assert!(matches!(store.commit(when([absent("a")], [put("a", "3")])).await, Committed::At(_)));
}

pub(super) async fn later_writes_of_a_transaction_win(store: &KvFixture) {
    store.write([put("a", "1"), put("a", "2"), put("b", "1"), delete("b"), delete("c"), put("c", "1")]).await;
    assert_eq!(store.value("a").await, Some(bytes("2")));
    assert_eq!(store.value("b").await, None);
    assert_eq!(store.value("c").await, Some(bytes("1")));
}

pub(super) async fn refuses_what_is_over_a_limit(store: &KvFixture) {
    let long = |limit: types::ByteCount, more: usize| Bytes::from(vec![b'k'; limit.as_usize() + more]);
    let write = |key: Bytes, value: Bytes| writes([Write::Put { key, value, expires: None }]);
    let largest = write(long(limits::KV_KEY, 0), long(limits::KV_VALUE, 0));
    assert!(matches!(store.commit(largest).await, Committed::At(_)), "the limit itself is allowed");

    let many = |count| writes((0..count).map(|i| put(&i.to_string(), "")).collect::<Vec<_>>());
    assert!(matches!(store.commit(many(limits::KV_TRANSACTION)).await, Committed::At(_)), "the limit itself is allowed");

    let whole = (0..17).map(|i| Write::Put { key: bytes(&i.to_string()), value: long(limits::KV_VALUE, 0), expires: None });
    let named = Transaction { idempotency: Some(IdempotencyKey("k".repeat(1025))), ..writes([]) };
    let before = store.list("").await;
    for (transaction, what) in [
        (write(long(limits::KV_KEY, 1), Bytes::new()), "key"),
        (when([Condition::Absent(long(limits::KV_KEY, 1))], []), "key"),
        (named, "key"),
        (write(bytes("a"), long(limits::KV_VALUE, 1)), "value"),
        (writes(whole.collect::<Vec<_>>()), "transaction"),
    ] {
        let refused = store.kv.commit(store.namespace(), transaction).await;
        assert!(matches!(refused, Err(StoreError::TooLarge { what: which, .. }) if which == what), "{what}: {refused:?}");
    }
    let refused = store.kv.commit(store.namespace(), many(limits::KV_TRANSACTION + 1)).await;
    let allowed = limits::KV_TRANSACTION as u64;
    assert!(matches!(refused, Err(StoreError::TooMany { allowed: limit, .. }) if limit == allowed), "{refused:?}");
    assert_eq!(store.list("").await, before, "nothing was written");
}

pub(super) async fn namespaces_share_nothing(store: &KvFixture) {
    let [first, second] = &store.namespaces;
    let key = IdempotencyKey("same".into());
    let named = |value: &str| Transaction { idempotency: Some(key.clone()), ..writes([put("a", value)]) };
    store.kv.commit(first, named("1")).await.expect("it is new here");
    store.kv.commit(second, named("2")).await.expect("it is new here too");
    let value = |entry: Option<types::kv::Entry>| entry.map(|entry| entry.value);
    assert_eq!(value(store.kv.get(first, &bytes("a")).await.expect("readable")), Some(bytes("1")));
    assert_eq!(value(store.kv.get(second, &bytes("a")).await.expect("readable")), Some(bytes("2")));
    store.kv.commit(second, writes([delete("a")])).await.expect("it is there");
    assert_eq!(value(store.kv.get(first, &bytes("a")).await.expect("readable")), Some(bytes("1")));
}
