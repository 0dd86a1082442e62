//! Bodies that pass through a function as they come, both ways, on both versions of HTTP.

use std::{io::Write as _, net::SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::support::{
    Folder, Node, Request, Response, assert_has, eventually,
    http::{connect, read_all, read_until},
};

fn node() -> (Folder, Node) {
    let folder = Folder::app("shop", "rust-wasip2", "limits = { time = \"60s\" }");
    let node = Node::up(folder.path());
    (folder, node)
}

#[test]
fn an_echo_answers_each_chunk_before_the_next_is_sent() {
    let (_folder, node) = node();
    let mut stream = connect(node.gateway);
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        .expect("it is sent");
    for word in ["first", "second", "third"] {
        write!(stream, "{:x}\r\n{word}\r\n", word.len()).expect("it is sent");
        read_until(&mut stream, word);
    }
    stream.write_all(b"0\r\n\r\n").expect("it is sent");
    assert!(read_all(&mut stream).ends_with(b"0\r\n\r\n"), "the answer ends with its last chunk");
}

#[test]
fn large_answers_pass_in_constant_memory() {
    const BYTES: usize = 200 << 20;
    let (_folder, node) = node();
    node.expect_growth_below(16 << 10, || {
        let (received, most) = node.pass(&format!("/big?bytes={BYTES}"));
        assert!(received >= BYTES, "{received} bytes of {BYTES} came");
        most
    });
}

#[test]
fn uploads_up_to_the_limit_pass_in_constant_memory_and_break_off_beyond_it() {
    let (_folder, node) = node();
    let chunked = |bytes: usize| {
        let mut stream = connect(node.gateway);
        let mut reader = stream.try_clone().expect("a socket can be cloned");
        let reading = std::thread::spawn(move || read_all(&mut reader));
        let head = b"POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let chunk = vec![b'c'; 64 << 10];
        let sent = stream.write_all(head).and_then(|()| {
            for _ in 0..bytes / chunk.len() {
                write!(stream, "{:x}\r\n", chunk.len())?;
                stream.write_all(&chunk)?;
                stream.write_all(b"\r\n")?;
            }
            stream.write_all(b"0\r\n\r\n")
        });
        drop(sent);
        Response::parse(&reading.join().expect("it was read"), "POST")
    };
    // 40 MiB each way in a round, none of which may stay.
    node.expect_growth_below(8 << 10, || {
        for _ in 0..8 {
            let answer = chunked(5 << 20).expect("an answer").expect(200);
            assert!(answer.whole && answer.body.len() == 5 << 20, "{} bytes came back", answer.body.len());
        }
        node.resident_kib()
    });
    let beyond = chunked(20 << 20);
    assert!(!beyond.is_some_and(|answer| answer.status == 200 && answer.whole), "a body over the limit was taken whole");
    node.get("/hello").expect(200);
}

#[test]
fn trailers_pass_both_ways() {
    let (_folder, node) = node();
    let mut stream = connect(node.gateway);
    let request = "POST /trailers HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\ntrailer: x-check\r\ntransfer-encoding: chunked\r\n\
                   connection: close\r\n\r\n4\r\nping\r\n0\r\nx-check: 7\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it is sent");
    let answer = Response::parse(&read_all(&mut stream), "POST").expect("an answer").expect(200);
    assert_eq!(answer.json()["trailers"][0], serde_json::json!(["x-check", "7"]));
    assert_eq!(answer.trailers, [("x-body-bytes".to_owned(), "4".to_owned())]);
}

#[test]
fn a_client_that_leaves_ends_its_function() {
    let (_folder, node) = node();
    let mut stream = connect(node.gateway);
    stream.write_all(b"GET /slow-body?chunks=100000&ms=20 HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
    read_until(&mut stream, "chunk 1");
    drop(stream);
    let record = node.request("/slow-body");
    assert_eq!(record["failure"]["code"], "E0511", "{record}");
    let listed = node.cli(&["trace", record["short"].as_str().expect("an id")]).expect_done();
    assert_has(&listed.stdout, "E0511");
}

#[test]
fn a_client_that_leaves_before_the_answer_ends_its_function() {
    let folder = Folder::app("shop", "rust-wasip2", "limits = { time = \"300s\", concurrency = 1 }");
    let node = Node::up(folder.path());
    let mut stream = connect(node.gateway);
    stream.write_all(b"GET /sleep?ms=250000 HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
    // What shows from outside that it runs: there is no room for another.
    eventually("the function runs", || (node.get("/hello").status == 429).then_some(()));
    drop(stream);
    assert_eq!(node.request("/sleep")["failure"]["code"], "E0511");
}

#[tokio::test]
async fn http_2_with_prior_knowledge_carries_many_requests_and_trailers_on_one_connection() {
    let (_folder, node) = tokio::task::spawn_blocking(node).await.expect("it starts");
    let stream = tokio::net::TcpStream::connect(node.gateway).await.expect("the node listens");
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let open = (0..20).map(|number| {
        let mut sender = sender.clone();
        let request = http2_request(node.gateway, &format!("/sleep?ms={}", number % 5), Vec::new());
        tokio::spawn(async move { sender.send_request(request).await.expect("an answer").status() })
    });
    for answered in open.collect::<Vec<_>>() {
        assert_eq!(answered.await.expect("it was sent"), 200);
    }
    let trailers = http::HeaderMap::from_iter([(http::HeaderName::from_static("x-check"), http::HeaderValue::from_static("7"))]);
    let frames = vec![Frame::data(Bytes::from_static(b"ping")), Frame::trailers(trailers)];
    let answer = sender.clone().send_request(http2_request(node.gateway, "/trailers", frames)).await.expect("an answer");
    let body = answer.into_body().collect().await.expect("the body ends");
    assert_eq!(body.trailers().expect("trailers")["x-body-bytes"], "4");
    assert_has(&String::from_utf8_lossy(&body.to_bytes()), "x-check");
    drop(sender);
    connection.await.expect("it ends").expect("it ends well");
    tokio::task::spawn_blocking(move || assert_eq!(node.stop(), 0)).await.expect("it stops");
}

type Frames = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, std::convert::Infallible>>>>;

fn http2_request(gateway: SocketAddr, target: &str, frames: Vec<Frame<Bytes>>) -> http::Request<Frames> {
    let body = StreamBody::new(futures_util::stream::iter(frames.into_iter().map(Ok).collect::<Vec<_>>()));
    http::Request::builder().uri(format!("http://{gateway}{target}")).header("te", "trailers").body(body).expect("a request")
}

#[test]
fn keep_alive_carries_one_request_after_the_other() {
    let (_folder, node) = node();
    let mut stream = connect(node.gateway);
    for _ in 0..3 {
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
        read_until(&mut stream, "hello\n");
    }
    // And the node still takes others.
    eventually("another request", || (Request::get("/hello").send(node.gateway).status == 200).then_some(()));
}
