//! What is delivered: each message once, in batches, in order within groups, as fast as the function may run.

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use ports::Verdict;

use super::world::{Reply, World, done, function, grouped, message, orders, worker};

#[tokio::test]
async fn each_message_is_delivered_once_and_gone() {
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    world.send(&["a", "b", "c"]).await;
    assert_eq!(world.told(), ["a b c"]);
    world.pass(Duration::from_secs(60)).await;
    assert_eq!((world.seen().len(), world.store.waiting()), (1, 0));
}

#[tokio::test]
async fn without_acknowledgement_the_same_message_comes_again() {
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    world.functions.acknowledges.store(false, Ordering::Relaxed);
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(60)).await;
    assert!(world.seen().len() > 1 && world.store.waiting() == 1, "the control: nobody removed it");
}

#[tokio::test]
async fn a_batch_of_one_is_a_binary_event_and_any_other_a_list() {
    let world = World::new(vec![worker(|rules| rules.batch = 1)], |_| done()).await;
    world.send(&["{\"total\":1}", "b"]).await;
    let seen = world.seen();
    assert_eq!(world.told(), ["{\"total\":1}", "b"]);
    let header = |name: &str| seen[0].headers[name].to_str().expect("text").to_owned();
    assert_eq!(
        [header("ce-type"), header("ce-source"), header("ce-id"), header("content-type"), header("dayfly-trigger")],
        ["dayfly.queue.message", "/apps/shop/dev/queue/orders", "msg_1", "application/json", "queue"]
    );
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    world.send(&["alone"]).await;
    assert_eq!(world.seen()[0].headers["content-type"], "application/cloudevents-batch+json");
    assert_eq!(world.seen()[0].headers["dayfly-trigger"], "queue");
    assert_eq!(world.seen()[0].json()[0]["data"], "alone");
}

#[tokio::test]
async fn a_batch_waits_until_it_is_full_or_its_time_is_over() {
    let waits = |rules: &mut types::trigger::Rules| (rules.batch, rules.wait) = (3, Duration::from_secs(30));
    let world = World::new(vec![worker(waits)], |_| done()).await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(5)).await;
    world.send(&["b"]).await;
    assert!(world.seen().is_empty(), "there is time left");
    world.send(&["c"]).await;
    assert_eq!(world.told(), ["a b c"]);
    world.send(&["d"]).await;
    world.pass(Duration::from_secs(29)).await;
    assert_eq!(world.seen().len(), 1);
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.told(), ["a b c", "d"]);
    assert_eq!(world.seen()[1].attempt, 1, "its lease was renewed while it waited");
}

#[tokio::test]
async fn groups_stay_in_order_although_one_of_them_fails() {
    let world = World::new(vec![worker(|rules| rules.batch = 1)], |seen| match (&seen.body[..], seen.attempt) {
        ("a1", 1 | 2) => Reply::Verdict(Verdict::Failed { reason: "not yet".into() }),
        _ => done(),
    })
    .await;
    for (body, group) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a"), ("b2", "b")] {
        world.store.put(&orders(), grouped(body, group));
    }
    world.settle().await;
    world.pass(Duration::from_secs(10)).await;
    let told = world.told();
    let of = |group: char| told.iter().filter(|body| body.starts_with(group)).cloned().collect::<Vec<_>>();
    assert_eq!(of('a'), ["a1", "a1", "a1", "a2", "a3"]);
    assert_eq!(of('b'), ["b1", "b2"]);
    assert_eq!((world.store.waiting(), world.store.buried().len()), (0, 0));
}

#[tokio::test]
async fn those_behind_a_failing_message_of_their_group_keep_all_their_retries() {
    let world = World::new(vec![worker(|_| {})], |seen| match &seen.bodies()[..] {
        [only] if only == "a2" && seen.attempt == 3 => done(),
        _ => Reply::Verdict(Verdict::Failed { reason: "no".into() }),
    })
    .await;
    for body in ["a1", "a2"] {
        world.store.put(&orders(), grouped(body, "a"));
    }
    world.settle().await;
    world.pass(Duration::from_secs(60)).await;
    let buried = world.store.buried();
    assert_eq!(buried.len(), 1, "a2 succeeds with its last retry: {buried:?}");
    assert_eq!((buried[0].body.as_str(), world.store.waiting()), ("a1", 0));
}

#[tokio::test]
async fn a_backlog_is_worked_off_by_many_at_once_within_the_functions_concurrency() {
    let mut busy = worker(|rules| rules.batch = 2);
    busy.limits.concurrency = 16;
    let world = World::new(vec![busy], |_| Reply::After(Duration::from_millis(100), Verdict::Done { failed: vec![] })).await;
    for n in 0..600 {
        world.store.put(&orders(), message(&format!("m{n}")));
    }
    world.settle().await;
    world.pass(Duration::from_secs(4)).await;
    let distinct: BTreeSet<String> = world.seen().iter().flat_map(|seen| seen.bodies()).collect();
    assert_eq!((distinct.len(), world.store.waiting()), (600, 0));
    assert_eq!(world.seen().len(), 300, "each once, in full batches");
    assert_eq!(world.functions.most.load(Ordering::Relaxed), 16);
}

#[tokio::test]
async fn a_backlog_of_one_function_keeps_no_other_waiting() {
    let other = function("other", types::trigger::Source::Queue { queue: "small".into() }, |_| {});
    let slow = worker(|rules| rules.batch = 1);
    let world = World::new(vec![slow, other], |seen| match &seen.function[..] {
        "worker" => Reply::After(Duration::from_secs(5), Verdict::Done { failed: vec![] }),
        _ => done(),
    })
    .await;
    for n in 0..2_000 {
        world.store.put(&orders(), message(&format!("m{n}")));
    }
    world.settle().await;
    let small = types::queue::QueueName("shop/dev/small".into());
    world.store.put(&small, message("quick"));
    world.settle().await;
    assert!(world.seen().iter().any(|seen| seen.function == "other"));
    assert!(world.functions.most.load(Ordering::Relaxed) <= 129);
}

#[tokio::test]
async fn ten_thousand_idle_queues_ask_once_and_wait() {
    let functions =
        (0..10_000).map(|n| function(&format!("f{n}"), types::trigger::Source::Queue { queue: format!("q{n}") }, |_| {}));
    let world = World::new(functions.collect(), |_| done()).await;
    assert_eq!(world.store.claims.load(Ordering::Relaxed), 10_000);
    world.clock.advance(Duration::from_secs(300));
    world.settle().await;
    assert_eq!(world.store.claims.load(Ordering::Relaxed), 10_000, "no timer of theirs ticks");
}

#[tokio::test]
async fn what_a_function_names_as_failed_comes_again_and_the_rest_does_not() {
    let world = World::new(vec![worker(|_| {})], |seen| match seen.attempt {
        1 => Reply::Verdict(Verdict::Done { failed: vec![seen.ids[1].clone()] }),
        _ => done(),
    })
    .await;
    world.send(&["a", "b", "c"]).await;
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.told(), ["a b c", "b"]);
    assert_eq!((world.store.waiting(), world.store.buried().len()), (0, 0));
}

#[tokio::test]
async fn a_long_batch_is_held_until_it_is_done() {
    let long = Duration::from_secs(120);
    let world = World::new(vec![worker(|_| {})], move |_| Reply::After(long, Verdict::Done { failed: vec![] })).await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(130)).await;
    assert_eq!((world.seen().len(), world.store.waiting()), (1, 0));
}

#[tokio::test]
async fn a_batch_whose_lease_is_lost_is_ended() {
    let world =
        World::new(vec![worker(|_| {})], |_| Reply::After(Duration::from_secs(60), Verdict::Done { failed: vec![] })).await;
    world.send(&["a"]).await;
    assert_eq!(world.functions.running.load(Ordering::Relaxed), 1);
    world.store.loses_leases.store(true, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(4));
    world.settle().await;
    assert_eq!(world.functions.finished.load(Ordering::Relaxed), 0, "it was dropped, not finished");
}
