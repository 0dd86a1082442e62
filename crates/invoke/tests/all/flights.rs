//! How a guest is polled, moved, bounded and settled.

use std::{sync::atomic::Ordering, time::Duration};

use http::Response;
use ports::{
    Body,
    runtime::{Ended, Fault},
};
use types::{Code, Elapsed, Outcome, RecordMode};

use super::support::{Guest, World, answer, guest, text};

#[tokio::test]
async fn a_guest_that_finishes_at_once_is_settled_with_its_usage() {
    let world = World::new(guest(|_, scope, _| async move { answer(&scope, 200, "hello") }), |_| {});
    let response = world.invoke("/ada?token=x").await;
    let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
    assert_eq!(text(response).await, (200, "hello".to_owned()));
    let records = world.records();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!((record.id.to_string(), record.cause.as_str()), (id, "GET /ada"));
    assert_eq!(record.outcome, Outcome::Answered { status: 200 });
    assert_eq!((record.usage.requests, record.usage.bytes_out.0), (1, 5));
    assert!(record.usage.wall.ns() > 0 && record.usage.cpu <= record.usage.wall);
}

#[tokio::test]
async fn a_guest_that_says_nothing_answers_e0504() {
    let world = World::new(guest(|_, _, _| async { Ended::Returned }), |_| {});
    let response = world.invoke("/").await;
    assert_eq!(response.headers()["x-dayfly-error"], "E0504");
    let (status, body) = text(response).await;
    assert_eq!(status, 502);
    assert!(body.contains("E0504") && body.contains("inv_"), "{body}");
}

#[tokio::test]
async fn a_trap_is_told_to_the_caller_by_code_and_to_the_owner_in_full() {
    let fault = || Fault { code: Code::E0501, message: "panicked: price".into(), backtrace: vec!["api::price".into()] };
    let world = World::new(guest(move |_, _, _| async move { Ended::Stopped(fault()) }), |_| {});
    let response = world.invoke("/").await;
    let told = response.extensions().get::<types::journal::Failure>().expect("whoever is inside may know").clone();
    assert_eq!((told.code, told.message.as_str()), (Code::E0501, "panicked: price\n  api::price"));
    let (status, body) = text(response).await;
    assert_eq!(status, 502);
    assert!(!body.contains("price"), "internals stay inside: {body}");
    let Outcome::Failed { code, message, .. } = world.records()[0].outcome.clone() else { panic!("it failed") };
    assert_eq!((code, message.as_str()), (Code::E0501, "panicked: price\n  api::price"));
}

#[tokio::test]
async fn a_guest_that_waits_past_its_deadline_is_stopped() {
    let wait = guest(|_, _, _| std::future::pending());
    let world = World::new(wait, |function| function.limits.time = Duration::from_millis(20));
    assert_eq!(text(world.invoke("/").await).await.0, 504);
    assert_eq!(world.records()[0].outcome.status(), 504);
}

#[tokio::test]
async fn a_busy_guest_goes_on_in_its_own_lane_and_is_stopped_there_at_its_deadline() {
    let spin = guest(|_, _, busy| async move {
        busy.store(true, Ordering::Relaxed);
        loop {
            tokio::task::yield_now().await;
        }
    });
    let world = World::new(spin, |function| function.limits.time = Duration::from_millis(20));
    assert_eq!(text(world.invoke("/").await).await.0, 504);
    assert_eq!(world.settled(1).await.len(), 1);
}

/// A guest that is not asked where it is before its time is up: a slice of it lasts until then, as when the system puts its thread aside.
fn asked_late(time: Duration) -> Guest {
    guest(move |_, scope, busy| async move {
        busy.store(true, Ordering::Relaxed);
        let until_ns = scope.monotonic_now() + Elapsed::from(time).ns();
        while scope.monotonic_now() < until_ns {}
        tokio::task::yield_now().await;
        assert!(scope.is_overdue());
        Ended::Stopped(Fault {
            code: Code::E0502,
            message: "the function ran out of time at a.js:3:1".into(),
            backtrace: Vec::new(),
        })
    })
}

#[tokio::test]
async fn a_script_that_computes_when_its_time_is_up_is_asked_where_it_is_once_more() {
    let time = Duration::from_millis(20);
    let message = async |build| {
        let world = World::new(asked_late(time), |function| (function.limits.time, function.build) = (time, build));
        assert_eq!(text(world.invoke("/").await).await.0, 504);
        match &world.settled(1).await[0].outcome {
            Outcome::Failed { code: Code::E0502, message, .. } => message.clone(),
            other => panic!("{other:?}"),
        }
    };
    // A machine that has no time for it for longer than the bound may miss it now and then.
    let mut tries = 0;
    while !message(types::Build::Script).await.ends_with("at a.js:3:1") {
        tries += 1;
        assert!(tries < 50, "it is never asked");
    }
    // The control: what is no script has no such time.
    for _ in 0..3 {
        assert_eq!(
            message(types::Build::Component).await,
            "the function ran out of time: allowed 20.0 ms (limits.time sets up to 900 s)"
        );
    }
}

#[tokio::test]
async fn a_script_that_does_not_listen_ends_soon_after_its_time() {
    let deaf = guest(|_, _, busy| async move {
        busy.store(true, Ordering::Relaxed);
        loop {
            tokio::task::yield_now().await;
        }
    });
    let world = World::new(deaf, |function| {
        function.build = types::Build::Script;
        function.limits.time = Duration::from_millis(20);
    });
    assert_eq!(text(world.invoke("/").await).await.0, 504);
    assert!(matches!(&world.settled(1).await[0].outcome, Outcome::Failed { code: Code::E0502, .. }));
}

#[tokio::test]
async fn a_busy_guest_answers_from_its_lane() {
    let work = guest(|_, scope, busy| async move {
        busy.store(true, Ordering::Relaxed);
        tokio::task::yield_now().await;
        answer(&scope, 201, "done")
    });
    let world = World::new(work, |_| {});
    assert_eq!(text(world.invoke("/").await).await, (201, "done".to_owned()));
    assert_eq!(world.settled(1).await[0].outcome, Outcome::Answered { status: 201 });
}

#[tokio::test]
async fn a_guest_goes_on_after_its_response_and_is_settled_at_its_end() {
    let linger = guest(|_, scope, _| async move {
        scope.respond(Response::new(Body::from("early")));
        tokio::time::sleep(Duration::from_millis(5)).await;
        scope.log(types::journal::Level::Info, "stdout", "after the response");
        Ended::Returned
    });
    let world = World::new(linger, |_| {});
    assert_eq!(text(world.invoke("/").await).await, (200, "early".to_owned()));
    assert_eq!(world.settled(1).await[0].logs[0].text, "after the response");
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_guest_and_settles_once() {
    let world = World::new(guest(|_, _, _| std::future::pending()), |function| function.record = RecordMode::Errors);
    let mut running = world.invoke("/");
    assert!(futures_util::poll!(&mut running).is_pending());
    drop(running);
    let records = world.records();
    assert_eq!(records.len(), 1);
    assert!(matches!(records[0].outcome, Outcome::Failed { code: Code::E0511, .. }));
    assert!(!records[0].journal_kept, "nobody's failure is not kept as one");
}

#[tokio::test]
async fn a_client_that_leaves_a_busy_guest_ends_it_too() {
    let spin = guest(|_, _, busy| async move {
        busy.store(true, Ordering::Relaxed);
        loop {
            tokio::task::yield_now().await;
        }
    });
    let world = World::new(spin, |_| {});
    let mut running = world.invoke("/");
    assert!(futures_util::poll!(&mut running).is_pending());
    drop(running);
    let records = world.settled(1).await;
    assert!(matches!(records[0].outcome, Outcome::Failed { code: Code::E0511, .. }));
}

#[tokio::test]
async fn concurrency_is_bounded_and_the_refusal_is_recorded_and_free() {
    let world = World::new(guest(|_, _, _| std::future::pending()), |function| function.limits.concurrency = 1);
    let mut first = world.invoke("/");
    assert!(futures_util::poll!(&mut first).is_pending());
    let mut second = world.invoke("/");
    assert!(futures_util::poll!(&mut second).is_pending(), "one may wait");
    let (status, body) = text(world.invoke("/").await).await;
    assert_eq!(status, 429, "{body}");
    let refused = world.records();
    assert_eq!((refused.len(), refused[0].usage.requests), (1, 0));
}

#[tokio::test]
async fn journals_are_kept_as_the_manifest_says() {
    let status = |status: u16| guest(move |_, scope, _| async move { answer(&scope, status, "") });
    for (mode, answered, kept) in [
        (RecordMode::Off, 500, false),
        (RecordMode::Errors, 200, false),
        (RecordMode::Errors, 500, true),
        (RecordMode::Sample(10_000), 200, true),
        (RecordMode::All, 404, true),
    ] {
        let world = World::new(status(answered), |function| function.record = mode);
        drop(world.invoke("/").await);
        let record = &world.records()[0];
        assert_eq!(record.journal_kept, kept, "{mode} {answered}");
        assert_eq!(world.journal(record.id).await.is_ok(), kept, "{mode} {answered}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_the_callers_fault_unless_the_function_answers() {
    struct TooLarge;
    impl http_body::Body for TooLarge {
        type Data = bytes::Bytes;
        type Error = ports::BodyError;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, ports::BodyError>>> {
            std::task::Poll::Ready(Some(Err(ports::BodyError::TooLarge { allowed: 1 })))
        }
    }
    for (answers, status) in [(false, 413), (true, 200)] {
        let read = guest(move |request, scope, _| async move {
            let read = http_body_util::BodyExt::collect(request.into_body()).await;
            assert!(read.is_err(), "the guest sees that the body broke off");
            if answers { answer(&scope, 200, "never mind") } else { Ended::Returned }
        });
        let world = World::new(read, |function| function.record = RecordMode::Errors);
        assert_eq!(text(world.invoke_with("/", Body::stream(TooLarge)).await).await.0, status);
        assert!(!world.records()[0].journal_kept);
    }
}

#[tokio::test]
async fn a_response_that_breaks_off_is_a_failure_that_is_kept() {
    let world = World::new(
        guest(|_, scope, _| async move {
            let ended = answer(&scope, 200, "half");
            scope.refused(&types::journal::Failure { code: Code::E0509, message: "half of it is missing".into() });
            ended
        }),
        |function| function.record = RecordMode::Errors,
    );
    assert_eq!(text(world.invoke("/").await).await.0, 200, "its head had gone out");
    let record = &world.records()[0];
    assert!(matches!(record.outcome, Outcome::Failed { code: Code::E0509, status: 200, .. }));
    assert!(record.journal_kept);
}
