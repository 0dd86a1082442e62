//! What callers and functions see of the gateway: its own answers, and the request as it makes it.

use std::sync::{Arc, Mutex};

use http::Response;
use ingress::{Framing, GatewayLimits};
use ports::Body;
use tokio::io::AsyncWriteExt;
use types::ByteCount;

use crate::rig::{Functions, PATIENCE, Rig, read};

#[tokio::test]
async fn each_refusal_has_its_status_its_code_and_help() {
    let limits = GatewayLimits { request_body: ByteCount(1_000), ..GatewayLimits::default() };
    let rig = Rig::start(limits, Framing::Strict, Functions::echo()).await;
    let close = "host: a\r\nconnection: close\r\n";
    let length = 1_001;
    for (request, status, words) in [
        (format!("GET /no HTTP/1.1\r\n{close}\r\n"), 404, "E0402"),
        (format!("PUT / HTTP/1.1\r\n{close}\r\n"), 405, "allow: GET, HEAD, POST"),
        (format!("PUT / HTTP/1.1\r\n{close}accept: application/json\r\n\r\n"), 405, "{\"code\":\"E0403\","),
        (format!("POST / HTTP/1.1\r\n{close}content-length: {length}\r\n\r\n"), 413, "1001 B, allowed 1000 B"),
        (format!("POST / HTTP/1.1\r\n{close}expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"), 413, "E0405"),
        (format!("GET /{} HTTP/1.1\r\n{close}\r\n", "x".repeat(8 << 10)), 414, "allowed 8 KiB"),
        (format!("GET / HTTP/1.1\r\n{close}{}\r\n", "x: y\r\n".repeat(64)), 431, "65, allowed 64"),
        (format!("OPTIONS * HTTP/1.1\r\n{close}\r\n"), 404, "E0402"),
    ] {
        let talk = rig.talk(request.as_bytes(), PATIENCE).await;
        assert_eq!(talk.statuses(), [status], "{request:.80}: {talk:?}");
        assert!(talk.text.contains(words) && talk.closed, "{request:.80}: {talk:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_breaks_off_where_it_passes_it() {
    let limits = GatewayLimits { request_body: ByteCount(1_000), ..GatewayLimits::default() };
    let rig = Rig::start(limits, Framing::Strict, Functions::echo()).await;
    let chunk = format!("190\r\n{}\r\n", "x".repeat(400));
    let request = |count| {
        format!(
            "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
            chunk.repeat(count)
        )
    };
    assert!(rig.talk(request(2).as_bytes(), PATIENCE).await.text.ends_with("800"));
    let talk = rig.talk(request(3).as_bytes(), PATIENCE).await;
    assert!(talk.text.ends_with("more than 1000 bytes"), "{talk:?}");
}

/// Sends the head and gives the request as the function saw it: its URI and its fields.
async fn seen(head: &str) -> (String, Vec<(String, String)>, Option<types::TraceContext>) {
    type Seen = Option<(String, Vec<(String, String)>, Option<types::TraceContext>)>;
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let note = Arc::clone(&seen);
    let function = Functions::new(move |invocation| {
        let fields = invocation.request.headers().iter();
        let fields =
            fields.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
        *note.lock().expect("no panic") = Some((invocation.request.uri().to_string(), fields, invocation.parent));
        async { Response::new(Body::Empty) }
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    let mut stream = rig.connect().await;
    stream.write_all(head.as_bytes()).await.expect("the gateway reads");
    stream.shutdown().await.ok();
    let mut stream = rig.connect().await;
    stream.write_all(head.as_bytes()).await.expect("the gateway reads");
    let talk = read(&mut stream, std::time::Duration::from_millis(300)).await;
    let seen = seen.lock().expect("no panic").take();
    seen.unwrap_or_else(|| panic!("the function was not called: {talk:?}"))
}

#[tokio::test]
async fn functions_see_an_absolute_address_and_only_what_is_true() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let head = format!(
        "GET /any/a%20b?q=1&r HTTP/1.1\r\nHost: Shop.localhost:4000\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
         TE: trailers\r\nUpgrade: h2c\r\nProxy-Connection: keep-alive\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n\
         X-Real-IP: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Tenant-Id: other\r\nX-Request-Id: mine-1\r\ntraceparent: {parent}\r\n\
         Cookie: a=b\r\nAccept: */*\r\n\r\n"
    );
    let (uri, mut fields, seen_parent) = seen(&head).await;
    fields.sort();
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(uri, "http://Shop.localhost:4000/any/a%20b?q=1&r");
    assert_eq!(seen_parent.map(|parent| parent.to_traceparent()).as_deref(), Some(parent));
    let traceparent = format!("traceparent: {parent}");
    let expected = [
        "accept: */*",
        "cookie: a=b",
        "host: Shop.localhost:4000",
        &traceparent,
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "x-request-id: mine-1",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn nobody_outside_says_what_started_a_function() {
    let ours = "Dayfly-Trigger: queue\r\ndayfly-trigger: eval\r\nDAYFLY-Anything: 1\r\n";
    let (_, fields, _) = seen(&format!("GET /any/x HTTP/1.1\r\nhost: a\r\nX-Dayfly-Trigger: queue\r\n{ours}\r\n")).await;
    let dayfly: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).filter(|name| name.contains("dayfly")).collect();
    assert_eq!(dayfly, ["x-dayfly-trigger"], "the control: a field that nobody relies on gets through");
}

#[tokio::test]
async fn unfit_request_ids_and_parents_are_dropped() {
    let head = "GET /any/x HTTP/1.1\r\nhost: a\r\nx-request-id: a b\r\ntraceparent: 00-x\r\n\r\n";
    let (_, fields, parent) = seen(head).await;
    assert!(!fields.iter().any(|(name, _)| name == "x-request-id") && parent.is_none());
}

#[tokio::test]
async fn requests_of_http_1_0_need_no_host() {
    let (uri, ..) = seen("GET /any/x HTTP/1.0\r\n\r\n").await;
    assert!(uri.starts_with("http://127.0.0.1:") && uri.ends_with("/any/x"), "{uri}");
}

#[tokio::test]
async fn what_a_function_says_of_the_connection_or_the_length_does_not_reach_the_client() {
    let function = Functions::new(|invocation| async move {
        let response = Response::builder()
            .header("connection", "close, x")
            .header("transfer-encoding", "chunked")
            .header("content-length", "99");
        match invocation.request.uri().path() {
            "/any/informational" => Response::builder().status(103).body(Body::Empty).expect("a response"),
            "/any/empty" => response.body(Body::Empty).expect("a response"),
            _ => response.body(Body::from("hello")).expect("a response"),
        }
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    let quiet = std::time::Duration::from_millis(300);
    let get =
        async |method: &str, path: &str| rig.talk(format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes(), quiet).await;
    let talk = get("GET", "/any/x").await;
    assert!(talk.text.contains("content-length: 5\r\n") && talk.text.ends_with("hello") && !talk.closed, "{talk:?}");
    assert!(!talk.text.contains("chunked") && !talk.text.contains("connection"), "{talk:?}");
    let talk = get("HEAD", "/any/x").await;
    assert!(talk.text.contains("content-length: 5\r\n") && talk.text.ends_with("\r\n\r\n") && !talk.closed, "{talk:?}");
    let talk = get("GET", "/any/empty").await;
    assert!(talk.text.contains("content-length: 0\r\n") && !talk.closed, "{talk:?}");
    let talk = get("GET", "/any/informational").await;
    assert!(talk.statuses() == [502] && talk.text.contains("E0514"), "{talk:?}");
}

#[tokio::test]
async fn connections_over_the_limit_are_told_so_and_later_ones_are_served_again() {
    let limits = GatewayLimits { connections: 3, ..GatewayLimits::default() };
    let rig = Rig::start(limits, Framing::Strict, Functions::echo()).await;
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = rig.connect().await;
        stream.write_all(request).await.expect("the gateway reads");
        assert_eq!(read(&mut stream, std::time::Duration::from_millis(300)).await.statuses(), [200]);
        open.push(stream);
    }
    let talk = rig.talk(request, PATIENCE).await;
    assert!(talk.statuses() == [503] && talk.text.contains("E0410") && talk.closed, "{talk:?}");
    drop(open);
    let begun = std::time::Instant::now();
    while rig.talk(request, std::time::Duration::from_millis(300)).await.statuses() != [200] {
        assert!(begun.elapsed() < PATIENCE, "closed connections make room");
    }
}
