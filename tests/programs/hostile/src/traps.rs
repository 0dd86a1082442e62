//! Code that never ends, and code that ends badly.

use guest::Reply;
use std::hint::black_box;
use wasip2::clocks::monotonic_clock;
use wasip2::io::poll;

pub fn spin() {
    let mut turns: u64 = 0;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Waits for a moment of the monotonic clock. The last one it can name never comes.
pub fn wait_until(instant: u64) {
    monotonic_clock::subscribe_instant(instant).block();
}

pub fn sleep_years(years: u64) {
    const NS_PER_YEAR: u64 = 31_557_600_000_000_000;
    monotonic_clock::subscribe_duration(years.saturating_mul(NS_PER_YEAR)).block();
}

/// Uses up the stack of calls, which the host keeps.
pub fn recurse(reply: Reply) {
    reply.text(200, format!("reached the ground at {}\n", descend(0)));
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == u64::MAX { depth } else { descend(black_box(depth) + 1).rotate_left(1) ^ depth }
}

/// Uses up the stack of values, which the guest keeps at the low end of its own memory: below it there is none.
pub fn recurse_memory(reply: Reply) {
    reply.text(200, format!("reached the ground at {}\n", descend_with_baggage(0)));
}

#[inline(never)]
fn descend_with_baggage(depth: u64) -> u64 {
    let baggage = black_box([depth; 512]);
    if depth == u64::MAX { baggage[0] } else { descend_with_baggage(depth + 1) + black_box(baggage[1]) }
}

/// A message that would clear a careless terminal, ring its bell, set its title and forge a line of its log.
pub fn ansi_panic() {
    panic!("\x1b[2J\x1b[1;1H\x1b]0;owned\x07\x1b[32mall is well\x1b[0m\r\n12:00:00 api GET / 200\u{202e}\u{0}");
}

pub fn abort() {
    core::arch::wasm32::unreachable();
}

pub fn exit(code: u64) {
    std::process::exit(i32::try_from(code).expect("an exit code fits 32 bits"));
}

/// The standard says that polling an empty list traps.
pub fn poll_nothing() {
    poll::poll(&[]);
}
