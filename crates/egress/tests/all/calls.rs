//! What is sent, on which connection, and how calls fail.

use std::{sync::Arc, time::Duration};

use egress::Guarding;
use http::{Request, Version};
use ports::{Body, Outbound};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use types::{Code, revision::AppKey};

use crate::rig::{Names, Server, egress, get, named, read_head, text};

fn tenant(name: &str) -> AppKey {
    AppKey { app: name.parse().expect("a name"), env: "dev".parse().expect("a name") }
}

fn request_of(tenant: Option<AppKey>, uri: &str) -> Request<Body> {
    let mut request = Request::get(uri).body(Body::Empty).expect("a request");
    if let Some(tenant) = tenant {
        request.extensions_mut().insert(tenant);
    }
    request
}

#[tokio::test]
async fn the_host_is_the_one_that_is_called_and_the_rest_is_as_the_function_wrote_it() {
    let server = Server::mirror().await;
    let names = Names::with(&[("api.example", &[&["127.0.0.1"]])]);
    let uri = format!("http://API.example:{}/path?q=1", server.address.port());
    let request = Request::post(&uri)
        .header("host", "evil.example")
        .header("idempotency-key", "key-1")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("transfer-encoding", "chunked")
        .header("content-length", "3")
        .header("te", "trailers")
        .header("x-kept", "yes");
    let response =
        egress(names, Guarding::On).send(named(request.body(Body::Empty).expect("a request"))).await.expect("an answer");
    assert!(!response.headers().contains_key("keep-alive"), "what belongs to the connection stays there");
    let mut lines: Vec<String> = text(response).await.lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), "POST /path?q=1 HTTP/1.1");
    lines.retain(|line| !line.is_empty());
    lines.sort();
    let host = format!("host: api.example:{}", server.address.port());
    assert_eq!(lines, ["content-length: 0", &host, "idempotency-key: key-1", "x-kept: yes"]);
}

#[tokio::test]
async fn lengths_that_are_not_one_number_are_not_sent() {
    let server = Server::mirror().await;
    let egress = egress(Names::with(&[]), Guarding::On);
    for lengths in [&["1", "1"][..], &["x"], &["+1"], &[""]] {
        let mut request = Request::post(server.url("/"));
        for length in lengths {
            request = request.header("content-length", *length);
        }
        let body = http_body_util::StreamBody::new(futures_util::stream::empty());
        let failure = egress.send(named(request.body(Body::stream(body)).expect("a request"))).await.expect_err("refused");
        assert_eq!(failure.code, Code::E0210, "{lengths:?}");
    }
    assert_eq!(server.reached(), 0);
}

#[tokio::test]
async fn connections_are_used_again_by_the_tenant_that_opened_them_and_nobody_else() {
    let server = Server::mirror().await;
    let egress = egress(Names::with(&[]), Guarding::On);
    let call = async |who: Option<&str>| {
        let request = request_of(who.map(tenant), &server.url("/"));
        text(egress.send(named(request)).await.expect("an answer")).await;
        server.reached()
    };
    let mut reached = Vec::new();
    for who in [Some("a"), Some("a"), Some("b"), Some("a"), Some("b"), None, None] {
        reached.push(call(who).await);
    }
    assert_eq!(reached, [1, 1, 2, 2, 2, 3, 4]);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_waited_is_replaced() {
    let server = Server::start(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.ok();
    })
    .await;
    let egress = Arc::new(egress(Names::with(&[]), Guarding::On));
    for round in 1..=20 {
        let response = egress.send(named(request_of(Some(tenant("a")), &server.url("/")))).await.expect("an answer");
        assert_eq!((text(response).await.as_str(), server.reached()), ("ok", round));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn failures_say_what_failed() {
    let egress = egress(Names::with(&[("empty.example", &[&[]])]), Guarding::On);
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let silent = Server::start(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending().await
    })
    .await;
    let rude = Server::start(|mut stream| async move { drop(read_head(&mut stream).await) }).await;
    let babbling = Server::start(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"SSH-2.0-x\r\n").await.ok();
    })
    .await;
    let flooding = Server::start(|mut stream| async move {
        read_head(&mut stream).await;
        let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(200 << 10));
        stream.write_all(head.as_bytes()).await.ok();
    })
    .await;
    for (url, words) in [
        ("http://nobody.example/".to_owned(), "dns: no such host: nobody.example".to_owned()),
        ("http://empty.example/".to_owned(), "dns: no such host: empty.example".to_owned()),
        (format!("http://{closed}/"), format!("connection refused by {closed}")),
        (silent.url("/"), "no answer from 127.0.0.1 for 1.00 s".to_owned()),
        (rude.url("/"), "the call to 127.0.0.1 broke off: connection closed before message completed".to_owned()),
        (babbling.url("/"), "the call to 127.0.0.1 broke off: invalid HTTP version parsed".to_owned()),
        (flooding.url("/"), "the call to 127.0.0.1 broke off: message head is too large".to_owned()),
    ] {
        let failure = get(&egress, &url).await.expect_err("it fails");
        assert_eq!((failure.code, failure.message), (Code::E0209, words), "{url}");
    }
}

#[tokio::test]
async fn a_guest_can_not_choose_the_version() {
    let server = Server::mirror().await;
    let mut request = Request::get(server.url("/")).body(Body::Empty).expect("a request");
    *request.version_mut() = Version::HTTP_2;
    let response = egress(Names::with(&[]), Guarding::On).send(named(request)).await.expect("an answer");
    assert!(text(response).await.starts_with("GET / HTTP/1.1\r\n"));
}
