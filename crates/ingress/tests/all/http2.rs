//! The same gateway over HTTP/2 with prior knowledge, by hyper's client.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::Frame,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ingress::{Framing, GatewayLimits};
use ports::Body;
use types::ByteCount;

use crate::rig::{Functions, PATIENCE, Rig};

async fn connect<B>(rig: &Rig) -> SendRequest<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let io = TokioIo::new(rig.connect().await);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.expect("a handshake");
    tokio::spawn(async move { drop(connection.await) });
    sender
}

async fn text(response: Response<hyper::body::Incoming>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn many_streams_of_one_connection_are_served_at_once() {
    let rig = Rig::echo().await;
    let sender = connect::<Full<Bytes>>(&rig).await;
    let calls = (0..500).map(|i| {
        let mut sender = sender.clone();
        async move {
            let request =
                Request::post(format!("http://main.localhost/any/{i}")).body(Full::from(vec![b'x'; i])).expect("a request");
            text(sender.send_request(request).await.expect("an answer")).await
        }
    });
    for (i, (status, text)) in futures_util::future::join_all(calls).await.into_iter().enumerate() {
        assert_eq!((status, text), (StatusCode::OK, format!("main/any {i}")));
    }
}

#[tokio::test]
async fn limits_hold_there_too() {
    let limits = GatewayLimits { request_body: ByteCount(1_000), ..GatewayLimits::default() };
    let rig = Rig::start(limits, Framing::Strict, Functions::echo()).await;
    let request = |uri: &str| Request::post(uri);
    let fields = (0..65).fold(request("http://a/"), |request, i| request.header(format!("x-{i}"), "y"));
    let (long, body) = (format!("http://a/{}", "x".repeat(8 << 10)), Bytes::from(vec![0; 1_001]));
    for (request, words) in [
        (request("http://a/").body(Full::new(body)).expect("a request"), "E0405"),
        (request(&long).body(Full::default()).expect("a request"), "E0408"),
        (fields.body(Full::default()).expect("a request"), "E0404"),
        (request("http://a/none").body(Full::default()).expect("a request"), "E0402"),
        (request("http://a/").header("host", "b").body(Full::default()).expect("a request"), "E0406"),
        (request("http://a/").header("content-length", "0").body(Full::default()).expect("a request"), "main/root 0"),
    ] {
        // A connection each: what one request leaves behind must not matter to the next.
        let mut sender = connect::<Full<Bytes>>(&rig).await;
        let (_, text) = text(sender.send_request(request).await.expect("an answer")).await;
        assert!(text.contains(words), "{words}: {text}");
    }
}

async fn becomes(count: &AtomicUsize, wanted: usize, what: &str) {
    let began = Instant::now();
    while count.load(Ordering::SeqCst) != wanted {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_ends_its_invocation() {
    struct Noticed(Arc<AtomicUsize>);
    impl Drop for Noticed {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (started, count) = (Arc::clone(&begun), Arc::clone(&dropped));
    let function = Functions::new(move |_| {
        started.fetch_add(1, Ordering::SeqCst);
        let noticed = Noticed(Arc::clone(&count));
        async move {
            let _noticed = noticed;
            std::future::pending::<Response<Body>>().await
        }
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    let mut sender = connect::<Empty<Bytes>>(&rig).await;
    let request = Request::get("http://a/").body(Empty::new()).expect("a request");
    // The call is dropped, and its stream reset, once the function runs.
    tokio::select! {
        _ = sender.send_request(request) => panic!("it never answers"),
        () = becomes(&begun, 1, "the function is called") => {}
    }
    becomes(&dropped, 1, "the invocation ends").await;
}

#[tokio::test]
async fn idle_connections_are_closed_and_draining_ends_them() {
    let limits = GatewayLimits { connection_idle_time: Duration::from_millis(300), ..GatewayLimits::default() };
    let rig = Rig::start(limits, Framing::Strict, Functions::echo()).await;
    let mut sender = connect::<Empty<Bytes>>(&rig).await;
    let request = || Request::get("http://a/").body(Empty::new()).expect("a request");
    assert_eq!(sender.send_request(request()).await.expect("an answer").status(), StatusCode::OK);
    let begun = Instant::now();
    while !sender.is_closed() {
        assert!(begun.elapsed() < PATIENCE, "an idle connection stays");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut sender = connect::<Empty<Bytes>>(&rig).await;
    assert_eq!(sender.send_request(request()).await.expect("an answer").status(), StatusCode::OK);
    rig.drain.begin();
    tokio::time::timeout(PATIENCE, rig.served).await.expect("the drain ends").expect("no panic");
}

/// What a client reads of a long response after a second, if it opens its window so far and reads nothing until then.
async fn read_late(window: u32, idle: Duration, body: fn() -> Body) -> Result<usize, hyper::Error> {
    let limits = GatewayLimits { connection_idle_time: idle, ..GatewayLimits::default() };
    let functions = Functions::new(move |_| async move { Response::new(body()) });
    let rig = Rig::start(limits, Framing::Strict, functions).await;
    let io = TokioIo::new(rig.connect().await);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = builder.initial_stream_window_size(window).handshake(io).await.expect("a handshake");
    tokio::spawn(async move { drop(connection.await) });
    let request = Request::get("http://a/").body(Empty::<Bytes>::new()).expect("a request");
    let response = sender.send_request(request).await.expect("a head");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let collected = tokio::time::timeout(Duration::from_secs(2), response.into_body().collect()).await;
    // With a window of nothing, a stream that is still open gives nothing at all.
    collected.map_or(Ok(0), |body| body.map(|body| body.to_bytes().len()))
}

fn long() -> Body {
    Body::from("x".repeat(60_000))
}

#[tokio::test]
async fn streams_whose_peer_takes_nothing_are_reset() {
    for window in [0, 1, 1_000, 20_000] {
        let error = read_late(window, Duration::from_millis(300), long).await.expect_err(&format!("a reset at {window}"));
        assert!(error.to_string().contains("body"), "{window}: {error}");
    }
    // Controls: with the platform's bound they wait as long, and who takes all is not cut off.
    assert_eq!(read_late(0, Duration::from_secs(60), long).await.expect("no reset"), 0);
    assert_eq!(read_late(20_000, Duration::from_secs(60), long).await.expect("a body"), 60_000);
    assert_eq!(read_late(65_535, Duration::from_millis(300), long).await.expect("a body"), 60_000);
}

/// Sends a body whose second part follows only once the whole answer has come; whether it was sent to its end.
async fn sends_after_the_answer(rig: &Rig, path: &str, rest: usize) -> bool {
    let (more, parts) = tokio::sync::mpsc::channel::<Bytes>(1);
    let body = StreamBody::new(futures_util::stream::unfold(parts, async |mut parts| {
        parts.recv().await.map(|part| (Ok::<_, std::convert::Infallible>(Frame::data(part)), parts))
    }));
    let mut sender = connect::<BoxBody<Bytes, std::convert::Infallible>>(rig).await;
    more.send(Bytes::from_static(b"first")).await.expect("there is room");
    let request = Request::post(format!("http://main.localhost{path}")).body(BodyExt::boxed(body)).expect("a request");
    text(sender.send_request(request).await.expect("an answer")).await;
    let mut left = rest;
    while left > 0 {
        let part = left.min(16 << 10);
        left -= part;
        // The other end is dropped with a stream that was reset.
        if more.send(Bytes::from(vec![0; part])).await.is_err() {
            return false;
        }
    }
    // The part before was taken when there is room for the next.
    more.reserve().await.is_ok()
}

#[tokio::test]
async fn a_body_that_nobody_reads_may_be_sent_to_its_end_unless_it_is_large() {
    let rig = Rig::start(
        GatewayLimits::default(),
        Framing::Strict,
        Functions::new(|_| async { Response::new(Body::from("read nothing")) }),
    )
    .await;
    for path in ["/", "/any/x", "/nowhere"] {
        assert!(sends_after_the_answer(&rig, path, 100 << 10).await, "{path}");
    }
    assert!(!sends_after_the_answer(&rig, "/", 8 << 20).await, "what is large is cut off");
}
