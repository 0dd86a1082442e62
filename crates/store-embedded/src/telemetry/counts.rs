//! How many records were written, and how many were not.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since the start.
#[derive(Default)]
pub(super) struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
}

impl Counts {
    pub(super) fn add_written(&self, records: usize) {
        self.written.fetch_add(records as u64, Relaxed);
    }
    pub(super) fn add_dropped(&self, records: usize) {
        self.dropped.fetch_add(records as u64, Relaxed);
    }
    pub(super) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}
