//! The machine's clock, which waiting for a timer sets forward: tests of timers take no time.

#![allow(clippy::disallowed_methods, reason = "this is where tests of the engine get their time")]

use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static START: Instant = Instant::now();
    static SKIPPED_NS: Cell<u64> = const { Cell::new(0) };
}

/// Nanoseconds since some moment of this thread.
pub(crate) fn monotonic_ns() -> u64 {
    let passed_ns = START.with(|start| u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    passed_ns.saturating_add(SKIPPED_NS.get())
}

/// Sets the clock forward, unless that time has passed.
pub(super) fn skip_to(deadline_ns: u64) {
    let missing_ns = deadline_ns.saturating_sub(monotonic_ns());
    SKIPPED_NS.set(SKIPPED_NS.get().saturating_add(missing_ns));
}
