//! The world of one invocation: `ports::Scope`, live and in replay.
//!
//! Every service a guest reaches is wrapped the same way, outside in: **recorded** (notes the call and its answer: that is the span, the
//! count and the replayable record in one), then **granted** (refuses what the manifest does not name), then the service itself. In a
//! replay the one wrapper **replayed** stands in place of all three. Where a function's effects are atomic, **held** stands before the service.

mod bucket;
mod bus;
mod counted;
pub(crate) mod granted;
pub(crate) mod held;
mod internal;
pub(crate) mod live;
mod queue;
pub(crate) mod random;
pub(crate) mod recorded;
pub(crate) mod replayed;
mod secret;
mod service;
mod sql;
mod stream;

use std::time::Duration;

use types::Elapsed;

pub(crate) use live::LiveScope;

/// A guest that can say where it is gets this much of its time limit to do so, and not more than [`LAST_WORDS_MAX`].
const LAST_WORDS_PERCENT: u64 = 1;
const LAST_WORDS_MAX: Duration = Duration::from_millis(20);

/// When a guest that began at `began_ns` is overdue: slightly before it is stopped.
pub(crate) fn overdue_ns(began_ns: u64, limit: Duration) -> u64 {
    let limit_ns = Elapsed::from(limit).ns();
    let last_words = (limit_ns / 100).saturating_mul(LAST_WORDS_PERCENT).min(Elapsed::from(LAST_WORDS_MAX).ns());
    began_ns.saturating_add(limit_ns.saturating_sub(last_words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_overdue_slightly_before_its_time_is_up() {
        let ms = 1_000_000;
        assert_eq!(overdue_ns(7, Duration::from_secs(1)), 7 + 990 * ms);
        assert_eq!(overdue_ns(0, Duration::from_secs(60)), (60_000 - 20) * ms);
        assert_eq!(overdue_ns(u64::MAX, Duration::from_nanos(1)), u64::MAX);
    }
}
