//! Units of effects: all of what a function did is there after its success, and nothing of it otherwise.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use ports::{
    Body, Scope, StoreError, Verdict,
    invoker::{Acknowledge, Item},
    runtime::{Ended, Fault},
    scope::OpenKv,
};
use types::{
    Code, Function, Outcome, RecordMode,
    kv::{Committed, Condition, Namespace, Transaction, Write},
    queue::{Message, MessageId, QueueName, Receipt},
    stream::{Epoch, GroupName, Partition, Record, Sequence, StreamName},
    trigger::{Effects, On, Rules, Source},
};

use super::support::{Guest, World, answer, guest, parent, put, text, verdict};

fn key(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn atomic(function: &mut Function) {
    function.effects = Effects::Atomic;
    function.uses =
        ["kv.cache", "kv.brief", "queue.mail", "stream.audit", "event.default"].map(|g| g.parse().expect("a grant")).into();
}

fn immediate(function: &mut Function) {
    atomic(function);
    function.effects = Effects::Immediate;
}

async fn value(open: &OpenKv, name: &'static str) -> Option<String> {
    let entry = open.kv.get(&open.namespace, &key(name)).await.expect("a get");
    entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned())
}

/// One of everything that a unit holds.
async fn work(scope: &Arc<dyn Scope>) {
    let open = scope.kv("cache").expect("granted");
    open.kv.commit(&open.namespace, put("n", "1")).await.expect("a put");
    let queue = scope.queue("mail").expect("granted");
    let message = Message { body: key("letter"), ..Message::default() };
    queue.queue.enqueue(&queue.name, vec![message], None).await.expect("a send");
    let stream = scope.stream("audit").expect("granted");
    stream.log.append(&stream.name, vec![Record { body: key("seen"), ..Record::default() }], None).await.expect("an append");
    let event = types::CloudEvent {
        id: "e1".into(),
        source: "/shop".into(),
        kind: "order.made".into(),
        subject: None,
        time: None,
        content_type: None,
        schema: None,
        extensions: Vec::new(),
        data: None,
    };
    scope.bus("default").expect("granted").publish(vec![event]).await.expect("a publish");
}

/// How much of it is there: entries, messages, records, acknowledgements.
async fn seen(world: &World) -> (usize, usize, usize, usize) {
    let namespace = Namespace("shop/dev/cache".into());
    let entries = world.platform.kv.list(&namespace, &Bytes::new(), None, 100).await.expect("a list").len();
    let platform = &world.platform;
    (entries, platform.sent.lock().len(), platform.appended.lock().len(), platform.acked.lock().len())
}

fn ended(how: &'static str) -> Guest {
    guest(move |_, scope, _| async move {
        work(&scope).await;
        match how {
            "trap" => Ended::Stopped(Fault { code: Code::E0501, message: "it broke".into(), backtrace: Vec::new() }),
            "500" => answer(&scope, 500, ""),
            _ => answer(&scope, 200, how),
        }
    })
}

#[tokio::test]
async fn what_a_failed_function_did_is_not_there() {
    for how in ["trap", "500"] {
        let world = World::new(ended(how), atomic);
        let response = world.deliver(&[("a", 1)], 1).await;
        assert!(matches!(verdict(&response), Verdict::Failed { .. }));
        assert_eq!(seen(&world).await, (0, 0, 0, 0), "{how}");
        // The control: without the unit it is all there, and comes again with the next delivery.
        let world = World::new(ended(how), immediate);
        drop(world.deliver(&[("a", 1)], 1).await);
        assert_eq!(seen(&world).await, (1, 2, 1, 0), "{how}");
    }
}

#[tokio::test]
async fn what_a_successful_function_did_is_all_there_with_the_acknowledgement() {
    let world = World::new(ended("done"), atomic);
    let response = world.deliver(&[("a", 1)], 1).await;
    assert_eq!(verdict(&response), Verdict::Done { failed: vec![] });
    assert_eq!(text(response).await, (200, "done".to_owned()));
    assert_eq!(seen(&world).await, (1, 2, 1, 1));
    assert_eq!(world.platform.units.lock().len(), 1, "one commit");
    let record = &world.records()[0];
    assert_eq!((record.cause.as_str(), record.delivery.attempt, record.delivery.depth), ("queue orders", 1, 1));
    assert_eq!((record.trace, record.parent), (parent().trace, Some(parent().span)));
    let last = record.spans.last().expect("spans");
    assert_eq!((last.name.as_str(), last.result.as_str()), ("commit 4 effects, 1 acknowledged", "ok"));
}

#[tokio::test]
async fn events_may_be_atomic_where_requests_are_not() {
    let both = |function: &mut Function| {
        atomic(function);
        let source = Source::Queue { queue: "orders".into() };
        let rules = Rules { batch: 10, wait: Duration::ZERO, retries: 2, dead: "orders-dead".into() };
        function.on = Some(On { source, rules });
        function.request_effects = Effects::Immediate;
    };
    let world = World::new(ended("500"), both);
    drop(world.invoke("/").await);
    assert_eq!(seen(&world).await, (1, 2, 1, 0), "a request's effects are there although it failed");
    let world = World::new(ended("500"), both);
    drop(world.deliver(&[("a", 1)], 1).await);
    assert_eq!(seen(&world).await, (0, 0, 0, 0), "an event's are not");
}

#[tokio::test]
async fn everything_says_what_caused_it() {
    let world = World::new(ended("done"), atomic);
    drop(world.deliver(&[("a", 1)], 1).await);
    let record = &world.records()[0];
    for (queue, message) in world.platform.sent.lock().iter() {
        let cause = message.cause.expect("it is stamped");
        assert_eq!((cause.trace.trace, cause.trace.span, cause.depth), (record.trace, record.span, 2), "{queue:?}");
    }
    assert_eq!(world.platform.appended.lock()[0].1.cause.map(|cause| cause.depth), Some(2));
}

#[tokio::test]
async fn a_function_reads_what_it_wrote() {
    let world = World::new(
        guest(|_, scope, _| async move {
            let open = scope.kv("cache").expect("granted");
            assert_eq!(value(&open, "stored").await.as_deref(), Some("0"));
            open.kv.commit(&open.namespace, put("b", "2")).await.expect("a put");
            open.kv.commit(&open.namespace, put("stored", "1")).await.expect("a put");
            let delete = Transaction { writes: vec![Write::Delete { key: key("gone") }], ..Transaction::default() };
            open.kv.commit(&open.namespace, delete).await.expect("a delete");
            let past = Some(types::Timestamp::from_unix_ms(1));
            let expired = Write::Put { key: key("old"), value: key("x"), expires: past };
            let expired = Transaction { writes: vec![expired], ..Transaction::default() };
            open.kv.commit(&open.namespace, expired).await.expect("a put");
            assert_eq!(value(&open, "stored").await.as_deref(), Some("1"));
            assert_eq!((value(&open, "gone").await, value(&open, "old").await), (None, None));
            let many = open.kv.get_many(&open.namespace, &[key("b"), key("z"), key("gone"), key("c")]).await.expect("gets");
            assert_eq!(many.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, true]);
            let mut keys = Vec::new();
            let mut after: Option<Bytes> = None;
            // Pages of one: what was deleted must not make a page seem the last.
            loop {
                let page = open.kv.list(&open.namespace, &Bytes::new(), after.as_ref(), 1).await.expect("a page");
                let Some(entry) = page.last() else { break };
                after = Some(entry.key.clone());
                keys.push(String::from_utf8_lossy(&entry.key).into_owned());
            }
            assert_eq!(keys, ["b", "c", "stored"]);
            answer(&scope, 200, "")
        }),
        atomic,
    );
    let namespace = Namespace("shop/dev/cache".into());
    for (name, old) in [("stored", "0"), ("gone", "0"), ("c", "0")] {
        world.platform.kv.commit(&namespace, put(name, old)).await.expect("a put");
    }
    assert_eq!(world.invoke("/").await.status(), 200);
    let stored = world.platform.kv.get(&namespace, &key("gone")).await.expect("a get");
    assert!(stored.is_none(), "a request's effects are there before its answer");
}

async fn swap(open: &OpenKv, name: &'static str, new: &'static str) -> bool {
    let seen = open.kv.get(&open.namespace, &key(name)).await.expect("a get");
    let condition = seen.map_or_else(|| Condition::Absent(key(name)), |entry| Condition::At(key(name), entry.rev));
    let transaction = Transaction { conditions: vec![condition], ..put(name, new) };
    matches!(open.kv.commit(&open.namespace, transaction).await.expect("a commit"), Committed::At(_))
}

#[tokio::test]
async fn a_value_that_others_change_meanwhile_makes_the_unit_fail() {
    for (batch, disturbed) in [(true, true), (true, false), (false, true), (false, false)] {
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let wait = Arc::new(parking_lot::Mutex::new(Some(wait)));
        let world = World::new(
            guest(move |_, scope, _| {
                let wait = wait.lock().take().expect("one run");
                async move {
                    let open = scope.kv("cache").expect("granted");
                    assert!(swap(&open, "n", "1").await && swap(&open, "n", "2").await, "its own writes are no conflict");
                    wait.await.expect("the test goes on");
                    answer(&scope, 200, "done")
                }
            }),
            atomic,
        );
        let running = if batch { world.deliver(&[("a", 1)], 1) } else { world.invoke("/") };
        tokio::pin!(running);
        assert!(futures_util::poll!(&mut running).is_pending());
        let namespace = Namespace("shop/dev/cache".into());
        if disturbed {
            world.platform.kv.commit(&namespace, put("n", "9")).await.expect("a put");
        }
        go.send(()).expect("it waits");
        let response = running.await;
        let stored = world.platform.kv.get(&namespace, &key("n")).await.expect("a get").expect("a value").value;
        if !disturbed {
            assert_eq!((response.status().as_u16(), stored.as_ref()), (200, b"2".as_ref()));
            continue;
        }
        assert_eq!(stored.as_ref(), b"9", "nothing of it happened");
        assert_eq!(response.headers()["x-dayfly-error"], "E0517");
        assert_eq!(response.status(), 409);
        if batch {
            assert_eq!(verdict(&response), Verdict::Conflict);
        }
        assert!(world.platform.acked.lock().is_empty());
        assert!(matches!(world.records()[0].outcome, Outcome::Failed { code: Code::E0517, .. }));
    }
}

#[tokio::test]
async fn a_condition_that_fails_is_told_at_once() {
    let world = World::new(
        guest(|_, scope, _| async move {
            let open = scope.kv("cache").expect("granted");
            let transaction = Transaction { conditions: vec![Condition::Absent(key("n"))], ..put("n", "2") };
            let told = open.kv.commit(&open.namespace, transaction).await.expect("a commit");
            assert_eq!(told, Committed::Refused { condition: 0 });
            answer(&scope, 200, "")
        }),
        atomic,
    );
    world.platform.kv.commit(&Namespace("shop/dev/cache".into()), put("n", "1")).await.expect("a put");
    let response = world.deliver(&[("a", 1)], 1).await;
    assert_eq!(verdict(&response), Verdict::Done { failed: vec![] });
}

fn naming(failed: &'static str) -> Guest {
    guest(move |_, scope, _| async move {
        let body = Bytes::from_static(failed.as_bytes());
        let response = Response::builder().header("content-type", "application/json").body(Body::from(body.clone()));
        scope.respond(response.expect("a response"));
        scope.body_written(&body);
        Ended::Returned
    })
}

#[tokio::test]
async fn only_the_events_that_succeeded_are_acknowledged() {
    let world = World::new(naming("{\"failed\":[\"b\"]}"), atomic);
    let response = world.deliver(&[("a", 1), ("b", 2), ("c", 3)], 4).await;
    assert_eq!(verdict(&response), Verdict::Done { failed: vec!["b".into()] });
    let acked: Vec<u64> = world.platform.acked.lock().iter().map(|receipt| receipt.id.0).collect();
    assert_eq!(acked, [1, 3]);
    assert_eq!(world.records()[0].delivery.attempt, 4);
}

#[tokio::test]
async fn an_answer_that_names_strangers_acknowledges_nothing_and_is_e0518() {
    let world = World::new(naming("{\"failed\":[\"x\"]}"), atomic);
    let response = world.deliver(&[("a", 1)], 1).await;
    assert!(matches!(verdict(&response), Verdict::Failed { reason } if reason.starts_with("E0518")));
    assert!(world.platform.acked.lock().is_empty());
    let record = &world.records()[0];
    assert!(matches!(record.outcome, Outcome::Failed { code: Code::E0518, .. }) && record.journal_kept);
}

#[tokio::test]
async fn records_of_a_stream_are_acknowledged_up_to_the_first_that_failed() {
    let item = |id: &str, partition: u32, next: u64| Item {
        id: id.into(),
        acknowledge: Acknowledge::Record {
            stream: StreamName("shop/dev/audit".into()),
            group: GroupName("g".into()),
            partition: Partition(partition),
            next: Sequence(next),
            epoch: Epoch(1),
        },
    };
    let world = World::new(naming("{\"failed\":[\"b\",\"d\"]}"), atomic);
    let items = vec![item("a", 0, 1), item("b", 0, 2), item("c", 0, 3), item("d", 1, 8), item("e", 2, 5), item("f", 2, 6)];
    drop(world.deliver_items(items, 1, 0).await);
    assert_eq!(*world.platform.offsets.lock(), [(Partition(0), Sequence(1)), (Partition(2), Sequence(6))]);
}

#[tokio::test]
async fn a_stale_receipt_supersedes_and_nothing_happens() {
    let world = World::new(ended("done"), atomic);
    world.platform.stale.lock().push(Receipt { id: MessageId(1), attempt: 1 });
    let response = world.deliver(&[("a", 1)], 1).await;
    assert_eq!(verdict(&response), Verdict::Superseded);
    assert_eq!(seen(&world).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn an_outcome_that_is_not_known_is_asked_for_once_more_and_has_one_effect() {
    let ambiguous = || StoreError::Ambiguous("the reply was lost".into());
    for happened in [true, false] {
        let world = World::new(ended("done"), atomic);
        world.platform.outcomes.lock().push_back((ambiguous(), happened));
        let response = world.deliver(&[("a", 1)], 1).await;
        assert_eq!(verdict(&response), Verdict::Done { failed: vec![] });
        assert_eq!(seen(&world).await, (1, 2, 1, 1), "{happened}");
    }
    let world = World::new(ended("done"), atomic);
    world.platform.outcomes.lock().extend([(ambiguous(), false), (ambiguous(), false)]);
    let response = world.deliver(&[("a", 1)], 1).await;
    assert!(matches!(verdict(&response), Verdict::Unknown { .. }));
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn a_store_that_fails_leaves_the_events_for_later() {
    let world = World::new(ended("done"), atomic);
    world.platform.outcomes.lock().push_back((StoreError::Full, false));
    let response = world.deliver(&[("a", 1)], 1).await;
    assert!(matches!(verdict(&response), Verdict::Unknown { .. }));
    assert!(matches!(world.records()[0].outcome, Outcome::Failed { code: Code::E0602, .. }));
}

#[tokio::test]
async fn whoever_goes_away_leaves_nothing_or_all_of_it() {
    // While the guest runs: nothing.
    let world = World::new(
        guest(|_, scope, _| async move {
            work(&scope).await;
            std::future::pending().await
        }),
        atomic,
    );
    let mut running = world.deliver(&[("a", 1)], 1);
    assert!(futures_util::poll!(&mut running).is_pending());
    drop(running);
    assert_eq!(seen(&world).await, (0, 0, 0, 0));
    assert_eq!(world.records().len(), 1);
    // While the commit runs: all of it, settled as it went.
    let world = World::new(ended("done"), atomic);
    world.platform.slow.store(true, Ordering::Relaxed);
    let mut running = world.deliver(&[("a", 1)], 1);
    assert!(futures_util::poll!(&mut running).is_pending());
    drop(running);
    assert_eq!(world.settled(1).await[0].outcome, Outcome::Answered { status: 200 });
    assert_eq!(seen(&world).await, (1, 2, 1, 1));
}

#[tokio::test]
async fn a_busy_function_is_held_on_its_own_lane_too() {
    let world = World::new(
        guest(|_, scope, busy| async move {
            work(&scope).await;
            busy.store(true, Ordering::Relaxed);
            tokio::task::yield_now().await;
            answer(&scope, 200, "done")
        }),
        atomic,
    );
    let response = world.deliver(&[("a", 1)], 1).await;
    assert_eq!(verdict(&response), Verdict::Done { failed: vec![] });
    assert_eq!(seen(&world).await, (1, 2, 1, 1));
}

#[tokio::test]
async fn immediate_functions_acknowledge_and_nothing_else_waits() {
    let world = World::new(ended("done"), immediate);
    let response = world.deliver(&[("a", 1)], 1).await;
    assert_eq!(verdict(&response), Verdict::Done { failed: vec![] });
    assert_eq!(seen(&world).await, (1, 2, 1, 1));
    assert_eq!(world.platform.units.lock().len(), 2, "the event's own, and the acknowledgement");
}

#[tokio::test]
async fn a_response_waits_for_the_commit_and_is_bounded() {
    let long = "x".repeat(types::limits::HELD_RESPONSE.as_usize() + 1);
    let world = World::new(
        guest(move |_, scope, _| {
            let long = long.clone();
            async move {
                work(&scope).await;
                answer(&scope, 200, long)
            }
        }),
        atomic,
    );
    assert_eq!(world.invoke("/").await.headers()["x-dayfly-error"], "E0514");
    assert_eq!(seen(&world).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_chain_that_is_too_long_ends_before_any_code_runs() {
    let world = World::new(ended("done"), atomic);
    let item = || Item {
        id: "a".into(),
        acknowledge: Acknowledge::Message(QueueName("q".into()), Receipt { id: MessageId(1), attempt: 1 }),
    };
    let response = world.deliver_items(vec![item()], 1, types::limits::CAUSAL_DEPTH + 1).await;
    assert!(matches!(verdict(&response), Verdict::Failed { reason } if reason.starts_with("E0516")));
    assert_eq!(response.status(), 508);
    assert_eq!(seen(&world).await, (0, 0, 0, 0));
    let response = world.deliver_items(vec![item()], 1, types::limits::CAUSAL_DEPTH).await;
    assert_eq!(verdict(&response), Verdict::Done { failed: vec![] });
}

#[tokio::test]
async fn turned_away_events_come_again() {
    let world = World::new(guest(|_, _, _| std::future::pending()), |function| {
        atomic(function);
        function.limits.concurrency = 1;
        function.limits.time = Duration::from_secs(60);
    });
    let mut first = world.deliver(&[("a", 1)], 1);
    assert!(futures_util::poll!(&mut first).is_pending());
    let mut second = world.deliver(&[("b", 2)], 1);
    assert!(futures_util::poll!(&mut second).is_pending());
    let third = world.deliver(&[("c", 3)], 1).await;
    assert!(matches!(verdict(&third), Verdict::Unknown { .. }));
}

#[tokio::test]
async fn entries_live_as_long_as_the_manifest_says() {
    for effects in [Effects::Atomic, Effects::Immediate] {
        let world = World::new(
            guest(|_, scope, _| async move {
                for store in ["brief", "cache"] {
                    let open = scope.kv(store).expect("granted");
                    open.kv.commit(&open.namespace, put("n", "1")).await.expect("a put");
                }
                answer(&scope, 200, "")
            }),
            |function| {
                atomic(function);
                (function.effects, function.record) = (effects, RecordMode::Off);
            },
        );
        drop(world.invoke("/").await);
        for (store, expires) in [("brief", true), ("cache", false)] {
            let namespace = Namespace(format!("shop/dev/{store}"));
            let entry = world.platform.kv.get(&namespace, &key("n")).await.expect("a get").expect("a value");
            assert_eq!(entry.expires.is_some(), expires, "{store} {effects:?}");
        }
    }
}
