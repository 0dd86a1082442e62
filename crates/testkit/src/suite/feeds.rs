//! What all feeds must do with changes of key-value stores.

use std::{any::Any, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{
    Clock as _, Feeds, Kv, Queue, StoreError, Unit,
    feeds::{Feed, FeedSource},
    queue::QueueName,
    unit::{Effects, UnitOutcome},
};
use types::{
    Cause, Timestamp, TraceContext,
    event::StoreChange,
    kv::{Committed, Condition, IdempotencyKey, Namespace, Rev, Transaction, Write},
    trigger::ChangeKind,
};

use super::soon;
use crate::TestClock;

/// Fresh feeds with the stores that they watch and the clock that these were given.
pub struct FeedsFixture {
    /// The feeds, or a decorator around them.
    pub feeds: Arc<dyn Feeds>,
    /// The stores that change.
    pub kv: Arc<dyn Kv>,
    /// Units that change them.
    pub unit: Arc<dyn Unit>,
    /// The queues that are told.
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
pub async fn feeds<F: Future<Output = FeedsFixture>>(make: impl Fn() -> F) {
    changes_come_with_old_and_new_value(&make().await).await;
    only_what_is_wanted_comes(&make().await).await;
    expiry_is_a_change(&make().await).await;
    what_did_not_happen_is_not_told(&make().await).await;
    the_last_list_counts(&make().await).await;
}

fn watched() -> Namespace {
    Namespace("shop/dev/first".into())
}
fn queue(name: &str) -> QueueName {
    QueueName(format!("shop/dev/~{name}"))
}
fn feed(change: ChangeKind, matching: Option<&str>, to: &str) -> Feed {
    Feed { source: FeedSource::Kv(watched()), change, matching: matching.map(str::to_owned), queue: queue(to) }
}
fn put(key: &'static str, value: &'static str) -> Write {
    Write::Put { key: Bytes::from(key), value: Bytes::from(value), expires: None }
}
fn delete(key: &'static str) -> Write {
    Write::Delete { key: Bytes::from(key) }
}

/// A change in short: key, old and new value.
type Told = (String, Option<String>, Option<String>);

impl FeedsFixture {
    async fn write(&self, writes: Vec<Write>, cause: Option<Cause>) -> Rev {
        let transaction = Transaction { writes, cause, ..Transaction::default() };
        match self.kv.commit(&watched(), transaction).await.expect("there is room") {
            Committed::At(rev) => rev,
            Committed::Refused { .. } => panic!("there was no condition"),
        }
    }
    async fn changes(&self, of: &str) -> Vec<(StoreChange, Option<Cause>)> {
        let told = self.queue.peek(&queue(of), None, 100).await.expect("readable");
        let read = |peeked: ports::queue::Peeked| {
            (postcard::from_bytes(&peeked.message.body).expect("a change in postcard"), peeked.message.cause)
        };
        told.into_iter().map(read).collect()
    }
    async fn told(&self, of: &str) -> Vec<Told> {
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
        let short = |(change, _)| match change {
            StoreChange::Kv { key, old, new, .. } => (text(key), old.map(text), new.map(text)),
            other => panic!("{other:?} is no entry"),
        };
        self.changes(of).await.into_iter().map(short).collect()
    }
}

fn told(key: &str, old: Option<&str>, new: Option<&str>) -> Told {
    (key.into(), old.map(str::to_owned), new.map(str::to_owned))
}

async fn changes_come_with_old_and_new_value(store: &FeedsFixture) {
    store.write(vec![put("a", "0")], None).await;
    store.feeds.install(vec![feed(ChangeKind::Any, None, "all")]).await.expect("there is room");
    let trace = TraceContext::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("it is one");
    let cause = Some(Cause { trace, depth: 2 });
    let rev = store.write(vec![put("a", "1"), put("b", "1"), delete("nothing"), put("b", "2"), delete("a")], cause).await;
    let expected = [
        told("a", Some("0"), Some("1")),
        told("b", None, Some("1")),
        told("b", Some("1"), Some("2")),
        told("a", Some("1"), None),
    ];
    assert_eq!(store.told("all").await, expected);
    let now = store.clock.now();
    for (change, of) in store.changes("all").await {
        assert!(of == cause && matches!(change, StoreChange::Kv { rev: of, at, .. } if of == rev && at == now), "{change:?}");
    }
}

async fn only_what_is_wanted_comes(store: &FeedsFixture) {
    let feeds = [
        feed(ChangeKind::Written, None, "written"),
        feed(ChangeKind::Deleted, None, "deleted"),
        feed(ChangeKind::Any, Some("*.png"), "last"),
        feed(ChangeKind::Any, Some("photos/*"), "whole"),
    ];
    store.feeds.install(feeds.into()).await.expect("there is room");
    store.write(vec![put("a.png", ""), put("photos/b.png", ""), put("photos/2026/c.png", ""), put("d", "")], None).await;
    store.write(vec![delete("d")], None).await;
    let other = Transaction { writes: vec![put("photos/e.png", "")], ..Transaction::default() };
    store.kv.commit(&Namespace("shop/dev/second".into()), other).await.expect("there is room");
    let keys = async |of| store.told(of).await.into_iter().map(|(key, ..)| key).collect::<Vec<_>>();
    assert_eq!(keys("written").await, ["a.png", "photos/b.png", "photos/2026/c.png", "d"]);
    assert_eq!(keys("deleted").await, ["d"]);
    assert_eq!(keys("last").await, ["a.png", "photos/b.png", "photos/2026/c.png"]);
    assert_eq!(keys("whole").await, ["photos/b.png"]);
    let bad = store.feeds.install(vec![feed(ChangeKind::Any, Some("["), "bad")]).await;
    assert!(matches!(bad, Err(StoreError::Rejected(_))), "{bad:?}");
}

async fn expiry_is_a_change(store: &FeedsFixture) {
    store.feeds.install(vec![feed(ChangeKind::Any, None, "all")]).await.expect("there is room");
    let until = |seconds: u64| -> Timestamp { store.clock.now().plus(Duration::from_secs(seconds).into()) };
    let brief = |key: &'static str, at| Write::Put { key: Bytes::from(key), value: Bytes::from("1"), expires: Some(at) };
    store.write(vec![brief("a", until(5)), brief("b", until(6))], None).await;
    store.clock.advance(Duration::from_secs(5));
    let expired = async {
        while store.told("all").await.len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the expiry", expired).await;
    assert_eq!(store.told("all").await[2], told("a", Some("1"), None));
    // Written again before anybody removed it, it was gone all the same.
    store.clock.advance(Duration::from_secs(1));
    store.write(vec![put("b", "2")], None).await;
    assert_eq!(store.told("all").await[3..], [told("b", Some("1"), None), told("b", None, Some("2"))]);
}

async fn what_did_not_happen_is_not_told(store: &FeedsFixture) {
    store.feeds.install(vec![feed(ChangeKind::Any, None, "all")]).await.expect("there is room");
    let refused = |key: &'static str| Condition::At(Bytes::from(key), Rev(999));
    let transaction = Transaction { conditions: vec![refused("a")], writes: vec![put("a", "1")], ..Transaction::default() };
    store.kv.commit(&watched(), transaction.clone()).await.expect("there is room");
    let effects = Effects {
        kv: vec![(watched(), Transaction { writes: vec![put("b", "1")], ..Transaction::default() }), (watched(), transaction)],
        ..Effects::default()
    };
    let outcome = store.unit.commit(effects.clone(), IdempotencyKey("1".into())).await.expect("there is room");
    assert!(matches!(outcome, UnitOutcome::Refused(_)), "{outcome:?}");
    assert!(store.told("all").await.is_empty());
    let effects = Effects { kv: effects.kv[..1].to_vec(), ..effects };
    for _ in 0..2 {
        store.unit.commit(effects.clone(), IdempotencyKey("2".into())).await.expect("there is room");
    }
    assert_eq!(store.told("all").await, [told("b", None, Some("1"))]);
    let claimed = store.queue.claim(&queue("all"), 10, Duration::from_secs(1), Duration::ZERO).await.expect("claimable");
    assert_eq!(claimed.len(), 1, "what was undone is not delivered either");
}

async fn the_last_list_counts(store: &FeedsFixture) {
    store.feeds.install(vec![feed(ChangeKind::Any, None, "before")]).await.expect("there is room");
    store.feeds.install(vec![feed(ChangeKind::Any, None, "after")]).await.expect("there is room");
    store.write(vec![put("a", "1")], None).await;
    assert_eq!((store.told("before").await.len(), store.told("after").await.len()), (0, 1));
}
