//! Groups: in order, one batch at a time.

use std::time::Duration;

use super::{LEASE, QueueFixture, body, grouped, texts};

pub(super) async fn come_in_order_to_one_at_a_time(store: &QueueFixture) {
    store.send([grouped("a1", "a"), grouped("a2", "a"), grouped("a3", "a")]).await;
    let one = store.take(2).await;
    assert_eq!(texts(&one), ["a1", "a2"]);
    assert!(store.take(2).await.is_empty(), "another consumer waits for its turn");
    store.ack(&one[..1]).await;
    assert!(store.take(2).await.is_empty(), "the batch is not done");
    store.ack(&one[1..]).await;
    assert_eq!(texts(&store.take(2).await), ["a3"]);
}

pub(super) async fn what_was_given_back_blocks_what_is_behind(store: &QueueFixture) {
    store.send([grouped("a1", "a"), grouped("a2", "a"), grouped("a3", "a")]).await;
    let one = store.take(2).await;
    store.ack(&one[1..]).await;
    store.nack(&one[..1], Duration::from_secs(5)).await;
    assert!(store.take(10).await.is_empty(), "a3 must not overtake a1");
    store.clock.advance(Duration::from_secs(5));
    let again = store.take(10).await;
    assert_eq!(texts(&again), ["a1"], "alone, until it is done");
    store.ack(&again).await;
    assert_eq!(texts(&store.take(10).await), ["a3"]);
}

pub(super) async fn a_lease_that_ran_out_blocks_too(store: &QueueFixture) {
    store.send([grouped("a1", "a"), grouped("a2", "a"), grouped("a3", "a")]).await;
    assert_eq!(texts(&store.take(2).await), ["a1", "a2"]);
    store.clock.advance(LEASE);
    let again = store.take(10).await;
    assert_eq!(texts(&again), ["a1", "a2"]);
    store.ack(&again).await;
    assert_eq!(texts(&store.take(10).await), ["a3"]);
}

pub(super) async fn do_not_wait_for_one_another(store: &QueueFixture) {
    store.send([grouped("a1", "a"), grouped("b1", "b"), body("free"), grouped("a2", "a"), grouped("b2", "b")]).await;
    let one = store.take(1).await;
    assert_eq!(texts(&one), ["a1"]);
    let mut others = texts(&store.take(10).await);
    others.sort();
    assert_eq!(others, ["b1", "b2", "free"]);
}
