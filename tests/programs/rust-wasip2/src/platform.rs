//! What the platform supplies: environment, settings, clocks, chance, logs. And a trap.

use crate::bindings::{config, logging::logging};
use guest::{Call, Reply};
use serde_json::{Value, json};
use std::hint::black_box;
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::random::{insecure, insecure_seed, random as secure};

const NS_PER_MS: u64 = 1_000_000;

pub fn env(reply: Reply) {
    let vars: serde_json::Map<String, Value> = std::env::vars().map(|(name, value)| (name, value.into())).collect();
    let args: Vec<String> = std::env::args().collect();
    reply.json(200, &json!({ "vars": vars, "args": args }));
}

/// One setting with `?key=`, all of them without.
pub fn config(call: &Call, reply: Reply) {
    let answer = match call.text("key") {
        Some(key) => config::store::get(key).map(|value| json!(value)),
        None => config::store::get_all().map(|mut pairs| {
            pairs.sort();
            json!(pairs)
        }),
    };
    match answer {
        Ok(value) => reply.json(200, &value),
        Err(error) => reply.text(500, format!("{error:?}\n")),
    }
}

pub fn clock(reply: Reply) {
    let wall = wall_clock::now();
    let resolution = wall_clock::resolution();
    reply.json(
        200,
        &json!({
            "wall_s": wall.seconds,
            "wall_ns": wall.nanoseconds,
            "wall_resolution_ns": resolution.nanoseconds,
            "monotonic_ns": monotonic_clock::now(),
            "monotonic_resolution_ns": monotonic_clock::resolution(),
        }),
    );
}

pub fn random(call: &Call, reply: Reply) {
    let count = call.number("n", 16);
    reply.json(
        200,
        &json!({
            "bytes": hex(&secure::get_random_bytes(count)),
            "u64": secure::get_random_u64().to_string(),
            "insecure": hex(&insecure::get_insecure_random_bytes(count)),
            "seed": format!("{:?}", insecure_seed::insecure_seed()),
        }),
    );
}

pub fn sleep(call: &Call, reply: Reply) {
    let start = monotonic_clock::now();
    monotonic_clock::subscribe_duration(call.number("ms", 10) * NS_PER_MS).block();
    reply.json(200, &json!({ "slept_us": (monotonic_clock::now() - start) / 1000 }));
}

/// Waits for timers of one millisecond, one after the other, and says how long the slowest took. Neighbours must not stretch it.
pub fn timer(call: &Call, reply: Reply) {
    let timers = call.number("n", 20);
    let waits = (0..timers).map(|_| {
        let start = monotonic_clock::now();
        monotonic_clock::subscribe_duration(NS_PER_MS).block();
        (monotonic_clock::now() - start) / 1000
    });
    reply.json(200, &json!({ "timers": timers, "slowest_us": waits.max() }));
}

/// Writes to every place a function can log to. `?text=` is what it writes.
pub fn log(call: &Call, reply: Reply) {
    let text = call.text("text").unwrap_or("a line");
    println!("stdout: {text}");
    eprintln!("stderr: {text}");
    // A line in two writes, and a last one without its end.
    print!("stdout: in two ");
    println!("parts");
    print!("stdout: unfinished");
    for (level, name) in [
        (logging::Level::Trace, "trace"),
        (logging::Level::Debug, "debug"),
        (logging::Level::Info, "info"),
        (logging::Level::Warn, "warn"),
        (logging::Level::Error, "error"),
        (logging::Level::Critical, "critical"),
    ] {
        logging::log(level, "test", &format!("{name}: {text}"));
    }
    reply.text(200, "logged\n");
}

/// Panics three named functions deep. Tests look for the names and for this file's lines in the backtrace.
pub fn trap(call: &Call) {
    let depth = outer_of_trap(call.number("depth", 3));
    println!("came back from {depth}");
}

#[inline(never)]
fn outer_of_trap(depth: u64) -> u64 {
    black_box(middle_of_trap(black_box(depth)) + 1)
}

#[inline(never)]
fn middle_of_trap(depth: u64) -> u64 {
    black_box(inner_of_trap(black_box(depth)) + 1)
}

#[inline(never)]
fn inner_of_trap(depth: u64) -> u64 {
    assert!(black_box(depth) == u64::MAX, "the bottom is at {depth}");
    depth
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
