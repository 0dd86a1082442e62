//! Receipts and leases.

use std::time::Duration;

use ports::queue::Settled::{Done, Stale};

use super::{LEASE, QueueFixture, body, receipts, texts};

pub(super) async fn a_receipt_is_good_until_the_next_delivery(store: &QueueFixture) {
    store.send([body("a"), body("b")]).await;
    let first = store.take(10).await;
    store.clock.advance(LEASE);
    let second = store.take(10).await;
    assert_eq!(second.iter().map(|delivery| delivery.receipt.attempt).collect::<Vec<_>>(), [2, 2]);
    let old = receipts(&first);
    assert_eq!(store.ack(&first).await, [Stale, Stale], "somebody else has them");
    assert_eq!(store.queue.nack(store.first(), &old, Duration::ZERO).await.expect("there is room"), [Stale, Stale]);
    assert_eq!(store.queue.extend(store.first(), &old, LEASE).await.expect("there is room"), [Stale, Stale]);
    let buried = store.queue.bury(store.first(), &old, &store.names[2], "why").await.expect("there is room");
    assert_eq!(buried, [Stale, Stale]);
    assert_eq!(store.counts().await, [0, 0, 2], "a stale receipt changes nothing");
    assert_eq!(store.ack(&second[..1]).await, [Done]);
    assert_eq!(store.ack(&second).await, [Stale, Done], "what is gone is settled");
    assert_eq!(store.queue.ack(&store.names[1], &old).await.expect("there is room"), [Stale, Stale]);
}

pub(super) async fn a_late_acknowledgement_counts_if_nobody_else_has_it(store: &QueueFixture) {
    store.send([body("a"), body("b")]).await;
    let held = store.take(10).await;
    store.clock.advance(LEASE * 2);
    assert_eq!(store.counts().await, [2, 0, 0]);
    assert_eq!(store.ack(&held[..1]).await, [Done]);
    let extended = store.queue.extend(store.first(), &receipts(&held[1..]), LEASE).await.expect("there is room");
    assert_eq!(extended, [Done]);
    assert!(store.take(10).await.is_empty(), "it is held again");
}

pub(super) async fn extending_holds_on(store: &QueueFixture) {
    store.send([body("a")]).await;
    let held = store.take(10).await;
    store.clock.advance(LEASE - Duration::from_secs(1));
    assert_eq!(store.queue.extend(store.first(), &receipts(&held), LEASE).await.expect("there is room"), [Done]);
    store.clock.advance(LEASE - Duration::from_nanos(1));
    assert!(store.take(10).await.is_empty());
    store.clock.advance(Duration::from_nanos(1));
    assert_eq!(store.take(10).await[0].receipt.attempt, 2);
}

pub(super) async fn what_is_given_back_comes_again_after_its_delay(store: &QueueFixture) {
    store.send([body("a"), body("b")]).await;
    let held = store.take(10).await;
    store.nack(&held[..1], Duration::from_secs(5)).await;
    store.nack(&held[1..], Duration::ZERO).await;
    assert_eq!(store.counts().await, [1, 1, 0]);
    assert_eq!(store.ack(&held).await, [Stale, Stale], "it was given back");
    assert_eq!(texts(&store.take(10).await), ["b"]);
    store.clock.advance(Duration::from_millis(4_999));
    assert!(store.take(10).await.is_empty());
    store.clock.advance(Duration::from_millis(1));
    let again = store.take(10).await;
    assert_eq!((texts(&again), again[0].receipt.attempt), (vec!["a".to_owned()], 2));
}
