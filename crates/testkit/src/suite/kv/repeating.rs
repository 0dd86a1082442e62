//! Idempotency keys: what makes a repetition after a lost reply harmless.

use std::time::Duration;

use ports::StoreError;
use types::{
    kv::{Committed, Condition, IdempotencyKey, Transaction, Write},
    limits,
};

use super::{KvFixture, bytes, put, writes};

fn named(key: &str, items: impl Into<Vec<Write>>) -> Transaction {
    Transaction { idempotency: Some(IdempotencyKey(key.into())), ..writes(items) }
}

pub(super) async fn a_repeated_call_has_one_effect(store: &KvFixture) {
    let first = store.commit(named("once", [put("a", "1")])).await;
    let between = store.write([put("a", "2")]).await;
    assert_eq!(store.commit(named("once", [put("a", "1")])).await, first, "the first reply is given again");
    let entry = store.get("a").await.expect("it was put");
    assert_eq!((entry.value, entry.rev), (bytes("2"), between), "nothing was written");
}

pub(super) async fn a_refusal_is_repeated_too(store: &KvFixture) {
    store.write([put("a", "1")]).await;
    let careful = || Transaction { conditions: vec![Condition::Absent(bytes("a"))], ..named("once", [put("b", "1")]) };
    let refused = Committed::Refused { condition: 0 };
    assert_eq!(store.commit(careful()).await, refused);
    store.write([super::delete("a")]).await;
    assert_eq!(store.commit(careful()).await, refused, "the first reply is given again");
    assert_eq!(store.get("b").await, None);
}

pub(super) async fn a_key_used_for_something_else_is_a_conflict(store: &KvFixture) {
    store.commit(named("once", [put("a", "1")])).await;
    let others = [
        named("once", [put("a", "2")]),
        named("once", [put("a", "1"), put("a", "1")]),
        Transaction { conditions: vec![Condition::Absent(bytes("z"))], ..named("once", [put("a", "1")]) },
    ];
    for other in others {
        let refused = store.kv.commit(store.namespace(), other).await;
        assert!(matches!(&refused, Err(StoreError::Conflict(key)) if key == "once"), "{refused:?}");
    }
    assert_eq!(store.value("a").await, Some(bytes("1")));
}

pub(super) async fn keys_are_forgotten_after_their_time(store: &KvFixture) {
    let first = store.commit(named("once", [put("a", "1")])).await;
    store.clock.advance(limits::KV_IDEMPOTENCY_TIME - Duration::from_secs(1));
    assert_eq!(store.commit(named("once", [put("a", "1")])).await, first, "it is remembered to the end");
    store.clock.advance(Duration::from_secs(1));
    assert_ne!(store.commit(named("once", [put("a", "2")])).await, first, "then it is free again");
}
