//! Requests and answers: heads, bodies, trailers.

use guest::{Call, Reply, fields};
use serde_json::{Value, json};
use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{ErrorCode, Fields, IncomingBody};

/// Sends each chunk back before it reads the next.
pub fn echo(call: &Call, reply: Reply) {
    let mut body = reply.stream(200, fields(&[("content-type", "application/octet-stream")]));
    call.for_each_chunk(|chunk| {
        body.write(&chunk);
        body.flush();
    });
    body.finish(None);
}

/// What the function is shown of a request, and fields of its own, one of them twice.
pub fn headers(call: &Call, reply: Reply) {
    let seen = json!({
        "method": format!("{:?}", call.request.method()),
        "scheme": call.request.scheme().map(|scheme| format!("{scheme:?}")),
        "authority": call.request.authority(),
        "target": call.request.path_with_query(),
        "headers": list(&call.request.headers()),
    });
    let own = fields(&[("content-type", "application/json"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-guest", "yes")]);
    let mut body = reply.stream(200, own);
    body.write(format!("{seen}\n").as_bytes());
    body.finish(None);
}

pub fn status(call: &Call, reply: Reply) {
    let code = u16::try_from(call.number("code", 200)).expect("a status fits 16 bits");
    reply.text(code, format!("status {code}\n"));
}

/// As many bytes as asked for, with a pattern whose period (251) divides no buffer size.
pub fn big(call: &Call, reply: Reply) {
    let mut left = usize::try_from(call.number("bytes", 1 << 20)).expect("the size fits an address");
    let pattern: Vec<u8> = (0..251 * 256).map(|index| (index % 251) as u8).collect();
    let mut body = reply.stream(200, fields(&[("content-type", "application/octet-stream")]));
    while left > 0 {
        let now = left.min(pattern.len());
        if !body.write(&pattern[..now]) {
            return;
        }
        left -= now;
    }
    body.finish(None);
}

pub fn slow_body(call: &Call, reply: Reply) {
    let (chunks, ms) = (call.number("chunks", 3), call.number("ms", 50));
    let mut body = reply.stream(200, fields(&[("content-type", "text/plain")]));
    for index in 0..chunks {
        if !body.write(format!("chunk {index}\n").as_bytes()) || !body.flush() {
            return;
        }
        monotonic_clock::subscribe_duration(ms * 1_000_000).block();
    }
    body.finish(None);
}

/// Answers with the request's trailers in the body and trailers of its own behind it.
pub fn trailers(call: &Call, reply: Reply) {
    let mut bytes = 0;
    let body = call.for_each_chunk(|chunk| bytes += chunk.len());
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    let trailers = future.get().expect("ready").expect("taken once").expect("the caller sent its trailers whole");
    let seen = json!({ "body_bytes": bytes, "trailers": trailers.as_ref().map(list) });

    let mut body = reply.stream(200, fields(&[("content-type", "application/json"), ("trailer", "x-body-bytes")]));
    body.write(format!("{seen}\n").as_bytes());
    body.finish(Some(fields(&[("x-body-bytes", &bytes.to_string())])));
}

pub fn refuse(reply: Reply) {
    reply.refuse(ErrorCode::InternalError(Some("the function gives up".to_owned())));
}

fn list(fields: &Fields) -> Value {
    let entries = fields.entries();
    entries.iter().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect()
}
