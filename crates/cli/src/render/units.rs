//! Sizes and durations as people read them.

use std::time::Duration;

use types::{ByteCount, Elapsed};

/// `71 KiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    ByteCount(bytes).to_string()
}

/// `1.30 ms`.
pub(crate) fn duration_ns(ns: u64) -> String {
    Elapsed::from_ns(ns).to_string()
}

/// `3.40 s`.
pub(crate) fn duration(duration: Duration) -> String {
    Elapsed::from(duration).to_string()
}
