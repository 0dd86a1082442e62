//! What all units must do.

use std::{any::Any, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{
    Kv, Queue, StoreError, Unit,
    queue::{Delivery, Message, QueueName, Receipt, Settled},
    unit::{Effects, Refusal, RefusalKind, UnitOutcome},
};
use types::kv::{Condition, IdempotencyKey, Namespace, Transaction, Write};

use crate::{SeededRng, TestClock, rng::seeds};

const LEASE: Duration = Duration::from_secs(30);

/// Fresh units with the stores that they change and the clock that these were given.
pub struct UnitFixture {
    /// The units, or a decorator around them.
    pub unit: Arc<dyn Unit>,
    /// Their key-value stores.
    pub kv: Arc<dyn Kv>,
    /// Their queues.
    pub queue: Arc<dyn Queue>,
    /// Their clock.
    pub clock: Arc<TestClock>,
    /// What must live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn unit<F: Future<Output = UnitFixture>>(make: impl Fn() -> F) {
    everything_happens_together(&make().await).await;
    a_stale_receipt_refuses_all(&make().await).await;
    a_failed_condition_refuses_all(&make().await).await;
    a_conflict_refuses_all(&make().await).await;
    a_repeated_unit_has_one_effect(&make().await).await;
    what_is_over_a_limit_is_refused(&make().await).await;
    for seed in seeds(2) {
        nothing_is_lost_or_doubled(&make().await, seed).await;
    }
}

fn namespace() -> Namespace {
    Namespace("shop/dev/first".into())
}
fn source() -> QueueName {
    QueueName("shop/dev/first".into())
}
fn target() -> QueueName {
    QueueName("shop/dev/second".into())
}
fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey(text.into())
}
fn message(text: &str) -> Message {
    Message { body: Bytes::copy_from_slice(text.as_bytes()), ..Message::default() }
}
fn put(name: &str, value: &str, conditions: Vec<Condition>) -> (Namespace, Transaction) {
    let (key, value) = (Bytes::copy_from_slice(name.as_bytes()), Bytes::copy_from_slice(value.as_bytes()));
    (namespace(), Transaction { conditions, writes: vec![Write::Put { key, value, expires: None }], ..Transaction::default() })
}

impl UnitFixture {
    async fn receive(&self, texts: &[&str]) -> Vec<Delivery> {
        self.queue.enqueue(&source(), texts.iter().map(|text| message(text)).collect(), None).await.expect("there is room");
        self.queue.claim(&source(), 100, LEASE, Duration::ZERO).await.expect("claimable")
    }
    async fn value(&self, name: &'static str) -> Option<Bytes> {
        self.kv.get(&namespace(), &Bytes::from(name)).await.expect("readable").map(|entry| entry.value)
    }
    async fn sent(&self) -> usize {
        self.queue.peek(&target(), None, 1_000).await.expect("readable").len()
    }
    async fn refusal(&self, effects: Effects) -> RefusalKind {
        match self.unit.commit(effects, key("refused")).await {
            Ok(UnitOutcome::Refused(Refusal { kind, .. })) => kind,
            other => panic!("{other:?} is no refusal"),
        }
    }
}

fn acks(deliveries: &[Delivery]) -> Vec<(QueueName, Receipt)> {
    deliveries.iter().map(|delivery| (source(), delivery.receipt)).collect()
}

async fn everything_happens_together(store: &UnitFixture) {
    let held = store.receive(&["a", "b"]).await;
    let absent = Condition::Absent(Bytes::from("x"));
    let effects = Effects {
        acks: acks(&held),
        enqueues: vec![(target(), message("c")), (source(), message("d"))],
        kv: vec![put("x", "1", vec![absent]), put("y", "2", vec![])],
        ..Effects::default()
    };
    let outcome = store.unit.commit(effects, key("k")).await.expect("there is room");
    assert_eq!(outcome, UnitOutcome::Committed);
    assert_eq!((store.value("x").await, store.value("y").await), (Some(Bytes::from("1")), Some(Bytes::from("2"))));
    assert_eq!(store.sent().await, 1);
    let left = store.queue.peek(&source(), None, 10).await.expect("readable");
    assert_eq!(left.iter().map(|peeked| &peeked.message.body[..]).collect::<Vec<_>>(), [b"d"]);
}

async fn a_stale_receipt_refuses_all(store: &UnitFixture) {
    let held = store.receive(&["a", "b"]).await;
    store.queue.ack(&source(), &[held[1].receipt]).await.expect("there is room");
    let effects = || Effects {
        acks: acks(&held),
        enqueues: vec![(target(), message("c"))],
        kv: vec![put("x", "1", vec![])],
        ..Effects::default()
    };
    assert_eq!(store.refusal(effects()).await, RefusalKind::Stale);
    assert_eq!((store.value("x").await, store.sent().await), (None, 0));
    // The good one is held as before, and can be settled.
    assert_eq!(store.queue.stats(&source()).await.expect("readable").claimed, 1);
    let effects = Effects { acks: acks(&held[..1]), ..effects() };
    assert_eq!(store.unit.commit(effects, key("refused")).await.expect("nothing was done under it"), UnitOutcome::Committed);
    assert_eq!((store.value("x").await, store.sent().await), (Some(Bytes::from("1")), 1));
}

async fn a_failed_condition_refuses_all(store: &UnitFixture) {
    let held = store.receive(&["a"]).await;
    store.kv.commit(&namespace(), put("taken", "", vec![]).1).await.expect("there is room");
    let rev = store.kv.get(&namespace(), &Bytes::from("taken")).await.expect("readable").map(|entry| entry.rev);
    let effects = Effects {
        acks: acks(&held),
        enqueues: vec![(target(), message("c"))],
        kv: vec![put("x", "1", vec![]), put("taken", "2", vec![Condition::Absent(Bytes::from("taken"))])],
        ..Effects::default()
    };
    assert_eq!(store.refusal(effects).await, RefusalKind::Conflict);
    assert_eq!((store.value("x").await, store.sent().await), (None, 0));
    assert_eq!(store.queue.stats(&source()).await.expect("readable").claimed, 1);
    assert_eq!(store.queue.ack(&source(), &[held[0].receipt]).await.expect("there is room"), [Settled::Done]);
    // Later transactions see earlier ones, and revisions go on as if nothing had been.
    let at = rev.map(|rev| Condition::At(Bytes::from("taken"), rev)).into_iter().collect();
    let effects = Effects {
        kv: vec![put("x", "1", at), put("x", "2", vec![]), put("z", "", vec![Condition::Absent(Bytes::from("z"))])],
        ..Effects::default()
    };
    assert_eq!(store.unit.commit(effects, key("seen")).await.expect("there is room"), UnitOutcome::Committed);
    assert_eq!(store.value("x").await, Some(Bytes::from("2")));
}

async fn a_conflict_refuses_all(store: &UnitFixture) {
    let keyed = |text: &str| Message { dedup: Some(Bytes::from("k")), ..message(text) };
    store.queue.enqueue(&target(), vec![keyed("first")], None).await.expect("there is room");
    let effects = Effects {
        kv: vec![put("x", "1", vec![])],
        enqueues: vec![(source(), message("before")), (target(), keyed("second"))],
        ..Effects::default()
    };
    let conflict = store.unit.commit(effects, key("k")).await;
    assert!(matches!(conflict, Err(StoreError::Conflict(_))), "{conflict:?}");
    assert_eq!((store.value("x").await, store.sent().await), (None, 1));
    assert_eq!(store.queue.stats(&source()).await.expect("readable").ready, 0);
    let held = store.receive(&["after"]).await;
    assert_eq!(held.len(), 1, "only what was sent afterwards is delivered");
}

async fn a_repeated_unit_has_one_effect(store: &UnitFixture) {
    let held = store.receive(&["a"]).await;
    let effects = || Effects { acks: acks(&held), enqueues: vec![(target(), message("c"))], ..Effects::default() };
    for _ in 0..3 {
        assert_eq!(store.unit.commit(effects(), key("k")).await.expect("it is known"), UnitOutcome::Committed);
    }
    assert_eq!(store.sent().await, 1);
    let other = Effects { enqueues: vec![(target(), message("d"))], ..Effects::default() };
    let conflict = store.unit.commit(other, key("k")).await;
    assert!(matches!(conflict, Err(StoreError::Conflict(_))), "{conflict:?}");
    assert_eq!(store.sent().await, 1);
}

async fn what_is_over_a_limit_is_refused(store: &UnitFixture) {
    let over = Message { body: Bytes::from(vec![0; types::limits::EVENT.as_usize() + 1]), ..Message::default() };
    let effects = Effects { kv: vec![put("x", "1", vec![])], enqueues: vec![(target(), over)], ..Effects::default() };
    // A model in memory has no limits of its own to pass on; a store has.
    if let Err(error) = store.unit.commit(effects, key("k")).await {
        assert!(matches!(error, StoreError::TooLarge { .. }), "{error:?}");
        assert_eq!(store.value("x").await, None);
    }
}

/// Consumers that crash, are late and collide count messages into an entry: the count is right, and each left one message behind.
async fn nothing_is_lost_or_doubled(store: &UnitFixture, seed: u64) {
    const MESSAGES: usize = 60;
    let rng = SeededRng::new(seed);
    let texts: Vec<String> = (0..MESSAGES).map(|i| i.to_string()).collect();
    store.queue.enqueue(&source(), texts.iter().map(|text| message(text)).collect(), None).await.expect("there is room");
    let (mut old, mut turn): (Vec<(Effects, IdempotencyKey)>, _) = (Vec::new(), 0);
    while store.sent().await < MESSAGES {
        turn += 1;
        let held = store.queue.claim(&source(), 1 + rng.below(4), LEASE, Duration::ZERO).await.expect("claimable");
        let entry = store.kv.get(&namespace(), &Bytes::from("count")).await.expect("readable");
        let count = entry.as_ref().map_or(0, |entry| String::from_utf8_lossy(&entry.value).parse::<usize>().expect("a count"));
        let name = Bytes::from("count");
        let condition = entry.map_or_else(|| Condition::Absent(name.clone()), |entry| Condition::At(name.clone(), entry.rev));
        let effects = Effects {
            acks: acks(&held),
            enqueues: held.iter().map(|delivery| (target(), delivery.message.clone())).collect(),
            kv: vec![put("count", &(count + held.len()).to_string(), vec![condition])],
            ..Effects::default()
        };
        match rng.below(4) {
            // It dies before it commits, or is very late.
            0 => old.push((effects, key(&turn.to_string()))),
            1 if !old.is_empty() => {
                let (late, of) = old.swap_remove(rng.below(old.len()));
                drop(store.unit.commit(late, of).await.expect("there is room"));
            }
            _ => {
                store.unit.commit(effects.clone(), key(&turn.to_string())).await.expect("there is room");
                store.unit.commit(effects, key(&turn.to_string())).await.expect("it is repeated");
            }
        }
        store.clock.advance(Duration::from_secs(rng.below(20) as u64));
    }
    assert_eq!(store.value("count").await, Some(Bytes::from(MESSAGES.to_string())));
    let sent = store.queue.peek(&target(), None, 1_000).await.expect("readable");
    let mut sent: Vec<_> = sent.into_iter().map(|peeked| peeked.message.body).collect();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), MESSAGES);
}
