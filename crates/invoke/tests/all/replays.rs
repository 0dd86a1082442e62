//! Replays: what was recorded is done again, and what is done otherwise is found.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use http::Request;
use invoke::{Halt, Replay, Report, replay};
use ports::{
    Body, Scope,
    outbound::OutboundRequest,
    runtime::{Ended, Fault},
    tape::Question,
};
use types::{
    Code, Outcome,
    journal::{Answer, Journal},
};

use super::support::{FakeCode, Guest, World, answer, guest, put, text};

/// A guest that uses everything: store, network, clocks, chance, and a poll.
async fn work(scope: &Arc<dyn Scope>, extra_call: bool) -> String {
    let open = scope.kv("cache").expect("granted");
    let before = open.kv.get(&open.namespace, &Bytes::from_static(b"n")).await.expect("a get");
    open.kv.commit(&open.namespace, put("n", "1")).await.expect("a put");
    if extra_call {
        open.kv.get(&open.namespace, &Bytes::from_static(b"new")).await.expect("a get");
    }
    let time = std::time::Duration::from_secs(1);
    let request = Request::get("http://example.com/x").body(Body::Empty).expect("a request");
    let outbound =
        OutboundRequest { request, private_named: false, connect_time: time, first_byte_time: time, between_bytes_time: time };
    let status = scope.outbound().send(outbound).await.expect("reached").status();
    let ready = match scope.tape().recall(Question::Poll { count: 3 }).expect("no divergence") {
        Some(answer) => answer,
        None => {
            scope.tape().keep(Answer::Ready(vec![2, 0]));
            Answer::Ready(vec![2, 0])
        }
    };
    let mut random = [0; 8];
    scope.random(&mut random);
    format!("{before:?} {status} {ready:?} {random:?} {} {}", scope.wall_now().unix_ns(), scope.monotonic_now())
}

fn failing(extra_call: bool) -> Guest {
    guest(move |_, scope, _| async move {
        let text = work(&scope, extra_call).await;
        answer(&scope, 500, text)
    })
}

async fn recorded() -> (Journal, String) {
    let world = World::new(failing(false), |function| function.record = types::RecordMode::Errors);
    let (_, body) = text(world.invoke("/").await).await;
    (world.journal(world.records()[0].id).await.expect("kept"), body)
}

async fn again(journal: Journal, code: Guest, until: Option<usize>) -> Report {
    replay(Replay { journal, code: Arc::new(FakeCode(code)), until }, &system::SystemClock::new())
        .await
        .expect("the record holds a request")
}

#[tokio::test]
async fn a_failure_replays_byte_for_byte_without_any_service() {
    let (journal, body) = recorded().await;
    let report = again(journal, failing(false), None).await;
    assert!(report.is_faithful(), "{report:?}");
    assert_eq!(report.steps_replayed, report.steps_recorded);
    let (status, _, replayed) = report.response.expect("it answered");
    assert_eq!((status, replayed.head.as_ref()), (500, body.as_bytes()));
}

#[tokio::test]
async fn other_code_diverges_at_its_first_other_call() {
    let (journal, _) = recorded().await;
    let report = again(journal, failing(true), None).await;
    let Some(Halt::Diverged { at, expected, got }) = &report.halt else { panic!("{report:?}") };
    assert_eq!((*at, expected.as_str(), got.as_str()), (3, "GET example.com/x", "kv.cache get \"new\""));
    assert!(!report.is_faithful());
}

#[tokio::test]
async fn other_output_is_a_difference() {
    let (journal, _) = recorded().await;
    let other = guest(|_, scope, _| async move {
        let text = work(&scope, false).await;
        answer(&scope, 200, text + "!")
    });
    let report = again(journal, other, None).await;
    assert_eq!(report.halt, None);
    assert_eq!(report.differences.len(), 3, "outcome, head and body: {:?}", report.differences);
}

#[tokio::test]
async fn a_replay_stops_where_it_is_told() {
    let (journal, _) = recorded().await;
    let report = again(journal, failing(false), Some(2)).await;
    assert_eq!((report.halt, report.steps_replayed), (Some(Halt::Until), 2));
}

#[tokio::test]
async fn code_that_asks_less_than_the_record_is_found() {
    let (journal, _) = recorded().await;
    let report = again(journal, guest(|_, scope, _| async move { answer(&scope, 500, "") }), None).await;
    assert!(!report.is_faithful());
}

#[tokio::test]
async fn a_damaged_journal_is_said_to_be_damaged() {
    let world = World::new(failing(false), |_| {});
    drop(world.invoke("/").await);
    let id = world.records()[0].id;
    {
        let mut journals = world.telemetry.journals.lock();
        let kept = journals.get_mut(&id).expect("kept");
        let mut bytes = kept.sealed.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        kept.sealed = bytes.into();
    }
    let problem = world.journal(id).await.expect_err("damaged");
    assert_eq!(problem.code, types::Code::E0806);
}

#[tokio::test]
async fn a_sealed_journal_does_not_show_what_it_holds() {
    let world = World::new(failing(false), |_| {});
    drop(world.invoke("/").await);
    let id = world.records()[0].id;
    let sealed = world.telemetry.journals.lock()[&id].sealed.clone();
    assert!(!sealed.windows(6).any(|window| window == b"secret"), "the cookie stands in clear");
    let journal = world.journal(id).await.expect("it opens");
    assert!(format!("{journal:?}").contains("secret"), "the control: the open journal has it");
    assert!(!format!("{:?}", invoke::redacted(journal)).contains("secret"));
}

#[tokio::test]
async fn a_record_that_was_cut_is_the_same_as_far_as_it_goes_and_says_so() {
    let (mut journal, _) = recorded().await;
    let last_call = |entry: &types::journal::Entry| matches!(entry, types::journal::Entry::Call { .. });
    let cut = journal.entries.iter().rposition(last_call).expect("it has calls");
    journal.entries.truncate(cut);
    journal.incomplete = true;
    let report = again(journal, failing(false), None).await;
    assert_eq!((report.halt.clone(), report.is_faithful()), (Some(Halt::Incomplete), true), "{report:?}");
}

/// A guest that uses everything and then ends with an exception that says so.
fn throwing(says: &'static str) -> Guest {
    guest(move |_, scope, _| async move {
        work(&scope, false).await;
        let backtrace = vec!["7 | throw".to_owned(), "  | ^".to_owned(), "fetch (a.ts:7:1)".to_owned()];
        Ended::Stopped(Fault { code: Code::E0519, message: format!("TypeError: {says} at a.ts:7:1"), backtrace })
    })
}

#[tokio::test]
async fn an_exception_is_thrown_again_and_another_one_is_a_difference() {
    let world = World::new(throwing("no"), |_| {});
    drop(world.invoke("/").await);
    let record = world.records()[0].clone();
    let lines: Vec<&str> = record.logs.iter().map(|line| line.text.as_str()).collect();
    let told = "TypeError: no at a.ts:7:1\n  7 | throw\n    | ^\n  fetch (a.ts:7:1)";
    assert_eq!(lines, [told], "it is in the log too, with its place");
    let journal = world.journal(record.id).await.expect("kept");
    let report = again(journal.clone(), throwing("no"), None).await;
    assert!(report.is_faithful(), "{report:?}");
    assert_eq!(report.outcome.expect("it ended"), record.outcome);
    let report = again(journal, throwing("yes"), None).await;
    assert!(!report.is_faithful() && report.differences[0].contains("TypeError: yes"), "{report:?}");
}

/// A guest that computes without end; `asks` whether its time is up, and says then where it is.
fn endless(asks: bool) -> Guest {
    guest(move |_, scope, busy| async move {
        busy.store(true, Ordering::Relaxed);
        loop {
            if asks && scope.is_overdue() {
                let message = "the function ran out of time at a.ts:1:1".to_owned();
                return Ended::Stopped(Fault { code: Code::E0502, message, backtrace: Vec::new() });
            }
            tokio::task::yield_now().await;
        }
    })
}

#[tokio::test]
async fn a_guest_that_asks_in_time_says_where_it_is_and_replays_so() {
    let ended = async |asks| {
        let world = World::new(endless(asks), |function| {
            function.build = types::Build::Script;
            function.limits.time = std::time::Duration::from_millis(300);
        });
        drop(world.invoke("/").await);
        let id = world.settled(1).await[0].id;
        let journal = world.journal(id).await.expect("kept");
        let report = again(journal.clone(), endless(asks), None).await;
        assert!(report.is_faithful(), "{report:?}");
        assert_eq!(report.outcome.as_ref(), Some(&journal.end.outcome));
        match journal.end.outcome {
            Outcome::Failed { code: Code::E0502, message, .. } => message,
            other => panic!("{other:?}"),
        }
    };
    // A machine that has other work may miss the moment now and then.
    let mut tries = 0;
    while !ended(true).await.ends_with("at a.ts:1:1") {
        tries += 1;
        assert!(tries < 50, "it never says where it is");
    }
    assert!(!ended(false).await.contains("a.ts"), "the control: whoever does not ask is stopped without a word");
}
