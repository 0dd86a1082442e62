//! Requests that two parsers could read differently (RELIABILITY S6), sent raw, each with a second request behind it.
//!
//! The oracle: a malformed first message gets exactly one answer, 400 (or 414, 431), and the connection closes; the second message
//! must not be answered, since nobody can say where it begins. A good first message gets its answer and so does the second.

use std::time::Duration;

use crate::rig::{Functions, Rig, Talk};
use ingress::{Framing, GatewayLimits};

const SECOND: &str = "GET /any/second HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const GOOD: &str = "GET /any/good HTTP/1.1\r\nhost: a\r\n\r\n";
const QUIET: Duration = Duration::from_millis(1_500);

/// Each name says what is wrong with the bytes.
pub(crate) fn malformed() -> Vec<(&'static str, String)> {
    [lengths_and_encodings(), fields(), hosts(), request_lines(), chunks(), too_much()].concat()
}

fn field(line: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\n{line}\r\n\r\n")
}

fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n\r\n{body}")
}

fn line(line: &str) -> String {
    format!("{line}\r\nhost: a\r\n\r\n")
}

fn chunked(body: &str) -> String {
    post("transfer-encoding: chunked", body)
}

/// Which says how long the body is?
fn lengths_and_encodings() -> Vec<(&'static str, String)> {
    vec![
        ("length and encoding", post("content-length: 5\r\ntransfer-encoding: chunked", "0\r\n\r\n")),
        ("encoding and length", post("transfer-encoding: chunked\r\ncontent-length: 5", "0\r\n\r\n")),
        ("encoding in another case and length", post("Transfer-Encoding: Chunked\r\nContent-Length: 5", "0\r\n\r\n")),
        ("two equal lengths", post("content-length: 5\r\ncontent-length: 5", "hello")),
        ("two different lengths", post("content-length: 5\r\ncontent-length: 0", "hello")),
        ("a list of lengths", post("content-length: 5, 5", "hello")),
        ("a signed length", post("content-length: +5", "hello")),
        ("a negative length", field("content-length: -1")),
        ("a hexadecimal length", field("content-length: 0x5")),
        ("a length with a blank inside", field("content-length: 1 0")),
        ("a length with a fraction", field("content-length: 5.0")),
        ("an empty length", field("content-length:")),
        ("a huge length", field("content-length: 99999999999999999999")),
        ("two encodings", post("transfer-encoding: chunked\r\ntransfer-encoding: chunked", "0\r\n\r\n")),
        ("identity then chunked", post("transfer-encoding: identity\r\ntransfer-encoding: chunked", "0\r\n\r\n")),
        ("chunked twice in one field", post("transfer-encoding: chunked, chunked", "0\r\n\r\n")),
        ("gzip then chunked", post("transfer-encoding: gzip, chunked", "0\r\n\r\n")),
        ("chunked then identity", post("transfer-encoding: chunked, identity", "0\r\n\r\n")),
        ("an unknown encoding", field("transfer-encoding: cow")),
        ("identity", field("transfer-encoding: identity")),
        ("xchunked", field("transfer-encoding: xchunked")),
        ("chunked in quotes", field("transfer-encoding: \"chunked\"")),
        ("chunked with a parameter", field("transfer-encoding: chunked;q=1")),
        ("chunked after a vertical tab", field("transfer-encoding: \x0bchunked")),
        ("an empty encoding", field("transfer-encoding:")),
        ("an encoding in 1.0", "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".into()),
    ]
}

/// Where do fields end, and names?
fn fields() -> Vec<(&'static str, String)> {
    vec![
        ("a blank before the colon of the encoding", post("transfer-encoding : chunked", "0\r\n\r\n")),
        ("a tab before the colon of the length", post("content-length\t: 5", "hello")),
        ("a blank before the colon", field("x : y")),
        ("a folded line", field("x: y\r\n z")),
        ("a folded encoding", post("transfer-encoding:\r\n chunked", "0\r\n\r\n")),
        ("a blank before the first field", "POST / HTTP/1.1\r\n x: y\r\nhost: a\r\n\r\n".into()),
        ("a NUL in a value", field("x: a\0b")),
        ("a NUL in a name", field("x\0: a")),
        ("a NUL in the target", line("GET /\0 HTTP/1.1")),
        ("a lone CR in a value", field("x: a\rtransfer-encoding: chunked")),
        ("a lone CR before a name", field("\rx: a")),
        ("a lone LF in a value", field("x: a\ntransfer-encoding: chunked")),
        ("lone LFs all over", "GET / HTTP/1.1\nhost: a\n\n".into()),
        ("a lone LF at the end of the head", "GET / HTTP/1.1\r\nhost: a\r\n\n".into()),
        ("CR CR LF", "GET / HTTP/1.1\r\nhost: a\r\r\n\r\n".into()),
        ("a bell in a value", field("x: \x07")),
        ("a DEL in a value", field("x: \x7f")),
        ("a field without colon", field("x")),
        ("a field without name", field(": x")),
        ("a name with a bracket", field("x[0]: y")),
        ("a name with a slash", field("a/b: y")),
        ("a name that is not ASCII", field("\u{e4}: y")),
    ]
}

/// Whom is it for?
fn hosts() -> Vec<(&'static str, String)> {
    vec![
        ("two hosts", field("host: b")),
        ("two equal hosts", field("host: a")),
        ("no host", "GET / HTTP/1.1\r\n\r\n".into()),
        ("an empty host", "GET / HTTP/1.1\r\nhost:\r\n\r\n".into()),
        ("a host with a path", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n".into()),
        ("a host with a user", "GET / HTTP/1.1\r\nhost: u@a\r\n\r\n".into()),
        ("a host with a blank", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n".into()),
        ("a host with a bad port", "GET / HTTP/1.1\r\nhost: a:x\r\n\r\n".into()),
        ("a list of hosts", "GET / HTTP/1.1\r\nhost: a, b\r\n\r\n".into()),
        ("another host in the target", "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n".into()),
    ]
}

/// What is asked?
fn request_lines() -> Vec<(&'static str, String)> {
    vec![
        ("a target of another scheme", line("GET ftp://a/ HTTP/1.1")),
        ("a target without slash", line("GET any HTTP/1.1")),
        ("an asterisk for GET", line("GET * HTTP/1.1")),
        ("our own word for refusals", line("REFUSE * HTTP/1.1")),
        ("CONNECT", line("CONNECT a:80 HTTP/1.1")),
        ("a fragment", line("GET /#x HTTP/1.1")),
        ("a target that is not ASCII", line("GET /\u{e4} HTTP/1.1")),
        ("two blanks", line("GET  / HTTP/1.1")),
        ("a tab between", line("GET\t/ HTTP/1.1")),
        ("a blank at the end", line("GET / HTTP/1.1 ")),
        ("a blank at the start", line(" GET / HTTP/1.1")),
        ("a fourth word", line("GET / x HTTP/1.1")),
        ("no version", line("GET /")),
        ("no target", line("GET HTTP/1.1")),
        ("another version", line("GET / HTTP/1.2")),
        ("version 2", line("GET / HTTP/2.0")),
        ("version 0.9", line("GET / HTTP/0.9")),
        ("a version in lower case", line("GET / http/1.1")),
        ("a version with a zero", line("GET / HTTP/1.01")),
        ("a method with a bracket", line("GE[T / HTTP/1.1")),
        ("a long method", line(&format!("{} / HTTP/1.1", "A".repeat(40)))),
        ("two empty lines first", format!("\r\n\r\n{}", line("GET / HTTP/1.1"))),
        ("an empty line of LF first", format!("\n{}", line("GET / HTTP/1.1"))),
        ("TLS", "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".into()),
    ]
}

/// Where do chunks end?
fn chunks() -> Vec<(&'static str, String)> {
    vec![
        ("a chunk of no digits", chunked("\r\nhello\r\n0\r\n\r\n")),
        ("a chunk size with a sign", chunked("+5\r\nhello\r\n0\r\n\r\n")),
        ("a chunk size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n")),
        ("a chunk size with a blank", chunked("5 \r\nhello\r\n0\r\n\r\n")),
        ("a chunk size with a blank first", chunked(" 5\r\nhello\r\n0\r\n\r\n")),
        ("a chunk size with an underscore", chunked("1_0\r\nhello\r\n0\r\n\r\n")),
        ("a huge chunk size", chunked("fffffffffffffffff5\r\nhello\r\n0\r\n\r\n")),
        ("a chunk size ended by LF", chunked("5\nhello\r\n0\r\n\r\n")),
        ("a chunk extension ended by LF", chunked("5;a\nhello\r\n0\r\n\r\n")),
        ("a chunk extension with a lone CR", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n")),
        ("a chunk extension without end", chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(1_000)))),
        ("a chunk longer than its size", chunked("5\r\nhelloo\r\n0\r\n\r\n")),
        ("a chunk ended by LF", chunked("5\r\nhello\n0\r\n\r\n")),
        ("a chunk ended by nothing", chunked("5\r\nhello0\r\n\r\n")),
        ("a last chunk ended by LF", chunked("0\n\r\n")),
        ("a trailer with a NUL", chunked("0\r\nx: \0\r\n\r\n")),
        ("a folded trailer", chunked("0\r\n x\r\n\r\n")),
        ("a trailer ended by LF", chunked("0\r\nx: y\n\r\n")),
    ]
}

/// More than anybody reads.
fn too_much() -> Vec<(&'static str, String)> {
    vec![
        ("a target of 9 KiB", line(&format!("GET /{} HTTP/1.1", "a".repeat(9 << 10)))),
        ("a header block of 70 KiB", field(&format!("x: {}", "a".repeat(70 << 10)))),
        ("65 fields", field(&"x: y\r\n".repeat(65))),
        ("a request line without end", format!("GET /{}", "a".repeat(64 << 10))),
    ]
}

fn well_formed() -> Vec<(&'static str, String)> {
    vec![
        ("a plain request", "GET / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        ("names in any case", "GET / HTTP/1.1\r\nHOST: a\r\n\r\n".into()),
        ("a value without blank", "GET / HTTP/1.1\r\nhost:a\r\n\r\n".into()),
        ("blanks around a value", "GET / HTTP/1.1\r\nhost: \t a \t\r\n\r\n".into()),
        ("bytes above ASCII in a value", "GET / HTTP/1.1\r\nhost: a\r\nx: \u{e4}\r\n\r\n".into()),
        ("an empty value", "GET / HTTP/1.1\r\nhost: a\r\nx:\r\n\r\n".into()),
        ("an absolute target", "GET http://a/ HTTP/1.1\r\nhost: A\r\n\r\n".into()),
        ("one empty line first", "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        ("a body", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".into()),
        ("a body of nothing", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".into()),
        (
            "a body that looks like a request",
            format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{SECOND}", SECOND.len()),
        ),
        (
            "chunks",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n".into(),
        ),
        (
            "chunks with a trailer",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n".into(),
        ),
        ("64 fields", format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(63))),
        ("a target of 8 KiB", format!("GET /any/{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat((8 << 10) - 5))),
    ]
}

/// What is wrong with the talk about a malformed message behind so many good ones, by the oracle; nothing if all is well.
fn complaint(talk: &Talk, good: usize) -> Option<String> {
    let statuses = talk.statuses();
    let (before, last) = statuses.split_at(good.min(statuses.len()));
    let refused = matches!(last, [400 | 414 | 431]) && before.len() == good && before.iter().all(|status| *status == 200);
    let word = talk.text.contains("E0406") || talk.text.contains("E0408") || talk.text.contains("E0404");
    match (refused, talk.closed, word) {
        (true, true, true) => None,
        (true, true, false) => Some(format!("no word why: {:?}", talk.text)),
        _ => Some(format!("{statuses:?}, closed: {}", talk.closed)),
    }
}

async fn complaints(framing: Framing) -> Vec<String> {
    let rig = Rig::start(GatewayLimits::default(), framing, Functions::echo()).await;
    let judge = async |(name, bytes, good): (&str, String, usize)| {
        let talk = rig.talk(format!("{}{bytes}{SECOND}", GOOD.repeat(good)).as_bytes(), QUIET).await;
        complaint(&talk, good).map(|complaint| format!("{name} behind {good}: {complaint}"))
    };
    // Each message comes first on its connection, and behind a good one in the same bytes.
    let cases = malformed().into_iter().flat_map(|(name, bytes)| [(name, bytes.clone(), 0), (name, bytes, 1)]).map(judge);
    futures_util::future::join_all(cases).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn what_two_parsers_could_read_differently_is_refused_and_nothing_after_it_is_answered() {
    let complaints = complaints(Framing::Strict).await;
    assert!(2 * malformed().len() >= 150, "the corpus has {} cases", 2 * malformed().len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The control of the test above: hyper alone repairs or merges some of these.
#[tokio::test]
async fn without_the_scanner_some_of_it_gets_through() {
    let complaints = complaints(Framing::Lenient).await;
    let answered = complaints.iter().filter(|complaint| complaint.contains("200")).count();
    assert!(answered >= 5, "only these got through without the scanner: {complaints:#?}");
}

#[tokio::test]
async fn good_messages_are_answered_and_so_is_what_follows_them() {
    let rig = Rig::echo().await;
    for (name, bytes) in well_formed() {
        let talk = rig.talk(format!("{bytes}{SECOND}").as_bytes(), QUIET).await;
        assert_eq!((talk.statuses(), talk.closed), (vec![200, 200], true), "{name}: {}", talk.text);
    }
}

#[tokio::test]
async fn a_refusal_waits_its_turn_behind_good_requests() {
    let rig = Rig::echo().await;
    let good = "GET /any/x HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3);
    let talk = rig.talk(format!("{good}GET / HTTP/1.1\r\nhost: a\r\nx : y\r\n\r\n{SECOND}").as_bytes(), QUIET).await;
    assert_eq!((talk.statuses(), talk.closed), (vec![200, 200, 200, 400], true), "{}", talk.text);
}

#[tokio::test]
async fn heads_and_bodies_may_come_in_pieces_of_any_size() {
    use tokio::io::AsyncWriteExt as _;
    let rig = Rig::echo().await;
    let stream: String = well_formed().into_iter().take(13).map(|(_, bytes)| bytes).collect();
    for piece in [1, 3, 7, 64] {
        let mut connection = rig.connect().await;
        for part in stream.as_bytes().chunks(piece).chain([SECOND.as_bytes()]) {
            connection.write_all(part).await.expect("the gateway reads");
            tokio::task::yield_now().await;
        }
        let talk = crate::rig::read(&mut connection, QUIET).await;
        assert_eq!((talk.statuses(), talk.closed), (vec![200; 14], true), "pieces of {piece}: {}", talk.text);
    }
}
