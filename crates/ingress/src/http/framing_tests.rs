//! What the scanner passes and what it refuses, byte by byte.

use super::*;

fn scanner() -> Scanner {
    Scanner::new(HeadLimits { uri: ByteCount(100), block: ByteCount(1_000), count: 5 })
}

/// Shows the bytes in pieces of this size, as a connection would; gives what passed and how it stopped.
fn run(bytes: &[u8], piece: usize) -> (Vec<u8>, String) {
    let (mut scanner, mut held, mut passed) = (scanner(), Vec::new(), Vec::new());
    for part in bytes.chunks(piece) {
        held.extend_from_slice(part);
        while !held.is_empty() {
            match scanner.look(&held) {
                Step::Pass(n) => passed.extend(held.drain(..n)),
                Step::Skip(n) => drop(held.drain(..n)),
                Step::More => break,
                Step::Refuse(problem) => return (passed, problem.code.to_string()),
                Step::Broken => return (passed, "broken".into()),
            }
        }
    }
    let end = if scanner.is_between() && held.is_empty() { "between" } else { "within" };
    (passed, end.into())
}

#[test]
fn good_messages_pass_whole_in_pieces_of_any_size() {
    let stream: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nPOST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /PUT http://a/ HTTP/1.1\r\n\
        host:a\r\ntransfer-encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nt: v\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    for piece in 1..=stream.len() {
        assert_eq!(run(stream, piece), (stream.to_vec(), "between".to_owned()), "pieces of {piece}");
    }
}

#[test]
fn one_empty_line_before_a_request_is_dropped_and_two_are_refused() {
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    assert_eq!(run(&[b"\r\n", &request[..]].concat(), 1), (request.to_vec(), "between".to_owned()));
    assert_eq!(run(&[b"\r\n\r\n", &request[..]].concat(), 99).1, "E0406");
}

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    let field = |line: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{line}\r\n\r\n");
    let line = |line: &str| format!("{line}\r\nhost: a\r\n\r\n");
    for head in [
        field("content-length: 1\r\ncontent-length: 1"),
        field("content-length: 1\r\ntransfer-encoding: chunked"),
        field("content-length: +1"),
        field("content-length: 1, 1"),
        field("content-length: 9999999999999999999"),
        field("content-length:"),
        field("transfer-encoding: chunked\r\ntransfer-encoding: chunked"),
        field("transfer-encoding: gzip, chunked"),
        field("transfer-encoding: \x0bchunked"),
        field("host: b"),
        field("a : b"),
        field(" a: b"),
        field("a: b\r\n c"),
        field("a: b\0"),
        field("a: b\rc"),
        field("a: b\nc: d"),
        field(": b"),
        field("a"),
        line("GET  / HTTP/1.1"),
        line("GET / HTTP/1.1 "),
        line("GET /"),
        line("GET / HTTP/2.0"),
        line("GET / http/1.1"),
        line("GET /# HTTP/1.1"),
        line("GET a HTTP/1.1"),
        line("GET * HTTP/1.1"),
        line("G@T / HTTP/1.1"),
        line("CONNECT a:80 HTTP/1.1"),
        line("GET /\u{e4} HTTP/1.1"),
        "GET / HTTP/1.1\r\n\r\n".into(),
        "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".into(),
    ] {
        for piece in [1, head.len()] {
            assert_eq!(run(head.as_bytes(), piece), (vec![], "E0406".into()), "{head:?}");
        }
    }
}

#[test]
fn heads_over_a_limit_name_it() {
    let cases = [
        (format!("GET /{} HTTP/1.1\r\n", "a".repeat(100)), "E0408"),
        (format!("GET /{}", "a".repeat(500)), "E0408"),
        (format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "a".repeat(1_000)), "E0404"),
        (format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(6)), "E0404"),
    ];
    for (head, code) in cases {
        assert_eq!(run(head.as_bytes(), 7).1, code, "{head}");
    }
}

#[test]
fn broken_chunks_end_the_connection() {
    let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    for body in [
        "x\r\n",
        "\r\n",
        "1\n",
        "1 \r\n",
        "1;\n\r\n",
        "0x1\r\n",
        "-1\r\n",
        "1\r\nab",
        "1\r\na\n",
        "0\r\n x: y\r\n",
        "0\r\nx\0\r\n",
        "1234567890123456\r\n",
    ] {
        for piece in [1, 999] {
            assert_eq!(run(format!("{head}{body}").as_bytes(), piece).1, "broken", "{body:?}");
        }
    }
}
