//! Dead letters.

use std::time::Duration;

use ports::{StoreError, queue::Settled};

use super::{LEASE, NOW, QueueFixture, body, grouped, receipts, texts};

pub(super) async fn letters_say_where_they_come_from_and_why(store: &QueueFixture) {
    let ids = store.send([body("a")]).await;
    for _ in 0..3 {
        store.nack(&store.take(1).await, Duration::ZERO).await;
    }
    let held = store.take(1).await;
    let dead = &store.names[2];
    let buried = store.queue.bury(store.first(), &receipts(&held), dead, "it failed").await.expect("there is room");
    assert_eq!(buried, [Settled::Done]);
    assert_eq!(store.counts().await, [0, 0, 0]);
    let letters = store.queue.peek(dead, None, 10).await.expect("readable");
    let letter = letters[0].dead.as_ref().expect("it is one");
    assert_eq!((&letter.from, letter.reason.as_str()), (store.first(), "it failed"));
    assert_eq!((letters[0].id, letters[0].attempts), (ids[0], 4), "it keeps its number and its count");
    assert_eq!(store.ack(&held).await, [Settled::Stale], "it is not there any more");
    let itself = store.queue.bury(dead, &[], dead, "why").await;
    assert!(matches!(itself, Err(StoreError::Denied(_))), "{itself:?}");
    // A dead-letter queue is a queue.
    let taken = store.queue.claim(dead, 10, LEASE, NOW).await.expect("claimable");
    assert_eq!((texts(&taken), taken[0].receipt.attempt), (vec!["a".to_owned()], 1));
    assert_eq!(store.queue.ack(dead, &receipts(&taken)).await.expect("there is room"), [Settled::Done]);
}

pub(super) async fn a_buried_message_frees_its_group(store: &QueueFixture) {
    store.send([grouped("a1", "a"), grouped("a2", "a")]).await;
    let held = store.take(1).await;
    store.queue.bury(store.first(), &receipts(&held), &store.names[2], "why").await.expect("there is room");
    assert_eq!(texts(&store.take(10).await), ["a2"]);
}

pub(super) async fn letters_go_back_as_new(store: &QueueFixture) {
    let dead = &store.names[2];
    store.send([body("a"), body("b"), body("c")]).await;
    let held = store.take(10).await;
    store.queue.bury(store.first(), &receipts(&held), dead, "why").await.expect("there is room");
    store.queue.enqueue(dead, vec![body("no letter")], None).await.expect("there is room");
    assert_eq!(store.queue.redrive(dead, 1).await.expect("there is room"), 1);
    let back = store.take(10).await;
    assert_eq!((texts(&back), back[0].receipt.attempt), (vec!["a".to_owned()], 1), "its count begins anew");
    assert_eq!(store.ack(&held[..1]).await, [Settled::Stale], "a receipt of its first life does not fit");
    assert_eq!(store.queue.redrive(dead, 100).await.expect("there is room"), 2);
    assert_eq!(texts(&store.take(10).await), ["b", "c"]);
    assert_eq!(store.queue.redrive(dead, 100).await.expect("there is room"), 0);
    let left = store.queue.claim(dead, 10, LEASE, NOW).await.expect("claimable");
    assert_eq!(texts(&left), ["no letter"], "what nobody buried stays");
}
