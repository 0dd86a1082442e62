//! A request that uses everything a replay must reproduce, and then fails, so that it is recorded.

use crate::bindings::{config, keyvalue::atomics};
use crate::{kv, platform};
use guest::{Call, Reply, read_all, send, wait};
use serde_json::{Value, json};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::random::random;

pub fn fail_after_work(call: &Call, reply: Reply) {
    let wall = wall_clock::now();
    let start = monotonic_clock::now();
    println!("working on {}", call.path);
    let work = json!({
        "wall": format!("{}.{:09}", wall.seconds, wall.nanoseconds),
        "random": platform::hex(&random::get_random_bytes(16)),
        "config": format!("{:?}", config::store::get("greeting")),
        "kv": remember(call),
        "fetched": call.text("url").map(fetch),
        "body_bytes": call.body().len(),
        "slept_ns": sleep(start),
    });
    eprintln!("giving up");
    reply.json(500, &work);
}

/// Counts, and leaves the count behind under a second key.
fn remember(call: &Call) -> Value {
    let counted = kv::open(call).and_then(|bucket| {
        let count = atomics::increment(&bucket, "failures", 1)?;
        bucket.set("last", format!("failure {count}").as_bytes())?;
        Ok((count, bucket.get("last")?.map(|value| platform::hex(&value))))
    });
    json!(format!("{counted:?}"))
}

fn fetch(url: &str) -> Value {
    match send(url).and_then(|future| wait(&future)) {
        Ok(answer) => {
            let mut body = Vec::new();
            read_all(&answer, |chunk| body.extend(chunk));
            json!({ "status": answer.status(), "body": String::from_utf8_lossy(&body) })
        }
        Err(error) => json!(format!("{error:?}")),
    }
}

fn sleep(start: u64) -> String {
    monotonic_clock::subscribe_duration(1_000_000).block();
    (monotonic_clock::now() - start).to_string()
}
