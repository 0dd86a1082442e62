//! How long something took, for showing it to a person: the one place of this crate that reads the machine's clock for that.

use std::time::{Duration, Instant};

/// Runs from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a command shows how long it took; nothing depends on it")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[expect(clippy::disallowed_methods, reason = "a command shows how long it took; nothing depends on it")]
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
