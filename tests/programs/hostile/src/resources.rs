//! Memory and handles, more than anyone needs.

use core::arch::wasm32::{memory_grow, memory_size};
use guest::{Call, Reply};
use serde_json::json;
use std::hint::black_box;
use wasip2::clocks::monotonic_clock;
use wasip2::http::types::Fields;
use wasip2::random::random;

const PAGE_BYTES: usize = 64 * 1024;

/// Grows until the host says no, then goes on living and tells.
pub fn grow(reply: Reply) {
    let before = memory_size::<0>();
    let mut denials = 0;
    for pages in [256, 16, 1] {
        while memory_grow::<0>(pages) != usize::MAX {}
        denials += 1;
    }
    let after = memory_size::<0>();
    reply.json(200, &json!({ "bytes_before": before * PAGE_BYTES, "bytes_after": after * PAGE_BYTES, "denials": denials }));
}

/// Allocates, and touches, until allocation fails. Rust's answer to that is to abort.
pub fn grow_trap() {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Fills the same memory again and again in one instruction each, which no epoch interrupts midway.
pub fn memfill(mib: u64) {
    let mut memory = vec![0_u8; usize::try_from(mib).expect("the size fits an address") << 20];
    let mut value: u8 = 0;
    loop {
        value = value.wrapping_add(1);
        black_box(memory.as_mut_slice()).fill(black_box(value));
    }
}

/// Opens handles and keeps them all.
pub fn handles(call: &Call, reply: Reply) {
    let held: Vec<Fields> = (0..call.number("n", 10_000)).map(|_| Fields::new()).collect();
    reply.json(200, &json!({ "held": black_box(&held).len() }));
}

/// The same with timers, each of which may cost the host a task.
pub fn pollables(call: &Call, reply: Reply) {
    let held: Vec<_> = (0..call.number("n", 10_000)).map(|_| monotonic_clock::subscribe_duration(u64::MAX / 2)).collect();
    reply.json(200, &json!({ "held": black_box(&held).len() }));
}

/// Asks for as many random bytes as a 64-bit number can say, in one call.
pub fn random_huge(call: &Call, reply: Reply) {
    let bytes = random::get_random_bytes(call.number("n", u64::MAX));
    reply.json(200, &json!({ "bytes": bytes.len() }));
}
