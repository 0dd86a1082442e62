//! Streams: in order, from where the group is, past what can't be worked off.

use std::time::Duration;

use ports::{Log as _, Verdict};
use types::{
    Cause, Function, TraceContext, limits,
    stream::{Record, StreamName},
    trigger::{Source, StreamStart},
};

use super::world::{Reply, World, done, failed, function, shared};

fn clicks() -> StreamName {
    StreamName("shop/dev/clicks".into())
}

fn follower(from: StreamStart) -> Function {
    function("worker", Source::Stream { stream: "clicks".into(), from }, |_| {})
}

async fn append(world: &World, bodies: &[&str]) {
    let record = |body: &&str| Record { body: (*body).to_owned().into(), key: Some("k".into()), ..Record::default() };
    world.store.append(&clicks(), bodies.iter().map(record).collect(), None).await.expect("it appends");
    world.settle().await;
}

#[tokio::test]
async fn records_are_read_in_order_and_not_again_after_a_restart() {
    let mut world = World::new(vec![follower(StreamStart::Oldest)], |_| done()).await;
    append(&world, &["a", "b", "c"]).await;
    world.crash(&shared(1, vec![(1, vec![follower(StreamStart::Oldest)], 1)])).await;
    append(&world, &["d"]).await;
    assert_eq!(world.told(), ["a b c", "d"]);
    assert_eq!(world.store.offset(&clicks(), "worker"), Some(4));
    assert_eq!(world.seen()[0].headers["dayfly-trigger"], "stream");
    let event = &world.seen()[0].json()[1];
    assert_eq!(
        (&event["id"], &event["source"], &event["partitionkey"]),
        (&"0-1".into(), &"/apps/shop/dev/stream/clicks".into(), &"k".into())
    );
    let lag = world.triggers.lag(&clicks(), &"worker".parse().expect("a name")).await.expect("a lag");
    assert_eq!(lag[0].records, 0);
}

#[tokio::test]
async fn a_new_function_begins_where_it_asks_to() {
    for (from, expected) in [(StreamStart::Oldest, vec!["old", "new"]), (StreamStart::Newest, vec!["new"])] {
        let world = World::new(vec![], |_| done()).await;
        append(&world, &["old"]).await;
        ports::Plane::install(&*world.triggers, &shared(2, vec![(2, vec![follower(from)], 1)]));
        world.settle().await;
        append(&world, &["new"]).await;
        assert_eq!(world.told(), expected, "{from:?}");
    }
}

#[tokio::test]
async fn a_poison_record_is_found_by_halves_and_the_others_go_on() {
    let world = World::new(vec![follower(StreamStart::Oldest)], |seen| {
        if seen.bodies().iter().any(|body| body == "poison") { failed("trapped") } else { done() }
    })
    .await;
    append(&world, &["a", "b", "c", "d", "poison", "e", "f", "g"]).await;
    world.pass(Duration::from_secs(60)).await;
    let succeeded: Vec<String> = world.told().into_iter().filter(|told| !told.contains("poison")).collect();
    assert_eq!(succeeded.join(" "), "a b c d e f g", "in order, each once");
    let alone = world.told().iter().filter(|told| *told == "poison").count();
    assert_eq!(alone, 3, "the first time and two retries");
    let dead = world.store.held();
    assert_eq!((dead.len(), dead[0].queue.0.as_str(), &dead[0].message.body[..]), (1, "shop/dev/dead", &b"poison"[..]));
    let attribute = |name: &str| dead[0].message.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!((attribute("dayfly-sequence"), attribute("dayfly-reason")), (Some("4"), Some("trapped")));
    assert_eq!(world.store.offset(&clicks(), "worker"), Some(8));
}

#[tokio::test]
async fn what_comes_before_the_first_failed_record_is_done() {
    let world = World::new(vec![follower(StreamStart::Oldest)], |seen| {
        let bad = seen.bodies().iter().position(|body| body == "bad");
        match bad.filter(|_| seen.attempt == 1 && seen.ids.len() > 1) {
            Some(at) => Reply::Verdict(Verdict::Done { failed: vec![seen.ids[at].clone()] }),
            None => done(),
        }
    })
    .await;
    append(&world, &["a", "bad", "c"]).await;
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.told(), ["a bad c", "bad", "c"]);
}

#[tokio::test]
async fn one_that_was_overtaken_commits_nothing_and_joins_again() {
    let world = World::new(vec![follower(StreamStart::Oldest)], |_| {
        Reply::After(Duration::from_secs(1), Verdict::Done { failed: vec![] })
    })
    .await;
    append(&world, &["a"]).await;
    world.store.overtake();
    world.pass(Duration::from_millis(1_050)).await;
    assert_eq!(world.store.offset(&clicks(), "worker"), None, "its epoch was old");
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.store.offset(&clicks(), "worker"), Some(1), "under the new one it works");
}

#[tokio::test]
async fn a_loop_through_a_stream_is_stopped() {
    let world = World::new(vec![follower(StreamStart::Oldest)], |_| done()).await;
    let trace = TraceContext::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("a trace");
    let record =
        |depth, body: &'static str| Record { body: body.into(), cause: Some(Cause { trace, depth }), ..Record::default() };
    let records = vec![record(1, "a"), record(limits::CAUSAL_DEPTH, "loop"), record(1, "b")];
    world.store.append(&clicks(), records, None).await.expect("it appends");
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.told(), ["a", "b"]);
    assert_eq!(world.store.held().len(), 1);
}
