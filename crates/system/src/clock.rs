//! The machine's clocks.

use std::time::{Duration, Instant, SystemTime};

use ports::{BoxFuture, Clock};
use types::Timestamp;

/// The machine's clocks: the wall clock as it is set, and monotonic time since this value was made.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the clock that the rule points to")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock that the rule points to")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ns(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock that the rule points to")]
    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        // A deadline that the machine's clock can't name is one that nobody lives to see.
        match self.start.checked_add(Duration::from_nanos(monotonic_ns)) {
            Some(deadline) => Box::pin(tokio::time::sleep_until(deadline.into())),
            None => Box::pin(std::future::pending()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn never_wakes_early_and_never_goes_back() {
        let clock = SystemClock::new();
        for wait_ns in [0, 1, 700_000, 3_000_000] {
            let deadline = clock.monotonic_ns() + wait_ns;
            clock.sleep_until(deadline).await;
            assert!(clock.monotonic_ns() >= deadline);
        }
    }

    #[test]
    fn tells_a_time_of_this_century() {
        let (year_2025_ms, year_2100_ms) = (1_735_689_600_000, 4_102_444_800_000);
        assert!((year_2025_ms..year_2100_ms).contains(&SystemClock::new().now().unix_ms()));
    }
}
