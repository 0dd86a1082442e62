//! Waiting: everything but a time is ready at once.

use super::clock;

/// Something to wait for: a time, or what is ready anyway.
#[derive(Debug)]
pub(crate) struct Pollable(u64);

impl Pollable {
    /// Ready at this time of the monotonic clock.
    pub(crate) fn at(deadline_ns: u64) -> Self {
        Self(deadline_ns)
    }

    /// Ready now. With it a fake can make a native wait for a turn of the loop.
    pub(crate) fn now() -> Self {
        Self(0)
    }
}

/// The indexes of those that are ready; the clock is set forward to the earliest if none is.
pub(crate) fn poll(pollables: &[&Pollable]) -> Vec<usize> {
    if let Some(earliest_ns) = pollables.iter().map(|pollable| pollable.0).min() {
        clock::skip_to(earliest_ns);
    }
    let now_ns = clock::monotonic_ns();
    (0..pollables.len()).filter(|index| pollables[*index].0 <= now_ns).collect()
}
