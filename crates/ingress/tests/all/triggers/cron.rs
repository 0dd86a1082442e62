//! Schedules: each time once, over restarts and clocks that jump.

use std::{sync::Arc, time::Duration};

use ports::{Clock as _, Plane, Schedules as _, Verdict};
use testkit::TestClock;
use types::{
    Code, Elapsed, Function, Timestamp,
    trigger::{Missed, Overlap, Source},
};

use super::{
    store::Store,
    world::{Reply, World, done, function, key, shared},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn schedule(text: &str, overlap: Overlap, missed: Missed) -> Function {
    let source = Source::Cron { schedule: text.into(), zone: "UTC".into(), overlap, missed };
    function("nightly", source, |rules| rules.batch = 1)
}

/// The times that were meant, as hours and minutes.
fn times(world: &World) -> Vec<String> {
    world.seen().iter().map(|seen| seen.json()["scheduled"].as_str().expect("a time")[11..16].to_owned()).collect()
}

fn clock_at(world: &World, change: impl FnOnce(u64) -> u64) {
    world.clock.set_wall(Timestamp::from_unix_ns(change(world.clock.now().unix_ns())));
}

/// Time passes in steps that are short enough for minutes.
async fn pass(world: &World, time: Duration) {
    for _ in 0..time.as_secs() / 5 {
        world.clock.advance(Duration::from_secs(5));
        world.settle().await;
    }
}

#[tokio::test]
async fn each_time_comes_once_also_over_restarts() {
    let quarter = || vec![schedule("*/15 * * * *", Overlap::Allow, Missed::All)];
    let mut world = World::new(quarter(), |_| done()).await;
    for _ in 0..6 {
        pass(&world, Duration::from_secs(20 * 60)).await;
        world.crash(&shared(1, vec![(1, quarter(), 1)])).await;
    }
    assert_eq!(times(&world), ["00:15", "00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "02:00"]);
    let seen = &world.seen()[0];
    assert_eq!(seen.headers["ce-type"], "dayfly.cron.tick");
    assert_eq!(seen.headers["dayfly-trigger"], "cron");
    assert_eq!(seen.headers["ce-id"], "2026-01-01T00:15:00.000000000Z");
    assert_eq!(seen.headers["ce-source"], "/apps/shop/dev/cron/nightly");
}

#[tokio::test]
async fn a_clock_that_goes_back_an_hour_doubles_nothing() {
    let world = World::new(vec![schedule("*/15 * * * *", Overlap::Allow, Missed::All)], |_| done()).await;
    pass(&world, HOUR + MINUTE).await;
    clock_at(&world, |now| now - Elapsed::from(HOUR).ns());
    pass(&world, HOUR + 20 * MINUTE).await;
    assert_eq!(times(&world), ["00:15", "00:30", "00:45", "01:00", "01:15"]);
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_ahead_misses_by_the_policy() {
    for (missed, expected) in
        [(Missed::All, vec!["00:15", "00:30", "00:45", "01:00"]), (Missed::Once, vec!["01:00"]), (Missed::Skip, vec![])]
    {
        let world = World::new(vec![schedule("*/15 * * * *", Overlap::Allow, missed)], |_| done()).await;
        clock_at(&world, |now| now + Elapsed::from(HOUR + 5 * MINUTE).ns());
        pass(&world, MINUTE).await;
        assert_eq!(times(&world), expected, "{missed:?}");
        pass(&world, 15 * MINUTE).await;
        assert_eq!(times(&world).len(), expected.len() + 1, "{missed:?}: it goes on");
    }
}

#[tokio::test]
async fn times_at_which_the_node_was_down_are_made_up_for_by_the_policy() {
    for (missed, expected) in [(Missed::Once, vec![2_u64]), (Missed::All, vec![0, 0, 0]), (Missed::Skip, vec![])] {
        let functions = || vec![schedule("0 * * * *", Overlap::Queue, missed)];
        let mut world = World::new(functions(), |_| done()).await;
        world.served.abort();
        world.settle().await;
        world.clock.advance(3 * HOUR + 10 * MINUTE);
        world.crash(&shared(1, vec![(1, functions(), 1)])).await;
        pass(&world, MINUTE).await;
        let stood_for: Vec<u64> = world.seen().iter().map(|seen| seen.json()["missed"].as_u64().expect("a number")).collect();
        assert_eq!(stood_for, expected, "{missed:?}");
    }
}

#[tokio::test]
async fn overlap_decides_what_becomes_of_a_time_while_the_last_run_goes_on() {
    let long = Duration::from_secs(150);
    for (overlap, runs, at_once) in [(Overlap::Skip, 2, 1), (Overlap::Queue, 2, 1), (Overlap::Allow, 5, 3)] {
        let world = World::new(vec![schedule("* * * * *", overlap, Missed::Once)], move |_| {
            Reply::After(long, Verdict::Done { failed: vec![] })
        })
        .await;
        pass(&world, Duration::from_secs(5 * 60 + 20)).await;
        let most = world.functions.most.load(std::sync::atomic::Ordering::Relaxed);
        if overlap == Overlap::Queue {
            // Two begin within the time; one of them runs and three wait.
            assert_eq!((world.seen().len(), world.store.waiting(), most), (runs, 4, at_once), "{overlap:?}");
        } else {
            assert_eq!((world.seen().len(), most), (runs, at_once), "{overlap:?}");
        }
    }
}

#[tokio::test]
async fn schedules_say_when_they_come_and_can_be_started_by_hand() {
    let world = World::new(vec![schedule("30 6 * * *", Overlap::Skip, Missed::Once)], |_| done()).await;
    let name = "nightly".parse().expect("a name");
    let listed = world.triggers.schedules(&key()).await.expect("a list");
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].last, listed[0].next.map(|at| at.to_rfc3339())), (None, Some("2026-01-01T06:30:00.000000000Z".into())));
    world.triggers.run_cron(&key(), &name).await.expect("it starts");
    world.settle().await;
    assert_eq!(times(&world), ["00:00"]);
    let unknown = world.triggers.run_cron(&key(), &"other".parse().expect("a name")).await.expect_err("there is none");
    assert_eq!(unknown.code, Code::E0708);
    pass(&world, 7 * HOUR).await;
    let listed = world.triggers.schedules(&key()).await.expect("a list");
    assert_eq!(listed[0].last.map(|at| at.to_rfc3339()), Some("2026-01-01T06:30:00.000000000Z".into()));
    assert_eq!(listed[0].next.map(|at| at.to_rfc3339()), Some("2026-01-02T06:30:00.000000000Z".into()));
}

#[tokio::test]
async fn another_schedule_begins_anew_and_one_that_was_gone_misses_nothing() {
    let world = World::new(vec![schedule("0 * * * *", Overlap::Allow, Missed::All)], |_| done()).await;
    pass(&world, HOUR + MINUTE).await;
    world.triggers.install(&shared(2, vec![(2, vec![schedule("*/20 * * * *", Overlap::Allow, Missed::All)], 1)]));
    pass(&world, 20 * MINUTE).await;
    assert_eq!(times(&world), ["01:00", "01:20"]);
    world.triggers.install(&shared(3, vec![]));
    pass(&world, 2 * HOUR).await;
    world.triggers.install(&shared(4, vec![(4, vec![schedule("*/20 * * * *", Overlap::Allow, Missed::All)], 1)]));
    pass(&world, 20 * MINUTE).await;
    assert_eq!(times(&world), ["01:00", "01:20", "03:40"], "two hours without it are nothing that it missed");
}

#[tokio::test]
async fn two_nodes_with_one_store_start_each_time_once() {
    let clock = Arc::new(TestClock::new());
    let store = Store::new(&clock);
    let snapshot = shared(1, vec![(1, vec![schedule("*/10 * * * *", Overlap::Allow, Missed::All)], 1)]);
    let first = World::with(Arc::clone(&clock), Arc::clone(&store), 1, Arc::clone(&snapshot), |_| done()).await;
    let second = World::with(clock, store, 2, snapshot, |_| done()).await;
    pass(&first, HOUR).await;
    let mut all = [times(&first), times(&second)].concat();
    all.sort_unstable();
    assert_eq!(all, ["00:10", "00:20", "00:30", "00:40", "00:50", "01:00"]);
}
