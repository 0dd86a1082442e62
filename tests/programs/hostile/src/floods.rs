//! Host calls without measure.

use crate::bindings::{keyvalue::store, logging::logging};
use guest::{Call, Reply, send, wait};
use serde_json::json;

/// Logs `?lines=` lines, or for ever, by turns to each place there is.
pub fn log(call: &Call, reply: Reply) {
    let text = "x".repeat(usize::try_from(call.number("bytes", 200)).expect("the size fits an address"));
    let lines = call.number("lines", u64::MAX);
    for line in 0..lines {
        match line % 3 {
            0 => println!("{line} {text}"),
            1 => eprintln!("{line} {text}"),
            _ => logging::log(logging::Level::Info, "flood", &format!("{line} {text}")),
        }
    }
    reply.json(200, &json!({ "lines": lines }));
}

/// One line of `?bytes=`, without an end.
pub fn log_line(call: &Call, reply: Reply) {
    let bytes = usize::try_from(call.number("bytes", 16 << 20)).expect("the size fits an address");
    print!("{}", "x".repeat(bytes));
    logging::log(logging::Level::Info, &"c".repeat(bytes), &"x".repeat(bytes));
    reply.json(200, &json!({ "bytes": bytes }));
}

/// Writes `?n=` keys, or for ever.
pub fn kv(call: &Call, reply: Reply) {
    let bucket = store::open("things").expect("the bucket is granted");
    let wanted = call.number("n", u64::MAX);
    for index in 0..wanted {
        if let Err(error) = bucket.set(&format!("key-{index}"), &index.to_le_bytes()) {
            return reply.text(500, format!("after {index} keys: {error:?}\n"));
        }
    }
    reply.json(200, &json!({ "keys": wanted }));
}

/// A key and a value that are too large, each `?bytes=`.
pub fn kv_huge(call: &Call, reply: Reply) {
    let bytes = usize::try_from(call.number("bytes", 8 << 20)).expect("the size fits an address");
    let bucket = store::open("things").expect("the bucket is granted");
    let key = bucket.set(&"k".repeat(bytes), b"v");
    let value = bucket.set("k", &vec![b'v'; bytes]);
    reply.json(200, &json!({ "key": format!("{key:?}"), "value": format!("{value:?}") }));
}

/// Calls `?url=` `?n=` times, or for ever.
pub fn fetch(call: &Call, reply: Reply) {
    let url = call.required("url");
    let wanted = call.number("n", u64::MAX);
    for index in 0..wanted {
        if let Err(error) = send(url).and_then(|future| wait(&future)) {
            return reply.text(502, format!("after {index} calls: {error:?}\n"));
        }
    }
    reply.json(200, &json!({ "calls": wanted }));
}

/// Tries the address where cloud machines keep their credentials, and other spellings of addresses no function may reach.
pub fn fetch_metadata(reply: Reply) {
    let urls = [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://127.0.0.1:4001/",
        "http://localhost:4001/",
        "http://[::1]:4001/",
        "http://0.0.0.0:4001/",
        "http://10.0.0.1/",
        "http://metadata.google.internal/",
    ];
    let outcomes = urls.map(|url| match send(url).and_then(|future| wait(&future)) {
        Ok(answer) => json!([url, answer.status()]),
        Err(error) => json!([url, format!("{error:?}")]),
    });
    reply.json(200, &json!(outcomes));
}
