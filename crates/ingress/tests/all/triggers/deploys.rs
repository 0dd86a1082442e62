//! Deployments, drains and crashes: nothing is lost, nothing is doubled.

use std::{collections::BTreeMap, time::Duration};

use ports::{Plane, Verdict};

use super::world::{Reply, World, done, function, message, orders, queue_source, shared, worker};

#[tokio::test]
async fn a_drain_finishes_what_runs_and_takes_nothing_new() {
    let slow = Duration::from_secs(5);
    let mut world = World::new(vec![worker(|_| {})], move |_| Reply::After(slow, Verdict::Done { failed: vec![] })).await;
    world.send(&["a"]).await;
    world.drain.begin();
    world.settle().await;
    world.send(&["b"]).await;
    world.pass(Duration::from_secs(6)).await;
    assert_eq!((world.told(), world.store.waiting()), (vec!["a".to_owned()], 1));
    tokio::time::timeout(Duration::from_secs(5), &mut world.served).await.expect("it ends").expect("well");
}

#[tokio::test]
async fn a_drain_cuts_off_what_takes_too_long_and_it_comes_again() {
    let (hour, snapshot) = (Duration::from_secs(3_600), shared(1, vec![(1, vec![worker(|_| {})], 1)]));
    let mut world = World::new(vec![worker(|_| {})], move |seen| match seen.attempt {
        1 => Reply::After(hour, Verdict::Done { failed: vec![] }),
        _ => done(),
    })
    .await;
    world.send(&["a"]).await;
    world.drain.begin();
    world.pass(Duration::from_secs(21)).await;
    tokio::time::timeout(Duration::from_secs(5), &mut world.served).await.expect("it ends").expect("well");
    assert_eq!(world.store.waiting(), 1);
    world.crash(&snapshot).await;
    world.pass(Duration::from_secs(11)).await;
    assert_eq!((world.seen().len(), world.store.waiting()), (2, 0));
}

#[tokio::test]
async fn deployments_between_and_within_batches_lose_and_double_nothing() {
    let take = Duration::from_millis(50);
    let world = World::new(vec![worker(|_| {})], move |_| Reply::After(take, Verdict::Done { failed: vec![] })).await;
    let mut sent = 0;
    for number in 2..30_u32 {
        for _ in 0..7 {
            world.store.put(&orders(), message(&format!("m{sent}")));
            sent += 1;
        }
        // Every third deployment takes the trigger away; the next brings it back with another batch size.
        let functions = if number % 3 == 0 { vec![] } else { vec![worker(|rules| rules.batch = number % 4 + 1)] };
        world.triggers.install(&shared(u64::from(number), vec![(number, functions, 1)]));
        world.pass(Duration::from_millis(30)).await;
    }
    world.triggers.install(&shared(99, vec![(99, vec![worker(|_| {})], 1)]));
    world.pass(Duration::from_secs(30)).await;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for body in world.seen().iter().flat_map(super::world::Seen::bodies) {
        *counts.entry(body).or_default() += 1;
    }
    assert_eq!((counts.len(), world.store.waiting(), world.store.buried().len()), (sent, 0, 0));
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[tokio::test]
async fn an_older_snapshot_is_ignored_by_triggers() {
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    world.triggers.install(&shared(0, vec![]));
    world.send(&["a"]).await;
    assert_eq!(world.told(), ["a"]);
}

#[tokio::test]
async fn what_a_worker_has_waited_for_goes_to_the_revision_that_is_served_by_then() {
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    world.send(&["before"]).await;
    // The worker waits for more by now.
    world.settle().await;
    world.triggers.install(&shared(2, vec![(2, vec![worker(|_| {})], 1)]));
    world.settle().await;
    world.send(&["after"]).await;
    let revisions: Vec<u32> = world.seen().iter().map(|seen| seen.revision).collect();
    assert_eq!(revisions, [1, 2]);
}

#[tokio::test]
async fn batches_are_shared_by_weight() {
    let snapshot =
        shared(2, vec![(1, vec![worker(|rules| rules.batch = 1)], 75), (2, vec![worker(|rules| rules.batch = 1)], 25)]);
    let world = World::new(vec![], |_| done()).await;
    world.triggers.install(&snapshot);
    world.settle().await;
    for n in 0..400 {
        world.send(&[&format!("m{n}")]).await;
    }
    let second = world.seen().iter().filter(|seen| seen.revision == 2).count();
    assert_eq!(world.seen().len(), 400);
    assert!((60..=140).contains(&second), "{second} of 400");
}

#[tokio::test]
async fn a_crash_in_the_midst_of_a_batch_brings_it_again_and_costs_no_retry() {
    let snapshot = shared(1, vec![(1, vec![worker(|rules| rules.retries = 0)], 1)]);
    let take = Duration::from_secs(2);
    let mut world =
        World::new(vec![worker(|rules| rules.retries = 0)], move |_| Reply::After(take, Verdict::Done { failed: vec![] })).await;
    world.send(&["a", "b"]).await;
    for _ in 0..5 {
        world.pass(Duration::from_secs(1)).await;
        world.crash(&snapshot).await;
        world.pass(Duration::from_secs(10)).await;
    }
    world.pass(Duration::from_secs(60)).await;
    assert_eq!((world.store.waiting(), world.store.buried().len()), (0, 0));
    assert!(world.functions.finished.load(std::sync::atomic::Ordering::Relaxed) >= 1);
}

#[tokio::test]
async fn two_functions_of_one_queue_share_its_messages() {
    let functions =
        vec![function("one", queue_source(), |rules| rules.batch = 1), function("two", queue_source(), |rules| rules.batch = 1)];
    let world = World::new(functions, |_| done()).await;
    world.send(&["a", "b", "c", "d"]).await;
    assert_eq!((world.seen().len(), world.store.waiting()), (4, 0));
}
