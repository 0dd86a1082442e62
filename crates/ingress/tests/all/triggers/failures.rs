//! What comes again, when, how often, and what is given up.

use std::time::Duration;

use ports::Verdict;
use types::{Cause, Code, TraceContext, limits};

use super::{
    store::Store,
    world::{Reply, World, done, failed, message, orders, shared, worker},
};

/// The times at which a message that always fails is delivered, in milliseconds.
async fn schedule(seed: u64, retries: u32) -> (Vec<u64>, World) {
    let clock = std::sync::Arc::new(testkit::TestClock::new());
    let store = Store::new(&clock);
    let snapshot = shared(1, vec![(1, vec![worker(|rules| rules.retries = retries)], 1)]);
    let world = World::with(clock, store, seed, snapshot, |_| failed("it is broken")).await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(120)).await;
    (world.seen().iter().map(|seen| seen.at_ms).collect(), world)
}

#[tokio::test]
async fn what_fails_comes_again_after_growing_random_pauses_and_is_a_dead_letter_then() {
    let (times, world) = schedule(1, 4).await;
    assert_eq!(times.len(), 5);
    for (retry, pair) in times.windows(2).enumerate() {
        // The test's clock moves in steps of 600 ms.
        let longest = u64::try_from(limits::RETRY_BASE.as_millis()).expect("short") * (1 << retry) + 700;
        assert!(pair[1] - pair[0] <= longest, "pause {retry}: {times:?}");
    }
    let buried = world.store.buried();
    assert_eq!((buried[0].dead.as_str(), buried[0].attempts, buried[0].reason.as_str()), ("shop/dev/dead", 5, "it is broken"));
    assert_eq!(world.store.waiting(), 0);
    assert_eq!(schedule(1, 4).await.0, times, "the seed repeats the schedule");
    assert_ne!(schedule(2, 4).await.0, times, "and another seed gives another");
}

#[tokio::test]
async fn a_poison_message_takes_no_neighbour_with_it() {
    for retries in [0, 2] {
        let world = World::new(vec![worker(|rules| rules.retries = retries)], |seen| {
            if seen.bodies().iter().any(|body| body == "poison") { failed("trapped") } else { done() }
        })
        .await;
        world.send(&["a", "b", "poison", "c"]).await;
        world.pass(Duration::from_secs(30)).await;
        let buried = world.store.buried();
        assert_eq!(buried.iter().map(|one| one.body.as_str()).collect::<Vec<_>>(), ["poison"], "retries {retries}");
        assert_eq!(world.store.waiting(), 0);
        let told = world.told();
        for neighbour in ["a", "b", "c"] {
            assert!(told.contains(&neighbour.to_owned()), "{neighbour} ran alone: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_full_node_and_a_missing_permit_are_no_failures_of_the_function() {
    for code in [Code::E0505, Code::E0512] {
        let refusals = std::sync::atomic::AtomicU32::new(0);
        let world = World::new(vec![worker(|rules| rules.retries = 0)], move |seen| {
            assert_eq!(seen.attempt, 1);
            match refusals.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0..9 => Reply::Refused(code),
                _ => done(),
            }
        })
        .await;
        world.send(&["a"]).await;
        world.pass(Duration::from_secs(30)).await;
        assert_eq!((world.seen().len(), world.store.waiting(), world.store.buried().len()), (10, 0, 0));
    }
}

#[tokio::test]
async fn a_conflict_runs_again_at_once_and_counts_only_after_many() {
    let runs = std::sync::atomic::AtomicU32::new(0);
    let world = World::new(vec![worker(|_| {})], move |_| match runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0..5 => Reply::Verdict(Verdict::Conflict),
        _ => done(),
    })
    .await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(2)).await;
    assert_eq!((world.seen().len(), world.seen()[5].attempt, world.store.waiting()), (6, 1, 0));

    let world = World::new(vec![worker(|rules| rules.retries = 0)], |_| Reply::Verdict(Verdict::Conflict)).await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.seen().len(), limits::UNIT_CONFLICTS as usize + 1);
    assert_eq!(world.store.buried().len(), 1);
}

#[tokio::test]
async fn runs_that_are_in_each_other_s_way_become_few() {
    const MESSAGES: usize = 300;
    const COMMIT_MS: u64 = 20;
    // All change one key: of those that begin within the time of one commit, the first wins.
    let taken = parking_lot::Mutex::new(std::collections::BTreeSet::new());
    let world = World::new(vec![worker(|rules| rules.batch = 1)], move |seen| {
        let verdict = match taken.lock().insert(seen.at_ms / COMMIT_MS) {
            true => Verdict::Done { failed: vec![] },
            false => Verdict::Conflict,
        };
        Reply::After(Duration::from_millis(COMMIT_MS), verdict)
    })
    .await;
    let bodies: Vec<String> = (0..MESSAGES).map(|number| number.to_string()).collect();
    world.send(&bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // In steps that are shorter than a commit.
    for _ in 0..15 {
        world.pass(Duration::from_secs(1)).await;
    }
    let seen = world.seen();
    assert_eq!((world.store.waiting(), world.store.buried().len()), (0, 0), "{} runs", seen.len());
    assert!(seen.iter().all(|seen| seen.attempt == 1), "none of them is a failure");
    assert!(seen.len() < 8 * MESSAGES, "{} runs for {MESSAGES} messages", seen.len());
}

#[tokio::test]
async fn what_nobody_knows_comes_again_when_its_lease_is_over() {
    let world = World::new(vec![worker(|_| {})], |seen| match seen.attempt {
        1 => Reply::Verdict(Verdict::Unknown { reason: "the store was gone".into() }),
        _ => done(),
    })
    .await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(9)).await;
    assert_eq!(world.seen().len(), 1);
    world.pass(Duration::from_secs(3)).await;
    assert_eq!((world.seen().len(), world.store.waiting()), (2, 0));
}

#[tokio::test]
async fn what_somebody_else_has_is_left_to_them() {
    let world = World::new(vec![worker(|_| {})], |seen| match seen.attempt {
        1 => Reply::Verdict(Verdict::Superseded),
        _ => done(),
    })
    .await;
    world.send(&["a"]).await;
    world.pass(Duration::from_secs(9)).await;
    assert_eq!((world.seen().len(), world.store.waiting()), (1, 1));
}

#[tokio::test]
async fn a_loop_of_triggers_is_stopped_and_says_so() {
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    let trace = TraceContext::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("a trace");
    let at = |depth, body| types::queue::Message { cause: Some(Cause { trace, depth }), ..message(body) };
    world.store.put(&orders(), at(limits::CAUSAL_DEPTH - 1, "last"));
    world.store.put(&orders(), at(limits::CAUSAL_DEPTH, "one too many"));
    world.settle().await;
    assert_eq!(world.told(), ["last"]);
    let seen = world.seen();
    assert_eq!((seen[0].depth, seen[0].parent), (limits::CAUSAL_DEPTH - 1, Some(trace)));
    let buried = world.store.buried();
    assert_eq!(buried[0].body, "one too many");
    assert!(buried[0].reason.starts_with("E0516 ") && buried[0].reason.contains("33, allowed 32"), "{}", buried[0].reason);
}

#[tokio::test]
async fn traces_go_on_and_further_ones_are_linked() {
    let world = World::new(vec![worker(|_| {})], |_| done()).await;
    let trace = |n: u8| {
        let text = format!("00-{n:02x}f7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        TraceContext::from_traceparent(&text).expect("a trace")
    };
    for (n, depth) in [(1, 2), (2, 5), (2, 5), (3, 1)] {
        let cause = Some(Cause { trace: trace(n), depth });
        world.store.put(&orders(), types::queue::Message { cause, ..message("m") });
    }
    world.settle().await;
    let seen = &world.seen()[0];
    assert_eq!((seen.parent, seen.links, seen.depth), (Some(trace(1)), 2, 5));
    assert_eq!(seen.json()[0]["traceparent"], trace(1).to_traceparent());
}

#[tokio::test]
async fn a_message_that_never_ends_is_given_up_at_last() {
    let world = World::new(vec![worker(|_| {})], |_| Reply::Verdict(Verdict::Unknown { reason: "killed".into() })).await;
    world.send(&["kills"]).await;
    world.pass(Duration::from_secs(1_000)).await;
    let buried = world.store.buried();
    assert_eq!(world.seen().len(), 52);
    assert!(buried[0].reason.contains("without coming to an end"), "{buried:?}");
}
