//! Enqueueing, and looking at what is there.

use std::time::Duration;

use bytes::Bytes;
use ports::{
    Clock as _, StoreError,
    queue::{Enqueued, Message, QueueName},
};
use types::{Cause, Timestamp, TraceContext, kv::IdempotencyKey, limits};

use super::{LEASE, NOW, QueueFixture, body, grouped, keyed, texts};

pub(super) async fn messages_come_with_all_that_was_sent(store: &QueueFixture) {
    let trace = TraceContext::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("it is one");
    let attributes = vec![("kind".to_owned(), "order".to_owned()), (String::new(), "é".to_owned())];
    let full = Message { attributes, cause: Some(Cause { trace, depth: 3 }), group: Some(Bytes::from("g")), ..body("full") };
    let large = Message { body: Bytes::from(vec![7; limits::EVENT.as_usize()]), ..Message::default() };
    let sent_at = store.clock.now();
    let ids = store.send([full.clone(), large.clone(), body("")]).await;
    assert!(ids.is_sorted() && ids[0] < ids[1], "numbers grow");
    store.clock.advance(Duration::from_secs(1));
    let deliveries = store.take(10).await;
    assert_eq!(deliveries.iter().map(|delivery| delivery.receipt.id).collect::<Vec<_>>(), ids);
    assert!(deliveries.iter().all(|delivery| delivery.receipt.attempt == 1 && delivery.enqueued == sent_at));
    assert_eq!(deliveries.iter().map(|delivery| &delivery.message).collect::<Vec<_>>(), [&full, &large, &body("")]);
    assert_eq!(store.counts().await, [0, 0, 3]);
    store.ack(&deliveries).await;
    assert_eq!(store.counts().await, [0, 0, 0]);
    let other = store.queue.claim(&store.names[1], 10, LEASE, NOW).await.expect("claimable");
    assert!(other.is_empty(), "queues share nothing");
}

pub(super) async fn a_call_is_stored_wholly_or_not_at_all(store: &QueueFixture) {
    store.send([keyed("one", "k")]).await;
    let messages = vec![body("before"), keyed("two", "k")];
    let refused = store.queue.enqueue(store.first(), messages, None).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(texts(&store.take(10).await), ["one"]);
}

pub(super) async fn refuses_what_is_over_a_limit(store: &QueueFixture) {
    let over = Bytes::from(vec![0; limits::EVENT.as_usize() + 1]);
    let key = Some(Bytes::from(vec![0; limits::KV_KEY.as_usize() + 1]));
    let long = limits::QUEUE_DELAY + Duration::from_nanos(1);
    let cases: [(Vec<Message>, &str); 6] = [
        (vec![body("x"); limits::EVENT_BATCH + 1], "TooMany"),
        (vec![body("x"), Message { body: over, ..Message::default() }], "TooLarge"),
        (vec![Message { dedup: key.clone(), ..body("x") }], "TooLarge"),
        (vec![Message { group: key, ..body("x") }], "TooLarge"),
        (vec![Message { delay: long, ..body("x") }], "Denied"),
        (vec![Message { delay: Duration::from_nanos(1), ..grouped("x", "g") }], "Denied"),
    ];
    for (messages, expected) in cases {
        let refused = store.queue.enqueue(store.first(), messages, None).await.expect_err("it is over the limit");
        assert!(format!("{refused:?}").starts_with(expected), "{refused:?} is no {expected}");
    }
    assert!(store.take(10).await.is_empty());
}

pub(super) async fn a_repeated_call_has_one_effect(store: &QueueFixture) {
    let key = || Some(IdempotencyKey("once".into()));
    let send = async |queue, text| store.queue.enqueue(queue, vec![body(text)], key()).await;
    let first = send(store.first(), "a").await.expect("there is room");
    assert_eq!(send(store.first(), "a").await.expect("it is known"), first);
    store.ack(&store.take(10).await).await;
    assert_eq!(send(store.first(), "a").await.expect("it is known"), first, "also when the message is gone");
    let conflict = send(store.first(), "b").await;
    assert!(matches!(conflict, Err(StoreError::Conflict(_))), "{conflict:?}");
    assert!(store.take(10).await.is_empty());
    send(&store.names[1], "b").await.expect("another queue's keys are others");
}

pub(super) async fn delays_are_never_early_whatever_the_wall_clock_says(store: &QueueFixture) {
    let delayed = |seconds| Message { delay: Duration::from_secs(seconds), ..body(&seconds.to_string()) };
    store.send([delayed(10), delayed(20), body("now")]).await;
    assert_eq!(store.counts().await, [1, 2, 0]);
    store.ack(&store.take(10).await).await;
    let started = store.clock.now();
    store.clock.set_wall(started.plus(Duration::from_secs(15).into()));
    assert!(store.take(10).await.is_empty(), "setting the clock forward makes nothing early");
    store.clock.set_wall(Timestamp::from_unix_ms(1_000));
    store.clock.advance(Duration::from_millis(9_999));
    assert!(store.take(10).await.is_empty());
    store.clock.advance(Duration::from_millis(1));
    assert_eq!(texts(&store.take(10).await), ["10"], "setting it back makes nothing late");
    store.clock.advance(Duration::from_secs(10));
    assert_eq!(texts(&store.take(10).await), ["20"]);
}

pub(super) async fn lists_queues_in_pages(store: &QueueFixture) {
    let names = ["shop/dev/a", "shop/dev/b", "shop/dev/ü", "shop/prod/a"].map(|name| QueueName(name.into()));
    for name in &names {
        store.queue.enqueue(name, vec![body("x")], None).await.expect("there is room");
    }
    let list = async |prefix, after, max| store.queue.queues(prefix, after, max).await.expect("readable");
    assert_eq!(list("shop/dev/", None, 10).await, names[..3]);
    assert_eq!(list("shop/dev/", Some(&names[0]), 1).await, names[1..2]);
    assert_eq!(list("", Some(&names[2]), 10).await, names[3..]);
    assert!(list("nobody/", None, 10).await.is_empty());
}

pub(super) async fn peeks_in_pages_without_taking(store: &QueueFixture) {
    let delay = Duration::from_secs(5);
    let ids = store.send([body("a"), Message { delay, ..body("b") }, grouped("c", "g"), body("d")]).await;
    let held = store.take(1).await;
    assert_eq!(texts(&held), ["a"]);
    let peek = async |after, max| store.queue.peek(store.first(), after, max).await.expect("readable");
    let all = peek(None, 10).await;
    assert_eq!(all.iter().map(|peeked| peeked.id).collect::<Vec<_>>(), ids);
    assert_eq!(all.iter().map(|peeked| peeked.attempts).collect::<Vec<_>>(), [1, 0, 0, 0]);
    let now = store.clock.now();
    assert_eq!(all.iter().map(|peeked| peeked.due.since(now).into()).collect::<Vec<Duration>>(), [LEASE, delay, NOW, NOW]);
    assert!(all.iter().all(|peeked| peeked.dead.is_none() && peeked.enqueued == now));
    assert_eq!(peek(Some(ids[0]), 2).await, all[1..3]);
    assert_eq!(texts(&store.take(10).await), ["c", "d"], "nothing was taken");
}

pub(super) async fn purges_everything(store: &QueueFixture) {
    let delay = Duration::from_secs(5);
    store.send([body("a"), Message { delay, ..body("b") }, grouped("c", "g")]).await;
    let held = store.take(1).await;
    store.queue.enqueue(&store.names[1], vec![body("other")], None).await.expect("there is room");
    assert_eq!(store.queue.purge(store.first()).await.expect("there is room"), 3);
    assert_eq!(store.counts().await, [0, 0, 0]);
    assert_eq!(store.ack(&held).await, [ports::queue::Settled::Stale]);
    store.clock.advance(Duration::from_secs(60));
    assert!(store.take(10).await.is_empty());
    let other = store.queue.claim(&store.names[1], 10, LEASE, NOW).await.expect("claimable");
    assert_eq!(texts(&other), ["other"]);
}

pub(super) async fn forgets_what_is_older_than_it_keeps(store: &QueueFixture) {
    store.queue.retain(store.first(), Duration::from_secs(60)).await.expect("there is room");
    store.send([body("old")]).await;
    store.clock.advance(Duration::from_secs(59));
    let Enqueued::New(_) = store.queue.enqueue(store.first(), vec![body("new")], None).await.expect("there is room")[0] else {
        panic!("it is new")
    };
    store.clock.advance(Duration::from_secs(1));
    assert_eq!(texts(&store.take(10).await), ["new"]);
}
