//! Components in memory: the least recently used are dropped when there are too many.
//!
//! Looking one up is on the path of every request, so it takes one of sixteen read locks and writes one number. A component's time of
//! use is the number of components loaded so far, which is all the order that choosing a victim needs. Components in use live on after they
//! were dropped here, until their last run ends.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use types::Digest;

const SHARDS: usize = 16;

/// At most so many values by digest.
pub(crate) struct Resident<T> {
    shards: [Shard<T>; SHARDS],
    shard_max: usize,
    loads: AtomicU64,
}

type Shard<T> = RwLock<HashMap<Digest, Slot<T>>>;

struct Slot<T> {
    value: Arc<T>,
    used: AtomicU64,
}

impl<T> Resident<T> {
    /// Holds at most `max` values, and at least one a shard.
    pub(crate) fn new(max: usize) -> Self {
        let shard_max = (max / SHARDS).max(1);
        Self { shards: std::array::from_fn(|_| RwLock::default()), shard_max, loads: AtomicU64::new(0) }
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<T>> {
        let shard = self.shard(digest).read();
        let slot = shard.get(digest)?;
        slot.used.store(self.loads.load(Ordering::Relaxed), Ordering::Relaxed);
        Some(slot.value.clone())
    }

    /// Puts a value in; gives what had to go for it, which is dropped by the caller outside of all locks.
    pub(crate) fn insert(&self, digest: Digest, value: Arc<T>) -> Option<Arc<T>> {
        let now = self.loads.fetch_add(1, Ordering::Relaxed) + 1;
        let mut shard = self.shard(&digest).write();
        let replaced = shard.insert(digest, Slot { value, used: AtomicU64::new(now) }).map(|slot| slot.value);
        if shard.len() <= self.shard_max {
            return replaced;
        }
        let used = |slot: &Slot<T>| slot.used.load(Ordering::Relaxed);
        let oldest =
            shard.iter().filter(|(other, _)| **other != digest).min_by_key(|(_, slot)| used(slot)).map(|(other, _)| *other)?;
        shard.remove(&oldest).map(|slot| slot.value)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    fn shard(&self, digest: &Digest) -> &Shard<T> {
        // Digests are uniform: any of their bits will do.
        &self.shards[usize::from(digest.as_bytes()[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        let mut bytes = [0; 32];
        bytes[1] = n;
        Digest::from_bytes(bytes)
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let resident = Resident::new(3 * SHARDS);
        for n in 0..3 {
            assert!(resident.insert(digest(n), Arc::new(n)).is_none());
        }
        assert_eq!(resident.get(&digest(0)).as_deref(), Some(&0));
        assert_eq!(resident.insert(digest(3), Arc::new(3)).as_deref(), Some(&1));
        assert!(resident.get(&digest(1)).is_none() && resident.get(&digest(0)).is_some());
        assert_eq!(resident.len(), 3);
    }

    #[test]
    fn a_value_of_the_same_digest_takes_the_place_of_the_first() {
        let resident = Resident::new(SHARDS);
        resident.insert(digest(0), Arc::new(1));
        assert_eq!(resident.insert(digest(0), Arc::new(2)).as_deref(), Some(&1));
        assert_eq!((resident.len(), resident.get(&digest(0)).as_deref()), (1, Some(&2)));
    }
}
