//! Connections: slow peers, silent ones, and the end of the node.

use std::{sync::atomic::Ordering, time::Duration};

use aws::{S3Limits, Verification};
use ports::Objects as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::rig::Endpoint;

fn short() -> S3Limits {
    let soon = Duration::from_millis(200);
    S3Limits {
        head_time: soon,
        body_idle_time: soon,
        connection_idle_time: soon,
        drain_time: Duration::from_secs(20),
        ..S3Limits::default()
    }
}

async fn read_out(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
    // A connection that is cut off may end in a reset.
    let _ = read.expect("an end in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first line and header block of a signed upload of so many bytes.
fn head(node: &Endpoint, bytes: usize) -> String {
    let request = node.put("/uploads/k", "").payload("UNSIGNED-PAYLOAD").request();
    let mut head = format!("{} {} HTTP/1.1\r\ncontent-length: {bytes}\r\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    head + "\r\n"
}

#[tokio::test]
async fn a_peer_that_is_silent_or_stops_in_its_head_is_cut_off() {
    let node = Endpoint::with(Verification::On, short()).await;
    for text in ["", "GET / HT"] {
        let mut stream = TcpStream::connect(node.address).await.expect("a connection");
        stream.write_all(text.as_bytes()).await.expect("written");
        assert_eq!(read_out(&mut stream).await, "");
    }
}

#[tokio::test]
async fn a_body_that_stops_is_given_up_and_nothing_is_published() {
    let node = Endpoint::with(Verification::On, short()).await;
    let mut stream = TcpStream::connect(node.address).await.expect("a connection");
    stream.write_all((head(&node, 10) + "12345").as_bytes()).await.expect("written");
    let answer = read_out(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("RequestTimeout"), "{answer}");
    assert!(node.objects.head(&node.bucket(), "k", None).await.expect("a head").is_none());
}

#[tokio::test]
async fn open_requests_are_finished_when_the_node_ends_and_idle_ones_do_not_hold_it() {
    let mut node = Endpoint::with(Verification::On, S3Limits::default()).await;
    let _idle = TcpStream::connect(node.address).await.expect("a connection");
    let mut stream = TcpStream::connect(node.address).await.expect("a connection");
    stream.write_all((head(&node, 10) + "12345").as_bytes()).await.expect("written");
    // Once its key was looked for it is being served.
    while node.keys.found.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ended = node.drain();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!ended.is_finished(), "an open request is waited for");
    stream.write_all(b"67890").await.expect("written");
    assert!(read_out(&mut stream).await.starts_with("HTTP/1.1 200"));
    tokio::time::timeout(Duration::from_secs(10), node.drain()).await.expect("an end in time").expect("no panic");
    let info = node.objects.head(&node.bucket(), "k", None).await.expect("a head");
    assert_eq!(info.map(|info| info.bytes), Some(10));
}

#[tokio::test]
async fn who_waits_for_leave_to_send_nothing_is_answered_for_the_last_time() {
    let node = Endpoint::start().await;
    for (bytes, value) in [("", "close"), ("1", "")] {
        let put = node.put("/uploads/k", bytes).header("expect", "100-continue").send().await.is(200);
        assert_eq!(put.header("connection"), value, "{bytes:?}");
    }
}

#[tokio::test]
async fn connections_over_the_limit_are_told_to_come_back() {
    let node = Endpoint::with(Verification::On, S3Limits { connections: 0, ..S3Limits::default() }).await;
    let mut stream = TcpStream::connect(node.address).await.expect("a connection");
    assert!(read_out(&mut stream).await.contains("<Code>SlowDown</Code>"));
}
