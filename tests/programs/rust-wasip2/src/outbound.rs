//! Calls to other hosts.

use guest::{Call, Reply, fields, read_all, send, wait};
use serde_json::json;
use wasip2::http::types::{ErrorCode, FutureIncomingResponse};
use wasip2::io::poll;

/// Passes the answer of `?url=` on, chunk by chunk.
pub fn fetch(call: &Call, reply: Reply) {
    match send(call.required("url")).and_then(|future| wait(&future)) {
        Ok(answer) => {
            let mut body = reply.stream(200, fields(&[("x-upstream-status", &answer.status().to_string())]));
            read_all(&answer, |chunk| {
                body.write(&chunk);
                body.flush();
            });
            body.finish(None);
        }
        Err(error) => failed(reply, &error),
    }
}

/// Has two requests under way at once and says which was answered first.
pub fn fetch_two(call: &Call, reply: Reply) {
    let names = ["a", "b"];
    let futures: Result<Vec<FutureIncomingResponse>, ErrorCode> = names.iter().map(|name| send(call.required(name))).collect();
    let futures = match futures {
        Ok(futures) => futures,
        Err(error) => return failed(reply, &error),
    };
    let pollables: Vec<_> = futures.iter().map(FutureIncomingResponse::subscribe).collect();
    let mut waiting = vec![0, 1];
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = poll::poll(&waiting.iter().map(|&index: &usize| &pollables[index]).collect::<Vec<_>>());
        order.extend(ready.iter().map(|&position| waiting[position as usize]));
        waiting.retain(|index| !order.contains(index));
    }
    drop(pollables);
    let answers: Vec<_> = order.iter().map(|&index| (names[index], outcome(&futures[index]))).collect();
    reply.json(200, &json!({ "first": answers[0].0, "answers": answers }));
}

pub fn failed(reply: Reply, error: &ErrorCode) {
    reply.text(502, format!("{error:?}\n"));
}

fn outcome(future: &FutureIncomingResponse) -> String {
    match wait(future) {
        Ok(answer) => answer.status().to_string(),
        Err(error) => format!("{error:?}"),
    }
}
