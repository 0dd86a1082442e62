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

pub fn recurse(reply: Reply) {
    reply.text(200, format!("reached the ground at {}\n", descend(0)));
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if black_box(depth) == u64::MAX { frame[0] } else { descend(depth + 1) + black_box(frame[1]) }
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
