//! Consumers that wait.

use std::time::Duration;

use ports::queue::Message;

use super::{LEASE, NOW, QueueFixture, body, soon, texts};

const LONG: Duration = Duration::from_secs(3_600);

pub(super) async fn who_waits_gets_what_comes(store: &QueueFixture) {
    let waiting = store.queue.claim(store.first(), 10, LEASE, LONG);
    let sending = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.send([body("a"), body("b")]).await;
    };
    let (deliveries, ()) = soon("a delivery", async { tokio::join!(waiting, sending) }).await;
    assert_eq!(texts(&deliveries.expect("claimable")), ["a", "b"]);
    assert_eq!(store.counts().await, [0, 0, 2]);
}

pub(super) async fn who_waits_gets_what_becomes_due(store: &QueueFixture) {
    store.send([Message { delay: Duration::from_secs(10), ..body("delayed") }]).await;
    let waiting = store.queue.claim(store.first(), 10, LEASE, LONG);
    let passing = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.clock.advance(Duration::from_secs(10));
    };
    let (deliveries, ()) = soon("a delivery", async { tokio::join!(waiting, passing) }).await;
    assert_eq!(texts(&deliveries.expect("claimable")), ["delayed"]);
    // A lease that runs out is such a time too.
    let waiting = store.queue.claim(store.first(), 10, LEASE, LONG);
    let passing = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.clock.advance(LEASE);
    };
    let (deliveries, ()) = soon("a delivery", async { tokio::join!(waiting, passing) }).await;
    assert_eq!(deliveries.expect("claimable")[0].receipt.attempt, 2);
}

pub(super) async fn waiting_ends_with_its_time(store: &QueueFixture) {
    let wait = Duration::from_secs(5);
    let waiting = store.queue.claim(store.first(), 10, LEASE, wait);
    let passing = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.clock.advance(wait);
    };
    let (deliveries, ()) = soon("an answer", async { tokio::join!(waiting, passing) }).await;
    assert!(deliveries.expect("claimable").is_empty());
    assert!(soon("an answer", store.queue.claim(store.first(), 10, LEASE, NOW)).await.expect("claimable").is_empty());
    store.send([body("a")]).await;
    assert_eq!(texts(&store.take(10).await), ["a"], "who has gone takes nothing");
}

pub(super) async fn who_left_takes_nothing_along(store: &QueueFixture) {
    for _ in 0..50 {
        let waiting = store.queue.claim(store.first(), 10, LEASE, LONG);
        assert!(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err(), "there is nothing");
    }
    store.send([body("a")]).await;
    assert_eq!(texts(&store.take(10).await), ["a"]);
}

pub(super) async fn several_share_what_comes(store: &QueueFixture) {
    let (queue, name) = (&store.queue, store.first());
    let waiting = async { tokio::join!(queue.claim(name, 1, LEASE, LONG), queue.claim(name, 1, LEASE, LONG)) };
    let sending = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.send([body("a"), body("b"), body("c")]).await;
    };
    let ((one, two), ()) = soon("deliveries", async { tokio::join!(waiting, sending) }).await;
    let mut both = [texts(&one.expect("claimable")), texts(&two.expect("claimable"))].concat();
    both.sort();
    assert_eq!(both, ["a", "b"]);
    assert_eq!(texts(&store.take(10).await), ["c"]);
}
