//! Handlers that go wrong: each ends its own request, with a code, the file and the line; the neighbour goes on.

use std::time::Duration;

use ports::runtime::{Ended, Fault};
use types::{ByteCount, Code, Limits, journal::Level};

use super::{artifact_of, handler, script, transformed};
use crate::world::{Called, World, call, call_with, load, shared};

/// The time of handlers that go wrong by themselves, however slow the machine is.
const LONG: Duration = Duration::from_secs(60);
/// The time of those that don't end.
const SHORT: Duration = Duration::from_millis(300);

/// Calls a handler whose body is this, on line 3 of its file.
async fn run(body: &str) -> Called {
    run_for(body, LONG).await
}

async fn run_for(body: &str, time: Duration) -> Called {
    let code = handler(body);
    let loaded = script(&[("src/bad.js", &code)]).await;
    let limits = Limits { memory: ByteCount::mib(32), time, ..Limits::default() };
    let called = call_with(&loaded, "/", limits, World::with_time(time)).await;
    let neighbour = script(&[("good.js", "export default { fetch: () => new Response('fine') };")]).await;
    assert_eq!(call(&neighbour, "/").await.body, "fine");
    called
}

async fn check(body: &str, code: Code, words: &str) {
    check_called(run(body).await, body, code, words);
}

fn check_called(called: Called, body: &str, code: Code, words: &str) {
    let Ended::Stopped(Fault { code: found, message, backtrace }) = &called.ended else { panic!("not stopped: {called:#?}") };
    assert_eq!(*found, code, "{message} {backtrace:?}");
    let sentence = message.lines().next().unwrap_or_default();
    assert!(sentence.contains(words) && sentence.contains(" at src/bad.js:3:"), "{message}");
    let source = message.lines().nth(1).unwrap_or_default();
    assert_eq!(source, format!("3 |     {body}"), "{message}");
    assert!(backtrace.iter().any(|call| call.contains("src/bad.js:3:")), "{backtrace:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_told_with_file_line_and_source() {
    check("return request.nothing.here;", Code::E0519, "TypeError").await;
    check("throw new RangeError('far', { cause: new Error('near') });", Code::E0519, "RangeError: far").await;
    check("await Promise.reject(new Error('later'));", Code::E0519, "Error: later").await;
    let thrown = run("throw 'no error';").await;
    let (code, message) = (thrown.fault().code, &thrown.fault().message);
    // The engine knows no place for what is no error: it is that of the handler.
    assert!(code == Code::E0519 && message.starts_with("no error at src/bad.js:"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn causes_and_the_places_of_typescript_are_told() {
    let code = "function price(order) {\n  throw new Error('outer', { cause: new RangeError('inner') });\n}\n\
                export default { async fetch() { return price(1); } };";
    let artifact = artifact_of(vec![transformed("src/api.ts", code, 7)], &["fetch"]);
    let called = call(&load(&shared(), artifact).await.expect("it loads"), "/").await;
    let Fault { message, backtrace, .. } = called.fault();
    assert!(message.starts_with("Error: outer at src/api.ts:9:5\n9 |   throw new Error("), "{message}");
    assert_eq!(backtrace[0], "at price (src/api.ts:9:5)");
    assert!(backtrace[1].ends_with("(src/api.ts:11:5)"), "{backtrace:?}");
    assert!(backtrace.iter().any(|line| line.starts_with("caused by: RangeError: inner")), "{backtrace:?}");
    assert!(backtrace.iter().all(|line| !line.contains("dayfly:")), "{backtrace:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_without_end_is_stopped_with_its_line() {
    let search = "return new Response(/^(a+)+$/.test('a'.repeat(60) + '!'));";
    check_called(run_for(search, SHORT).await, search, Code::E0502, "allowed 300");
    // The engine notes no place for the loop itself: it is that of what was called before it, of the function, or of the export.
    for body in ["for (;;) {}", "for (;;) Math.abs(1);", "for (;;) { try { for (;;) {} } catch {} }", "for (;;) await null;"] {
        let called = run_for(body, SHORT).await;
        let (code, message) = (called.fault().code, &called.fault().message);
        assert_eq!(code, Code::E0502, "{body}: {message}");
        let is_near = [1, 2, 3].iter().any(|line| {
            message.starts_with(&format!(
                "the function ran out of time: allowed 300 ms (limits.time sets up to 900 s) at src/bad.js:{line}:"
            ))
        });
        assert!(is_near, "{body}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_without_end_is_stopped_with_its_line_and_the_limit() {
    check("const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));", Code::E0503, "32 MiB").await;
    check("const all = []; for (;;) all.push('x'.repeat(1 << 17) + all.length);", Code::E0503, "32 MiB").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unbounded_recursion_is_an_exception_with_its_line() {
    check("const down = n => down(n + 1) + 1; down(0);", Code::E0519, "call stack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_are_told() {
    for body in ["return 42;", "return null;", "return;", "return { status: 200 };"] {
        let called = run(body).await;
        assert_eq!(called.fault().code, Code::E0521, "{body}: {called:?}");
        assert!(called.fault().message.contains("src/bad.js:2"), "{body}: {called:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_never_settles_is_told_at_once() {
    let called = run("await new Promise(() => {}); return new Response('never');").await;
    assert_eq!(called.fault().code, Code::E0520, "{called:?}");
    assert!(called.fault().message.contains("src/bad.js"), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn misuse_of_bodies_and_fields_is_an_exception_with_its_line() {
    check("const answer = new Response('x'); await answer.text(); await answer.text();", Code::E0519, "TypeError").await;
    check("return new Response('x', { headers: { 'x-a': 'b\\nc' } });", Code::E0519, "TypeError").await;
    check("return new Response('x', { headers: { 'x a': 'b' } });", Code::E0519, "TypeError").await;
    check("return new Response('x', { status: 42 });", Code::E0519, "RangeError").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_that_nobody_handles_is_a_line_of_log() {
    let called = run("Promise.reject(new Error('lost')); return new Response('ok');").await;
    assert_eq!((called.status, &called.ended), (Some(200), &Ended::Returned));
    let (level, _, text) = called.told.logs.first().expect("a line");
    assert_eq!(*level, Level::Warn);
    assert!(text.starts_with("unhandled rejection: Error: lost at src/bad.js:3:"), "{text}");
    assert!(text.contains("\n3 |     Promise.reject(new Error('lost'))"), "{text}");
}
