//! Requests as clients send them, good and bad, on their way to a real function and back.

use std::{
    io::{Read as _, Write as _},
    thread,
    time::Duration,
};

use super::support::{
    Folder, Node, Request, Response, Upstream, assert_has, eventually,
    http::{connect, raw, read_all},
};

/// An app of the program that may do everything, on one node.
fn node() -> (Folder, Node) {
    let folder = Folder::app("shop", "rust-wasip2", "");
    let node = Node::up(folder.path());
    (folder, node)
}

#[test]
fn apps_of_one_node_answer_to_their_hosts_and_nothing_else_does() {
    let (data, alpha, beta) = (Folder::new(), Folder::app("alpha", "rust-wasip2", ""), Folder::app("beta", "rust-wstd", ""));
    let node = Node::server(data.path(), &["--domain", "apps.example"]);
    let nothing = node.send(&Request::get("/hello").host("alpha.localhost"));
    nothing.expect_refusal(404, "E0401");
    node.deploy(alpha.path());
    node.deploy(beta.path());
    for (host, answer) in
        [("alpha.localhost", "hello\n"), ("beta.localhost", "hello from wstd\n"), ("beta.apps.example", "hello from wstd\n")]
    {
        assert_eq!(node.send(&Request::get("/hello").host(host)).expect(200).text(), answer, "{host}");
    }
    node.send(&Request::get("/hello").host("gamma.localhost")).expect_refusal(404, "E0401");
    node.send(&Request::get("/hello").host("alpha.example.org")).expect_refusal(404, "E0401");
}

#[test]
fn routes_choose_by_path_and_method() {
    let folder = Folder::app("shop", "rust-wasip2", "");
    folder.write("dayfly.toml", folder.read("dayfly.toml").replace(r#"["/", "/{*rest}"]"#, r#"["GET /hello", "POST /echo"]"#));
    let node = Node::up(folder.path());
    assert_eq!(node.get("/hello").expect(200).text(), "hello\n");
    assert_eq!(node.send(&Request::post("/echo", "ping")).expect(200).text(), "ping");
    node.get("/elsewhere").expect_refusal(404, "E0402");
    let refused = node.send(&Request::post("/hello", "")).expect_refusal(405, "E0403");
    assert_has(refused.header("allow").expect("a 405 lists the methods"), "GET");
    let head = node.send(&Request::get("/hello").method("HEAD")).expect(200);
    assert!(head.body.is_empty(), "{head:?}");
}

#[test]
fn what_is_too_large_is_refused_with_its_limit() {
    let (_folder, node) = node();
    let refused = node.send(&Request::get("/hello").header("x-large", "v".repeat(70_000))).expect_refusal(431, "E0404");
    assert_has(&refused.text(), "64 KiB");
    let refused = node.get(&format!("/{}", "p".repeat(9_000))).expect_refusal(414, "E0408");
    assert_has(&refused.text(), "8 KiB");
    let announced = format!("POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 9 << 20);
    let refused =
        Response::parse(&raw(node.gateway, announced.as_bytes()), "POST").expect("an answer").expect_refusal(413, "E0405");
    assert_has(&refused.text(), "6 MiB");
    // The control: what is within the limits passes.
    node.send(&Request::get("/hello").header("x-large", "v".repeat(50_000))).expect(200);
    node.get(&format!("/hello?{}", "q".repeat(8_000))).expect(200);
    let megabytes = vec![b'm'; 5 << 20];
    assert_eq!(node.send(&Request::post("/echo", megabytes.clone())).expect(200).body.len(), megabytes.len());
}

#[test]
fn messages_that_two_parsers_read_differently_get_one_refusal_and_no_more() {
    let (_folder, node) = node();
    let smuggled = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let post = "POST /echo HTTP/1.1\r\nhost: localhost\r\n";
    let samples = [
        format!("{post}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}content-length: 4\r\ncontent-length: 5\r\n\r\nping{smuggled}"),
        format!("{post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}content-length: +4\r\n\r\nping{smuggled}"),
        format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nhost: other\r\n\r\n{smuggled}"),
        format!("GET /hello HTTP/1.1\nhost: localhost\n\n{smuggled}"),
    ];
    for sample in samples {
        let answer = String::from_utf8_lossy(&raw(node.gateway, sample.as_bytes())).into_owned();
        assert!(answer.starts_with("HTTP/1.1 400"), "{sample:?} got {answer}");
        assert_has(&answer, "error[E0406]");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{sample:?} got {answer}");
    }
    // The control: two good requests on one connection are both answered.
    let last = "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let both = String::from_utf8_lossy(&raw(node.gateway, format!("{smuggled}{last}").as_bytes())).into_owned();
    assert_eq!(both.matches("HTTP/1.1 200").count(), 2, "{both}");
}

#[test]
fn a_slow_client_is_sent_away_while_others_are_served() {
    let (_folder, node) = node();
    let mut slow = connect(node.gateway);
    slow.write_all(b"GET /hello HTTP/1.1\r\nhost: lo").expect("the node reads");
    let waiting = thread::spawn(move || String::from_utf8_lossy(&read_all(&mut slow)).into_owned());
    while !waiting.is_finished() {
        node.get("/hello").expect(200);
        thread::sleep(Duration::from_millis(250));
    }
    let answer = waiting.join().expect("it was read");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_has(&answer, "error[E0407]");
}

#[test]
fn a_trace_begun_elsewhere_goes_on_here_and_beyond() {
    let upstream = Upstream::start();
    let folder = Folder::app("shop", "rust-wasip2", &upstream.reach());
    let node = Node::up(folder.path());
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let target = format!("/fetch?url={}", upstream.url("/headers"));
    let answer = node.send(&Request::get(target).header("traceparent", parent)).expect(200);
    assert_has(&answer.text(), &format!("traceparent: 00-{trace}-"));
    let record = node.record_of(&answer);
    assert_eq!(record["trace"], trace);
    let shown = node.cli(&["trace", trace, "--json"]).expect_done().json();
    assert_eq!(shown["trace"], trace);
    // Without one, each request begins a trace of its own.
    let own = node.record_of(&node.get("/hello"));
    assert_ne!(own["trace"], trace);
}

#[test]
fn every_answer_names_its_invocation() {
    let (_folder, node) = node();
    let (one, two) = (node.get("/hello"), node.get("/hello"));
    let id = |answer: &Response| answer.header("x-request-id").expect("an id").to_owned();
    assert!(id(&one).starts_with("inv_") && id(&one) != id(&two), "{one:?} {two:?}");
    let failed = node.get("/trap").expect_refusal(502, "E0501");
    assert_has(&failed.text(), &format!("request {}", id(&failed)));
    let shown = node.record_of(&failed);
    let backtrace = shown["failure"]["backtrace"].to_string();
    for name in ["inner_of_trap", "middle_of_trap", "outer_of_trap", "platform.rs"] {
        assert_has(&backtrace, name);
    }
    assert!(!failed.text().contains("inner_of_trap"), "callers are told nothing of the inside: {}", failed.text());
    // The terminal of `up` explains it without being asked.
    node.wait_for("error[E0501]");
    node.wait_for("inner_of_trap");
}

#[test]
fn more_at_once_than_a_function_may_run_are_turned_away() {
    let folder = Folder::app("shop", "rust-wasip2", "limits = { concurrency = 1, time = \"30s\" }");
    let node = Node::up(folder.path());
    let mut busy = connect(node.gateway);
    busy.write_all(b"GET /slow-body?chunks=100000&ms=20 HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
    eventually("the one permit is taken", || (node.get("/hello").status == 429).then_some(()));
    node.get("/hello").expect_refusal(429, "E0505");
    drop(busy);
    eventually("the permit is free again", || (node.get("/hello").status == 200).then_some(()));
}

#[test]
fn a_node_that_is_asked_to_end_finishes_what_it_began() {
    let (_folder, node) = node();
    let mut open = connect(node.gateway);
    open.write_all(b"GET /slow-body?chunks=40&ms=50 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .expect("it is sent");
    let mut first = [0; 1];
    open.read_exact(&mut first).expect("it has begun");
    let gateway = node.gateway;
    assert_eq!(node.stop(), 0);
    let rest = [first.to_vec(), read_all(&mut open)].concat();
    let answer = Response::parse(&rest, "GET").expect("an answer").expect(200);
    assert!(answer.whole && answer.text().ends_with("chunk 39\n"), "{}", answer.text());
    assert!(std::net::TcpStream::connect(gateway).is_err(), "nobody listens any more");
}
