//! When something that failed is tried again, and which deliveries were nobody's failure.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use ports::Rng;
use types::{
    limits,
    queue::{MessageId, Receipt},
};

/// A message may be delivered so much more often than it may fail: its node may die under it, and its lease may be lost. Past this it is
/// taken for one that kills what delivers it.
pub(crate) const UNFINISHED_MAX: u32 = 50;
/// Messages whose excused deliveries are remembered by one lane.
const EXCUSED_MAX: usize = 10_000;

/// A random span up to the longest: so that what failed together does not come back together.
pub(crate) fn jitter(rng: &dyn Rng, longest: Duration) -> Duration {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    let ns = (u128::from(u64::from_le_bytes(bytes)) * longest.as_nanos()) >> 64;
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// The pause after a failed delivery with this number, from 1: a random part of a span that doubles each time ("full jitter", see
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
pub(crate) fn pause(rng: &dyn Rng, attempt: u32) -> Duration {
    let doubled = limits::RETRY_BASE.saturating_mul(1 << attempt.saturating_sub(1).min(30));
    jitter(rng, doubled.min(limits::RETRY_PAUSE_MAX))
}

/// Deliveries that ended without being the function's failure, such as those that a group's first message held up. In memory only: after
/// a restart they count.
#[derive(Debug, Default)]
pub(crate) struct Excuses(BTreeMap<MessageId, u32>);

impl Excuses {
    /// The number of the delivery among those that count.
    pub(crate) fn attempt(&self, receipt: &Receipt) -> u32 {
        receipt.attempt.saturating_sub(self.0.get(&receipt.id).copied().unwrap_or(0)).max(1)
    }
    /// One delivery of the message does not count.
    pub(crate) fn excuse(&mut self, id: MessageId) {
        let full = self.0.len() >= EXCUSED_MAX;
        match self.0.entry(id) {
            Entry::Occupied(mut known) => *known.get_mut() += 1,
            Entry::Vacant(_) if full => {}
            Entry::Vacant(new) => drop(new.insert(1)),
        }
    }
    /// The message is gone.
    pub(crate) fn forget(&mut self, id: MessageId) {
        self.0.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chance that always falls the same way.
    struct Always(u8);
    impl Rng for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_may_be_nothing() {
        let highest: Vec<u64> =
            (1..=12).map(|attempt| pause(&Always(0xff), attempt).as_millis().try_into().expect("ms")).collect();
        assert_eq!(highest[..4], [499, 999, 1_999, 3_999]);
        assert_eq!(highest[11], 299_999);
        assert_eq!(pause(&Always(0), 5), Duration::ZERO);
        assert_eq!(pause(&Always(0x80), u32::MAX).as_secs(), 150);
    }

    #[test]
    fn excused_deliveries_do_not_count() {
        let mut excuses = Excuses::default();
        let receipt = Receipt { id: MessageId(1), attempt: 3 };
        excuses.excuse(receipt.id);
        excuses.excuse(receipt.id);
        assert_eq!(excuses.attempt(&receipt), 1);
        excuses.forget(receipt.id);
        assert_eq!(excuses.attempt(&receipt), 3);
    }
}
