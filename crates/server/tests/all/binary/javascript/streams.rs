//! Bodies that pass through JavaScript as they come, both ways, whatever their size.

use std::io::Write as _;

use super::super::support::{
    Folder, Node, Request, Response, assert_has, eventually,
    http::{connect, read_all, read_until},
    program, repository,
};

const BIG: usize = 100 << 20;

/// A function that passes bodies on, and one in Rust that makes large ones.
fn node() -> (Folder, Node) {
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n\n[fn.api]\npath = \"streams.ts\"\nroute = \"/{{*rest}}\"\nuses = [\"bucket.files\"]\n\
         reach = [\"http://big.internal\"]\nlimits = {{ time = \"60s\", memory = \"64MiB\" }}\n\n\
         [fn.big]\npath = \"{}\"\nlimits = {{ time = \"60s\" }}\n",
        program("rust-wasip2").display()
    ));
    let code = std::fs::read_to_string(repository().join("tests/programs/javascript/streams.ts")).expect("it lies there");
    folder.write("streams.ts", code);
    let node = Node::up(folder.path());
    (folder, node)
}

#[test]
fn a_hundred_megabytes_pass_through_in_constant_memory() {
    let (_folder, node) = node();
    for path in ["/pass", "/pass-body", "/count"] {
        // The journals of both functions may hold 16 MiB each until they are full.
        node.expect_growth_below(48 << 10, || {
            let (received, most) = node.pass(&format!("{path}?bytes={BIG}"));
            assert!(received >= BIG, "{path}: {received} bytes of {BIG} came");
            most
        });
    }
    let logged = node.cli(&["logs", "--text", "counted", "--json"]).expect_done().stdout;
    assert_has(&logged, &format!("counted {BIG}"));
    assert_eq!(node.get(&format!("/read?bytes={BIG}")).expect(200).text(), format!("{BIG}\n"));
    // The control: what does not stream does not fit.
    node.get(&format!("/hold?bytes={BIG}")).expect_refusal(502, "E0503");
    assert_eq!(node.get("/hold?bytes=1000000").expect(200).text(), "1000000\n");
}

#[test]
fn what_is_packed_comes_out_as_it_was() {
    let (_folder, node) = node();
    assert_eq!(node.get(&format!("/gzip?bytes={}", 3 << 20)).expect(200).text(), format!("{}\n", 3 << 20));
}

#[test]
fn each_chunk_is_answered_before_the_next_is_sent() {
    let (_folder, node) = node();
    for (path, answers) in [("/echo", ["first", "second", "third"]), ("/shout", ["FIRST", "SECOND", "THIRD"])] {
        let mut stream = connect(node.gateway);
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it is sent");
        for (word, answer) in ["first", "second", "third"].iter().zip(answers) {
            write!(stream, "{:x}\r\n{word}\r\n", word.len()).expect("it is sent");
            read_until(&mut stream, answer);
        }
        stream.write_all(b"0\r\n\r\n").expect("it is sent");
        assert!(read_all(&mut stream).ends_with(b"0\r\n\r\n"), "the answer ends with its last chunk");
    }
}

#[test]
fn events_are_sent_as_they_are_made() {
    let (_folder, node) = node();
    // Once is enough: where the machine has other work, we may come late to what was sent one by one.
    let apart = (0..20).any(|_| {
        let mut stream = connect(node.gateway);
        stream.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("it is sent");
        let first = read_until(&mut stream, "data: one");
        let rest = String::from_utf8_lossy(&read_all(&mut stream)).into_owned();
        assert_has(&(first.clone() + &rest), "data: three");
        !first.contains("three")
    });
    assert!(apart, "all of it comes at once");
}

#[test]
fn a_form_with_files_is_taken_apart_and_its_files_are_stored() {
    let (_folder, node) = node();
    let file: Vec<u8> = (0..5 << 20).map(|n| (n % 251) as u8).collect();
    let mut body = b"--edge\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nH\xc3\xa4user\r\n--edge\r\n\
        content-disposition: form-data; name=\"photo\"; filename=\"a b.bin\"\r\ncontent-type: image/x-test\r\n\r\n"
        .to_vec();
    body.extend(&file);
    body.extend(b"\r\n--edge--\r\n");
    let request = Request::post("/form", body).header("content-type", "multipart/form-data; boundary=edge");
    let told = node.send(&request).expect(200).json();
    assert_eq!(told, serde_json::json!([["title", "Häuser"], ["photo", "a b.bin", "image/x-test", file.len()]]));
    let stored = node.get("/stored?key=a%20b.bin").expect(200);
    assert!(stored.body == file, "{} bytes came back, not those that went", stored.body.len());
    // A form that breaks off is no form.
    let request = Request::post("/form", "--edge\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nhalf");
    let refused = node.send(&request.header("content-type", "multipart/form-data; boundary=edge"));
    refused.expect_refusal(502, "E0519");
}

#[test]
fn a_client_that_leaves_ends_its_script() {
    let (_folder, node) = node();
    let mut stream = connect(node.gateway);
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
    read_until(&mut stream, "data: one");
    drop(stream);
    let record = eventually("the record", || Some(node.request("/events")));
    assert_eq!(record["failure"]["code"], "E0511", "{record}");
    let answer = Response::parse(
        &super::super::support::http::raw(node.gateway, b"GET /events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
        "GET",
    );
    assert!(answer.is_some_and(|answer| answer.whole), "the next one is served");
}
