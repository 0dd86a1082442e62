//! Bodies as they flow, both ways, without piling up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use egress::Guarding;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use ports::{Body, BodyError, Outbound};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
};

use crate::rig::{Names, Server, egress, get, named, read_head};

const CHUNK: usize = 64 << 10;
const CHUNKS: u64 = 2_048;
/// What may be on its way: buffers of the sockets and of hyper on both sides.
const ON_ITS_WAY: u64 = 24 << 20;

#[tokio::test]
async fn a_large_request_waits_for_the_one_who_reads_it() {
    let reads = Arc::new(Semaphore::new(0));
    let may_read = Arc::clone(&reads);
    let server = Server::start(move |mut stream| {
        let reads = Arc::clone(&may_read);
        async move {
            read_head(&mut stream).await;
            drop(reads.acquire().await);
            let (mut left, mut buffer) = (CHUNKS * CHUNK as u64, vec![0; CHUNK]);
            while left > 0 {
                left -= stream.read(&mut buffer).await.expect("the body comes") as u64;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok();
        }
    })
    .await;
    let made = Arc::new(AtomicU64::new(0));
    let chunks = futures_util::stream::unfold((0, Arc::clone(&made)), |(index, made)| async move {
        (index < CHUNKS).then(|| {
            made.fetch_add(CHUNK as u64, Ordering::SeqCst);
            (Ok(Frame::data(Bytes::from_static(&[b'x'; CHUNK]))), (index + 1, made))
        })
    });
    let length = CHUNKS * CHUNK as u64;
    let request = Request::post(server.url("/")).header("content-length", length).body(Body::stream(StreamBody::new(chunks)));
    let mut request = named(request.expect("a request"));
    request.first_byte_time = Duration::from_secs(30);
    let egress = egress(Names::with(&[]), Guarding::On);
    let call = tokio::spawn(async move { egress.send(request).await.map(|response| response.status()) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        made.load(Ordering::SeqCst) < ON_ITS_WAY,
        "{} bytes were made for a server that does not read",
        made.load(Ordering::SeqCst)
    );
    reads.add_permits(1);
    assert_eq!(call.await.expect("no panic").expect("an answer"), 200);
    assert_eq!(made.load(Ordering::SeqCst), length);
}

#[tokio::test]
async fn a_large_response_waits_for_the_function_that_reads_it() {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let server = Server::start(move |mut stream| {
        let sent = Arc::clone(&count);
        async move {
            read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", CHUNKS * CHUNK as u64);
            stream.write_all(head.as_bytes()).await.expect("the head goes");
            for _ in 0..CHUNKS {
                stream.write_all(&[b'x'; CHUNK]).await.expect("the body goes");
                sent.fetch_add(CHUNK as u64, Ordering::SeqCst);
            }
        }
    })
    .await;
    let response = get(&egress(Names::with(&[]), Guarding::On), &server.url("/")).await.expect("an answer");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        sent.load(Ordering::SeqCst) < ON_ITS_WAY,
        "{} bytes were taken for a function that does not read",
        sent.load(Ordering::SeqCst)
    );
    let (mut body, mut read) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        read += frame.expect("the body comes").data_ref().map_or(0, |data| data.len() as u64);
    }
    assert_eq!(read, CHUNKS * CHUNK as u64);
}

#[tokio::test]
async fn a_response_that_stalls_or_breaks_off_is_an_error_in_time() {
    for (stalls, half) in [
        (true, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
        (false, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    ] {
        let server = Server::start(move |mut stream| async move {
            read_head(&mut stream).await;
            stream.write_all(half.as_bytes()).await.expect("it goes");
            if stalls {
                std::future::pending().await
            }
        })
        .await;
        let mut body = get(&egress(Names::with(&[]), Guarding::On), &server.url("/")).await.expect("an answer").into_body();
        let first = body.frame().await.expect("a frame").expect("the first half comes");
        assert_eq!(first.into_data().expect("data"), "half");
        let error = tokio::time::timeout(Duration::from_secs(20), body.frame())
            .await
            .expect("in time")
            .expect("an error")
            .expect_err("it broke off");
        assert_eq!(matches!(error, BodyError::Idle), stalls, "{error}");
        assert!(body.frame().await.is_none(), "an error is the end");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let server = Server::start(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            let closed = stream.read(&mut [0; 16]).await;
            sender.send(matches!(closed, Ok(0) | Err(_))).await.ok();
        }
    })
    .await;
    let egress = egress(Names::with(&[]), Guarding::On);
    let url = server.url("/");
    let mut request = named(Request::get(url).body(Body::Empty).expect("a request"));
    request.first_byte_time = Duration::from_secs(30);
    assert!(tokio::time::timeout(Duration::from_millis(300), egress.send(request)).await.is_err());
    let closed = tokio::time::timeout(Duration::from_secs(20), receiver.recv()).await.expect("in time");
    assert_eq!(closed, Some(true));
}
