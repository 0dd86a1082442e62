//! `wasi:io/poll`.

use super::bindings::wasi::{clocks::monotonic_clock, io::poll};

/// Something to wait for.
#[derive(Debug)]
pub(crate) struct Pollable(poll::Pollable);

impl Pollable {
    /// Ready at this time of the monotonic clock.
    pub(crate) fn at(deadline_ns: u64) -> Self {
        Self(monotonic_clock::subscribe_instant(deadline_ns))
    }
}

impl From<poll::Pollable> for Pollable {
    fn from(pollable: poll::Pollable) -> Self {
        Self(pollable)
    }
}

/// Waits, and gives the indexes of those that are ready.
pub(crate) fn poll(pollables: &[&Pollable]) -> Vec<usize> {
    let pollables: Vec<&poll::Pollable> = pollables.iter().map(|pollable| &pollable.0).collect();
    poll::poll(&pollables).into_iter().map(|index| index as usize).collect()
}
