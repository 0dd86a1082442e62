//! Deduplication keys.

use std::time::Duration;

use ports::{StoreError, queue::Enqueued};
use types::limits;

use super::{QueueFixture, keyed, texts};

pub(super) async fn a_key_makes_messages_one_until_its_time_is_over(store: &QueueFixture) {
    let send = async |text| store.queue.enqueue(store.first(), vec![keyed(text, "k")], None).await.expect("there is room")[0];
    let Enqueued::New(id) = send("a").await else { panic!("it is the first") };
    assert_eq!(send("a").await, Enqueued::Duplicate(id));
    store.ack(&store.take(10).await).await;
    assert_eq!(send("a").await, Enqueued::Duplicate(id), "the key outlives the message");
    store.clock.advance(limits::QUEUE_DEDUP_TIME - Duration::from_nanos(1));
    assert_eq!(send("a").await, Enqueued::Duplicate(id));
    assert!(store.take(10).await.is_empty());
    store.clock.advance(Duration::from_nanos(1));
    assert!(matches!(send("b").await, Enqueued::New(_)), "its time is over");
    assert_eq!(texts(&store.take(10).await), ["b"]);
    let other = store.queue.enqueue(&store.names[1], vec![keyed("c", "k")], None).await.expect("there is room");
    assert!(matches!(other[0], Enqueued::New(_)), "another queue's keys are others");
}

pub(super) async fn another_body_is_a_conflict(store: &QueueFixture) {
    let twice = store.queue.enqueue(store.first(), vec![keyed("a", "k"), keyed("a", "k")], None).await.expect("there is room");
    let [Enqueued::New(first), Enqueued::Duplicate(second)] = twice[..] else { panic!("{twice:?}") };
    assert_eq!(first, second, "within one call too");
    for messages in [vec![keyed("b", "k")], vec![keyed("a", "other"), keyed("b", "other")]] {
        let conflict = store.queue.enqueue(store.first(), messages, None).await;
        assert!(matches!(conflict, Err(StoreError::Conflict(_))), "{conflict:?}");
    }
    assert_eq!(texts(&store.take(10).await), ["a"]);
}
