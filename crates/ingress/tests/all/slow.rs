//! Slow and silent clients (RELIABILITY S7): reaped in time, while others are answered as before.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ingress::{Framing, GatewayLimits};
use tokio::io::AsyncWriteExt;

use crate::rig::{Functions, PATIENCE, Rig, read};

const SLOW: usize = 200;

fn limits(time: Duration) -> GatewayLimits {
    GatewayLimits { header_time: time, body_idle_time: time, connection_idle_time: time, ..GatewayLimits::default() }
}

/// Opens slow connections of every kind; gives how many are still open after `wait`.
async fn slow_clients(rig: &Rig, wait: Duration) -> usize {
    let kinds: [&[u8]; 4] = [
        b"",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: ",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    ];
    let mut streams = Vec::new();
    for index in 0..SLOW {
        let mut stream = rig.connect().await;
        stream.write_all(kinds[index % kinds.len()]).await.expect("the gateway reads");
        streams.push(stream);
    }
    let closed = streams.iter_mut().map(|stream| async {
        let begun = Instant::now();
        while begun.elapsed() < wait {
            if read(stream, wait.saturating_sub(begun.elapsed())).await.closed {
                return true;
            }
        }
        false
    });
    futures_util::future::join_all(closed).await.into_iter().filter(|closed| !closed).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_reaped_while_healthy_ones_are_answered() {
    // So long that no healthy client is slow because the machine has other work.
    let rig = Arc::new(Rig::start(limits(Duration::from_secs(2)), Framing::Strict, Functions::echo()).await);
    let healthy = tokio::spawn({
        let rig = Arc::clone(&rig);
        async move {
            for _ in 0..100 {
                let talk = rig.talk(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", PATIENCE).await;
                assert_eq!(talk.statuses(), [200], "{talk:?}");
            }
        }
    });
    assert_eq!(slow_clients(&rig, PATIENCE).await, 0, "connections that were not reaped");
    healthy.await.expect("healthy clients are answered");
}

/// The control of the test above: with time limits that never pass, nobody is reaped.
#[tokio::test]
async fn without_time_limits_slow_clients_stay() {
    let rig = Rig::start(limits(Duration::from_secs(3_600)), Framing::Strict, Functions::echo()).await;
    assert_eq!(slow_clients(&rig, Duration::from_secs(2)).await, SLOW);
}

#[tokio::test]
async fn a_late_head_gets_a_408_and_a_late_body_an_error() {
    let rig = Rig::start(limits(Duration::from_millis(300)), Framing::Strict, Functions::echo()).await;
    let head = rig.talk(b"GET / HTTP/1.1\r\nhost: a\r\nx: ", PATIENCE).await;
    assert_eq!((head.statuses(), head.closed), (vec![408], true), "{head:?}");
    assert!(head.text.contains("E0407"), "{head:?}");
    let body = rig.talk(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhello", PATIENCE).await;
    assert!(body.text.contains("nothing came for too long") && body.closed, "{body:?}");
}

#[tokio::test]
async fn a_client_that_drips_its_head_is_reaped_all_the_same() {
    let rig = Rig::start(limits(Duration::from_millis(500)), Framing::Strict, Functions::echo()).await;
    let mut stream = rig.connect().await;
    let begun = Instant::now();
    for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx: ".iter().chain(std::iter::repeat(&b'y')) {
        if stream.write_all(&[*byte]).await.is_err() || begun.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() < PATIENCE, "the gateway never closed");
}

#[tokio::test]
async fn a_function_that_takes_its_time_is_not_a_slow_client() {
    let slow = Functions::new(|_| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        http::Response::new(ports::Body::from("done"))
    });
    let rig = Rig::start(limits(Duration::from_millis(200)), Framing::Strict, slow).await;
    let talk = rig.talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", PATIENCE).await;
    assert!(talk.text.ends_with("done") && talk.closed, "{talk:?}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let endless = Functions::new(|_| async {
        let chunks = futures_util::stream::repeat_with(|| Ok(http_body::Frame::data(bytes::Bytes::from(vec![b'x'; 64 << 10]))));
        http::Response::new(ports::Body::stream(http_body_util::StreamBody::new(chunks)))
    });
    let rig = Rig::start(limits(Duration::from_millis(500)), Framing::Strict, endless).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("the gateway reads");
    tokio::time::sleep(Duration::from_secs(3)).await;
    rig.drain.begin();
    tokio::time::timeout(PATIENCE, rig.served).await.expect("nothing is left to drain").expect("no panic");
}
