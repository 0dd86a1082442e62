//! Answers that break the rules of HTTP or of the interface.

use crate::traps;
use guest::{Call, Reply, fields};
use serde_json::json;
use wasip2::http::types::{Fields, OutgoingResponse, ResponseOutparam};

pub fn none(reply: Reply) {
    drop(reply);
}

/// Answers, and answers again with the handle that the first answer used up.
pub fn twice(reply: Reply) {
    let handle = reply.0.take_handle();
    for _ in 0..2 {
        // SAFETY: the handle is ours the first time. The second time it is not, which is what the test is about: the host must notice.
        let outparam = unsafe { ResponseOutparam::from_handle(handle) };
        ResponseOutparam::set(outparam, Ok(OutgoingResponse::new(Fields::new())));
    }
}

/// Writes half a body and leaves without finishing it.
pub fn unfinished(reply: Reply) {
    let mut body = reply.stream(200, fields(&[("content-type", "text/plain")]));
    body.write(b"half of ");
    body.flush();
}

/// Promises a length and writes ten bytes.
pub fn wrong_length(reply: Reply, promised: &str) {
    let mut body = reply.stream(200, fields(&[("content-length", promised)]));
    body.write(b"ten bytes\n");
    body.finish(None);
}

pub fn spin_after(reply: Reply) {
    reply.text(200, "answered\n");
    traps::spin();
}

pub fn trap_after_head(reply: Reply) {
    let mut body = reply.stream(200, fields(&[("content-type", "text/plain")]));
    body.write(b"so far so good\n");
    body.flush();
    traps::abort();
}

pub fn headers_many(call: &Call, reply: Reply) {
    let headers = Fields::new();
    let wanted = call.number("n", 100_000);
    let taken = (0..wanted).take_while(|index| headers.append(&format!("x-many-{index}"), b"value").is_ok()).count();
    let mut body = reply.stream(200, headers);
    body.write(format!("{}\n", json!({ "wanted": wanted, "taken": taken })).as_bytes());
    body.finish(None);
}

pub fn header_huge(call: &Call, reply: Reply) {
    let bytes = usize::try_from(call.number("bytes", 1 << 20)).expect("the size fits an address");
    let headers = Fields::new();
    match headers.append("x-huge", &vec![b'x'; bytes]) {
        Ok(()) => reply.stream(200, headers).finish(None),
        Err(error) => reply.text(500, format!("{error:?}\n")),
    }
}

/// Writes until the caller goes away, or the host has had enough.
pub fn endless(reply: Reply) {
    let mut body = reply.stream(200, fields(&[("content-type", "text/plain")]));
    while body.write(&[b'x'; 4096]) {}
}
