//! Bodies as they flow, both ways, and clients that go away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use ingress::{Framing, GatewayLimits};
use ports::Body;
use tokio::{io::AsyncWriteExt, sync::mpsc};

use crate::rig::{Functions, PATIENCE, Rig, read};

/// Counts how often it was dropped.
struct Noticed(Arc<AtomicUsize>);
impl Drop for Noticed {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn wait_for(count: &AtomicUsize, expected: usize) {
    let begun = Instant::now();
    while count.load(Ordering::SeqCst) != expected {
        assert!(begun.elapsed() < PATIENCE, "noticed {} of {expected}", count.load(Ordering::SeqCst));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_invocation() {
    let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let function = Functions::new({
        let (begun, dropped) = (Arc::clone(&begun), Arc::clone(&dropped));
        move |invocation| {
            let noticed = Noticed(Arc::clone(&dropped));
            let begun = Arc::clone(&begun);
            async move {
                let _noticed = noticed;
                let _request = invocation.request.into_body().collect().await;
                begun.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            }
        }
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    for (round, request) in
        ["GET / HTTP/1.1\r\nhost: a\r\n\r\n", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi"].iter().enumerate()
    {
        let mut stream = rig.connect().await;
        stream.write_all(request.as_bytes()).await.expect("the gateway reads");
        wait_for(&begun, round + 1).await;
        assert_eq!(dropped.load(Ordering::SeqCst), round, "the invocation runs while the client waits");
        drop(stream);
        wait_for(&dropped, round + 1).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_reads_ends_the_body() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let function = Functions::new({
        let dropped = Arc::clone(&dropped);
        move |_| {
            let noticed = Noticed(Arc::clone(&dropped));
            let frames = futures_util::stream::unfold(noticed, |noticed| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok(Frame::data(Bytes::from_static(b"x"))), noticed))
            });
            async { Response::new(Body::stream(StreamBody::new(frames))) }
        }
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("the gateway reads");
    stream.readable().await.expect("an answer");
    drop(stream);
    wait_for(&dropped, 1).await;
}

#[tokio::test]
async fn chunks_pass_both_ways_as_they_come() {
    // The function answers each piece of the request with a piece of the response.
    let function = Functions::new(|invocation| async {
        let (sender, receiver) = mpsc::channel::<Result<Frame<Bytes>, ports::BodyError>>(1);
        let mut body = invocation.request.into_body();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                let Ok(data) = frame.into_data() else { break };
                if sender.send(Ok(Frame::data(data))).await.is_err() {
                    break;
                }
            }
        });
        let frames =
            futures_util::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|frame| (frame, receiver)) });
        Response::new(Body::stream(StreamBody::new(frames)))
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await.expect("the gateway reads");
    for word in ["one", "two", "three"] {
        stream.write_all(format!("{:x}\r\n{word}\r\n", word.len()).as_bytes()).await.expect("the gateway reads");
        let talk = read(&mut stream, Duration::from_millis(300)).await;
        assert!(talk.text.contains(word), "{word} came back before the request ended: {talk:?}");
    }
    stream.write_all(b"0\r\n\r\n").await.expect("the gateway reads");
    let talk = read(&mut stream, Duration::from_millis(300)).await;
    assert!(talk.text.ends_with("0\r\n\r\n") && !talk.closed, "{talk:?}");
}

#[tokio::test]
async fn a_large_body_passes_whole() {
    let rig = Rig::echo().await;
    let body = "x".repeat(5 << 20);
    let request = format!("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut stream = rig.connect().await;
    let (mut reader, mut writer) = stream.split();
    let send = writer.write_all(request.as_bytes());
    let receive = async {
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut reader, &mut text).await.map(|_| text)
    };
    let (sent, received) = futures_util::future::join(send, receive).await;
    sent.expect("the gateway reads");
    assert!(received.expect("an answer").ends_with(&(5 << 20).to_string()));
}

#[tokio::test]
async fn a_response_that_breaks_off_is_not_taken_for_whole() {
    let function = Functions::new(|_| async {
        let frames =
            vec![Ok(Frame::data(Bytes::from_static(b"half"))), Err(ports::BodyError::Broken("the guest trapped".into()))];
        Response::new(Body::stream(StreamBody::new(futures_util::stream::iter(frames))))
    });
    let rig = Rig::start(GatewayLimits::default(), Framing::Strict, function).await;
    let talk = rig.talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", PATIENCE).await;
    assert!(talk.closed && !talk.text.ends_with("0\r\n\r\n") && !talk.text.contains("trapped"), "{talk:?}");
}

#[tokio::test]
async fn expect_is_answered_when_the_function_reads() {
    let rig = Rig::echo().await;
    let mut stream = rig.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        .await
        .expect("the gateway reads");
    let talk = read(&mut stream, Duration::from_millis(300)).await;
    assert_eq!(talk.statuses(), [100], "{talk:?}");
    stream.write_all(b"hello").await.expect("the gateway reads");
    let talk = read(&mut stream, Duration::from_millis(300)).await;
    assert!(talk.statuses() == [200] && talk.text.ends_with("main/root 5"), "{talk:?}");
}
