//! A clock that stands still until a test moves it.

use std::time::Duration;

use parking_lot::Mutex;
use ports::{BoxFuture, Clock};
use tokio::sync::watch;
use types::{Elapsed, Timestamp};

/// 2026-01-01T00:00:00Z, where every test clock begins.
const START_MS: u64 = 1_767_225_600_000;

/// A clock whose wall and monotonic time are set by the test. Sleepers wake when it reaches their time.
#[derive(Debug)]
pub struct TestClock {
    wall: Mutex<Timestamp>,
    monotonic_ns: watch::Sender<u64>,
}

impl TestClock {
    /// A clock at the beginning of 2026 with no monotonic time passed.
    #[must_use]
    pub fn new() -> Self {
        Self { wall: Mutex::new(Timestamp::from_unix_ms(START_MS)), monotonic_ns: watch::Sender::new(0) }
    }

    /// Time passes, on both clocks.
    pub fn advance(&self, time: Duration) {
        let time = Elapsed::from(time);
        {
            let mut wall = self.wall.lock();
            *wall = wall.plus(time);
        }
        self.monotonic_ns.send_modify(|now| *now = now.saturating_add(time.ns()));
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set_wall(&self, now: Timestamp) {
        *self.wall.lock() = now;
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.wall.lock()
    }

    fn monotonic_ns(&self) -> u64 {
        *self.monotonic_ns.borrow()
    }

    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        let mut now = self.monotonic_ns.subscribe();
        Box::pin(async move {
            if now.wait_for(|now| *now >= monotonic_ns).await.is_err() {
                // The clock is gone, so its time never comes.
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_at_their_time_and_not_before() {
        let clock = Arc::new(TestClock::new());
        let mut sleeper = tokio::spawn(clock.sleep_until(1_000));
        clock.advance(Duration::from_nanos(999));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut sleeper).await.is_err(), "it woke early");
        clock.advance(Duration::from_nanos(1));
        sleeper.await.expect("it wakes");
        assert_eq!(clock.now(), Timestamp::from_unix_ns(START_MS * 1_000_000 + 1_000));
    }
}
