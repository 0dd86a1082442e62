//! What guests are served: bodies both ways, stores, the outside, and all of it again from the record.

pub(crate) mod scene;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use ports::{Body, runtime::Ended};
use types::{
    Code,
    journal::{Answer, Level},
};

use self::scene::{Answered, Scene, begin, get, post, send};
use crate::world::loaded;

async fn ask(program: &str, target: &str) -> (Answered, Arc<Scene>) {
    let scene = Arc::new(Scene::new());
    (send(&loaded(program).await, get(target), &scene).await, scene)
}

fn chunks(texts: &[&'static str]) -> Vec<Frame<Bytes>> {
    texts.iter().map(|text| Frame::data(Bytes::from_static(text.as_bytes()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_both_ways_and_are_counted() {
    let scene = Arc::new(Scene::new());
    let request = post("/echo", chunks(&["one ", "two ", "three"]));
    let answered = send(&loaded("rust-wasip2").await, request, &scene).await;
    assert_eq!((answered.text().as_str(), &answered.ended, answered.broken), ("one two three", &Ended::Returned, false));
    let told = scene.told.lock();
    assert_eq!((told.read, &told.written[..]), (13, &b"one two three"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_come_and_go() {
    let scene = Arc::new(Scene::new());
    let mut frames = chunks(&["abc"]);
    let trailers = [(http::HeaderName::from_static("x-checksum"), http::HeaderValue::from_static("7"))];
    frames.push(Frame::trailers(http::HeaderMap::from_iter(trailers)));
    let answered = send(&loaded("rust-wasip2").await, post("/trailers", frames), &scene).await;
    assert!(answered.text().contains(r#"["x-checksum","7"]"#), "{answered:?}");
    let trailers = answered.trailers.as_ref().expect("trailers");
    assert_eq!(trailers.get("x-body-bytes").map(|value| value.as_bytes()), Some(&b"3"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_the_message_and_not_the_connection() {
    let scene = Arc::new(Scene::new());
    let mut request = get("/headers?a=b");
    for (name, value) in [("host", "test.localhost"), ("x-b", "1"), ("connection", "close"), ("x-a", "2"), ("x-b", "3")] {
        request.headers_mut().append(name, http::HeaderValue::from_static(value));
    }
    let answered = send(&loaded("rust-wasip2").await, request, &scene).await;
    assert!(answered.text().contains(r#""headers":[["x-b","1"],["x-b","3"],["x-a","2"]]"#), "{answered:?}");
    assert!(answered.text().contains(r#""authority":"test.localhost""#), "{answered:?}");
    let names: Vec<_> = answered.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "set-cookie", "set-cookie", "x-guest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_held_back_by_a_slow_reader() {
    let scene = Arc::new(Scene::new());
    let (response, run) = begin(&loaded("rust-wasip2").await, get("/big?bytes=10000000"), &scene).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let written = scene.told.lock().written.len();
    assert!(!run.is_finished() && written <= 64 << 10, "{written}");
    let body = response.expect("a response").into_body().collect().await.expect("a body").to_bytes();
    assert_eq!((body.len(), run.await.expect("a run")), (10_000_000, Ended::Returned));
    assert!(body.iter().enumerate().all(|(index, byte)| *byte == (index % (251 * 256) % 251) as u8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_the_guest() {
    for target in ["/slow-body?chunks=1000&ms=1", "/big?bytes=10000000"] {
        let scene = Arc::new(Scene::new());
        let (response, run) = begin(&loaded("rust-wasip2").await, get(target), &scene).await;
        drop(response);
        let ended = tokio::time::timeout(Duration::from_secs(60), run).await.expect("it ends").expect("a run");
        assert!(matches!(&ended, Ended::Stopped(fault) if fault.code == Code::E0511), "{target}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_without_a_body_is_no_client_that_went_away() {
    let scene = Arc::new(Scene::new());
    let mut request = get("/big?bytes=1000000");
    *request.method_mut() = http::Method::HEAD;
    let (response, run) = begin(&loaded("rust-wasip2").await, request, &scene).await;
    drop(response);
    assert_eq!(run.await.expect("a run"), Ended::Returned);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break_the_rules_are_told() {
    // The path, the code of the guest's end, and whether the body broke off, which is noted as E0509.
    let rows = [
        ("/body-unfinished", None, true),
        ("/body-short", None, true),
        ("/body-long", None, true),
        ("/trap-after-head", Some(Code::E0501), true),
        ("/twice", Some(Code::E0501), false),
        ("/headers-many", Some(Code::E0514), false),
        ("/header-huge", Some(Code::E0514), false),
    ];
    for (target, code, broken) in rows {
        let (answered, scene) = ask("hostile", target).await;
        assert_eq!((answered.code(), answered.broken), (code, broken), "{target}: {answered:?}");
        let noted = scene.told.lock().refused.iter().any(|failure| failure.code == Code::E0509);
        assert_eq!(noted, broken && code.is_none(), "{target}: {:?}", scene.told.lock());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_instead_of_an_answer_is_named() {
    let (answered, _) = ask("rust-wasip2", "/refuse").await;
    assert_eq!((answered.status, answered.code()), (0, Some(Code::E0504)));
    let Ended::Stopped(fault) = answered.ended else { panic!("it was stopped") };
    assert!(fault.message.contains("internal-error") && fault.message.contains("gives up"), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_prints_is_logged_line_by_line() {
    let (_, scene) = ask("rust-wasip2", "/log?text=x").await;
    let told = scene.told.lock();
    let line = |level, context: &str, text: &str| (level, context.to_owned(), text.to_owned());
    let stdout: Vec<_> = told.logs.iter().filter(|(_, context, _)| context == "stdout").cloned().collect();
    // Rust's own buffer keeps the line that the program leaves unfinished.
    let expected = ["stdout: x", "stdout: in two parts"];
    assert_eq!(stdout, expected.map(|text| line(Level::Info, "stdout", text)));
    assert!(told.logs.contains(&line(Level::Error, "stderr", "stderr: x")));
    assert!(told.logs.contains(&line(Level::Critical, "test", "critical: x")));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_the_environment() {
    for (target, found) in
        [("/config?key=greeting", "\"hello\""), ("/config?key=none", "null"), ("/env", r#""greeting":"hello""#)]
    {
        let (answered, _) = ask("rust-wasip2", target).await;
        assert!(answered.text().contains(found), "{target}: {answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_of_keyvalue_is_served() {
    let (program, scene) = (loaded("rust-wasip2").await, Arc::new(Scene::new()));
    let rows = [
        ("/kv/get?key=a", "null"),
        ("/kv/set?key=a&value=1", r#"{"set_bytes":1}"#),
        ("/kv/get?key=a", r#""1""#),
        ("/kv/exists?key=a", "true"),
        ("/kv/incr?key=a&by=41", "42"),
        ("/kv/get?key=a", r#""42""#),
        ("/kv/incr?key=b&by=-2", "-2"),
        ("/kv/cas?key=a&value=x", r#"{"before":"42","swapped":true,"tries":1}"#),
        ("/kv/cas?key=a&value=y&meddle=m", r#"{"before":"x","newer":"m","swapped":true,"tries":2}"#),
        ("/kv/incr?key=a", "the value is not a whole number"),
        ("/kv/set-many?pairs=c:3,d:4", r#"{"set":2}"#),
        ("/kv/get-many?keys=c,none,d", r#"[["c","3"],null,["d","4"]]"#),
        ("/kv/delete-many?keys=c,d", "\"deleted\""),
        ("/kv/delete?key=b", "\"deleted\""),
        ("/kv/list", r#"{"keys":["a"],"cursor":null}"#),
        ("/kv/get?bucket=other&key=a", "access denied"),
    ];
    for (target, expected) in rows {
        let answered = send(&program, get(target), &scene).await;
        assert!(answered.text().starts_with(expected), "{target}: {answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_page_by_page() {
    let (program, scene) = (loaded("rust-wasip2").await, Arc::new(Scene::new()));
    let pairs: Vec<_> = (0..150).map(|index| format!("k{index:03}:v")).collect();
    send(&program, get(&format!("/kv/set-many?pairs={}", pairs.join(","))), &scene).await;
    let text = send(&program, get("/kv/list-all"), &scene).await.text();
    let found = (0..150).filter(|index| text.contains(&format!("\"k{index:03}\""))).count();
    assert!(found == 150 && text.contains("\"pages\":3"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outside_answers_or_fails_with_a_code() {
    let rows = [
        ("/fetch?url=http://after.test/1", 200, "from outside"),
        ("/fetch?url=http://refused.test/", 502, "ErrorCode::ConnectionRefused"),
        ("/fetch?url=https://elsewhere.test/", 502, "ErrorCode::HttpRequestDenied"),
        ("/fetch?url=ftp://elsewhere.test/", 502, "ErrorCode::HttpProtocolError"),
    ];
    for (target, status, expected) in rows {
        let (answered, _) = ask("rust-wasip2", target).await;
        assert!(answered.status == status && answered.text().contains(expected), "{target}: {answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_are_under_way_at_once() {
    let (answered, _) = ask("rust-wasip2", "/fetch-two?a=http://after.test/200&b=http://after.test/1").await;
    assert!(answered.text().contains(r#""first":"b""#), "{answered:?}");
}

/// Everything that a guest could not foresee is on the tape: with it alone, the same guest does the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_run_is_run_again_from_its_answers() {
    let program = loaded("rust-wasip2").await;
    let rows: [(&str, &[&'static str]); 4] = [
        ("/fail-after-work?url=http://after.test/5", &["a body", " in two"]),
        ("/echo", &["one", "two", "three"]),
        ("/big?bytes=300000", &[]),
        ("/fetch-two?a=http://after.test/30&b=http://after.test/1", &[]),
    ];
    for (target, body) in rows {
        let scene = Arc::new(Scene::new());
        let first = send(&program, post(target, chunks(body)), &scene).await;
        let answers = scene.answers();
        assert!(!answers.is_empty(), "{target}");

        let again = Arc::new(Scene::replaying(answers.clone()));
        // No body and no pauses: what the guest reads comes from the record.
        let mut request = get(target);
        *request.method_mut() = http::Method::POST;
        let second = send(&program, request, &again).await;
        assert_eq!((first.status, &first.body, &first.ended), (second.status, &second.body, &second.ended), "{target}");
        assert_eq!(scene.told.lock().logs, again.told.lock().logs, "{target}");
        assert_eq!(again.answers(), [], "{target}: answers are left over");

        // The control: with an answer missing the guest is stopped.
        let cut = Arc::new(Scene::replaying(without_the_last(&answers)));
        let mut request = get(target);
        *request.method_mut() = http::Method::POST;
        assert_eq!(send(&program, request, &cut).await.code(), Some(Code::E0803), "{target}");
    }
}

/// The answers without the last that the tape itself gives; clocks are the scope's.
fn without_the_last(answers: &[Answer]) -> Vec<Answer> {
    let of_tape = |answer: &Answer| !matches!(answer, Answer::Wall(_) | Answer::Monotonic(_));
    let last = answers.iter().rposition(of_tape).expect("the tape gave an answer");
    answers[..last].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn spins_stores_are_the_same_stores() {
    let (program, scene) = (loaded("spin-kv").await, Arc::new(Scene::new()));
    let answered = send(&program, get("/hello"), &scene).await;
    assert_eq!((answered.status, answered.code()), (200, None), "{answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_one_piece_needs_no_waiting() {
    let scene = Arc::new(Scene::new());
    let request = http::Request::post("http://test.localhost/echo").body(Body::from("whole")).expect("a request");
    assert_eq!(send(&loaded("rust-wasip2").await, request, &scene).await.text(), "whole");
}
