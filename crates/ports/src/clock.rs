//! Time.

use types::Timestamp;

use crate::BoxFuture;

/// The only source of time. `Instant::now` is banned elsewhere.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Nanoseconds since some start; never goes back.
    fn monotonic_ns(&self) -> u64;
    /// Ends once `monotonic_ns` is at or past the given value; never early.
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()>;
}
