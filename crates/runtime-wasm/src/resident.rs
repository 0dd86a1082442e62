//! Components in memory: the least recently used are dropped when there are too many, or when their images take too many bytes.
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
use types::{ByteCount, Digest};

const SHARDS: usize = 16;

/// At most so many values by digest, which take at most so many bytes.
pub(crate) struct Resident<T> {
    shards: [Shard<T>; SHARDS],
    shard_max: usize,
    bytes_max: u64,
    bytes: AtomicU64,
    loads: AtomicU64,
}

type Shard<T> = RwLock<HashMap<Digest, Slot<T>>>;

struct Slot<T> {
    value: Arc<T>,
    used: AtomicU64,
    bytes: u64,
}

impl<T> Resident<T> {
    /// Holds at most `max` values, and at least one a shard; of those that take memory, at most `bytes_max` of it, or one.
    pub(crate) fn new(max: usize, bytes_max: ByteCount) -> Self {
        let shard_max = (max / SHARDS).max(1);
        let (bytes, loads) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { shards: std::array::from_fn(|_| RwLock::default()), shard_max, bytes_max: bytes_max.0, bytes, loads }
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<T>> {
        let shard = self.shard(digest).read();
        let slot = shard.get(digest)?;
        slot.used.store(self.loads.load(Ordering::Relaxed), Ordering::Relaxed);
        Some(slot.value.clone())
    }

    /// Puts a value in that takes so many bytes; gives what had to go for it, which is dropped by the caller outside of all locks.
    pub(crate) fn insert(&self, digest: Digest, value: Arc<T>, bytes: u64) -> Vec<Arc<T>> {
        let now = self.loads.fetch_add(1, Ordering::Relaxed) + 1;
        let mut gone = Vec::new();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        {
            let mut shard = self.shard(&digest).write();
            let replaced = shard.insert(digest, Slot { value, used: AtomicU64::new(now), bytes });
            gone.extend(replaced.map(|slot| self.taken(slot)));
            let oldest = (shard.len() > self.shard_max).then(|| oldest(&shard, &digest, |_| true)).flatten();
            gone.extend(oldest.and_then(|(oldest, _)| shard.remove(&oldest)).map(|slot| self.taken(slot)));
        }
        // One look at all shards for each that goes, which takes far less than loading what comes.
        while self.bytes.load(Ordering::Relaxed) > self.bytes_max {
            let oldest = self.shards.iter().filter_map(|shard| oldest(&shard.read(), &digest, |slot| slot.bytes > 0));
            let Some((victim, _)) = oldest.min_by_key(|(_, used)| *used) else { break };
            gone.extend(self.shard(&victim).write().remove(&victim).map(|slot| self.taken(slot)));
        }
        gone
    }

    /// What was in a slot that is no longer there.
    fn taken(&self, slot: Slot<T>) -> Arc<T> {
        self.bytes.fetch_sub(slot.bytes, Ordering::Relaxed);
        slot.value
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

/// Of those that may go, the one that was used the longest time ago, and when; never the one that was put in just now.
fn oldest<T>(shard: &HashMap<Digest, Slot<T>>, new: &Digest, may_go: impl Fn(&Slot<T>) -> bool) -> Option<(Digest, u64)> {
    let others = shard.iter().filter(|(digest, slot)| *digest != new && may_go(slot));
    others.map(|(digest, slot)| (*digest, slot.used.load(Ordering::Relaxed))).min_by_key(|(_, used)| *used)
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
        let resident = Resident::new(3 * SHARDS, ByteCount(0));
        for n in 0..3 {
            assert!(resident.insert(digest(n), Arc::new(n), 0).is_empty());
        }
        assert_eq!(resident.get(&digest(0)).as_deref(), Some(&0));
        assert_eq!(resident.insert(digest(3), Arc::new(3), 0), [Arc::new(1)]);
        assert!(resident.get(&digest(1)).is_none() && resident.get(&digest(0)).is_some());
        assert_eq!(resident.len(), 3);
    }

    #[test]
    fn a_value_of_the_same_digest_takes_the_place_of_the_first() {
        let resident = Resident::new(SHARDS, ByteCount(10));
        resident.insert(digest(0), Arc::new(1), 10);
        assert_eq!(resident.insert(digest(0), Arc::new(2), 10), [Arc::new(1)]);
        assert_eq!((resident.len(), resident.get(&digest(0)).as_deref()), (1, Some(&2)));
    }

    #[test]
    fn those_that_take_memory_make_room_for_one_another_in_all_shards() {
        let in_shard = |n: u8| Digest::from_bytes([n; 32]);
        let resident = Resident::new(100 * SHARDS, ByteCount(10));
        assert!(resident.insert(in_shard(9), Arc::new(9), 0).is_empty());
        for n in 0..3 {
            assert!(resident.insert(in_shard(n), Arc::new(n), 3).is_empty());
        }
        assert_eq!(resident.get(&in_shard(0)).as_deref(), Some(&0));
        assert_eq!(resident.insert(in_shard(3), Arc::new(3), 4), [Arc::new(1)]);
        let gone = resident.insert(in_shard(4), Arc::new(4), 100);
        assert_eq!(gone, [Arc::new(0), Arc::new(2), Arc::new(3)], "one that is too large stays alone");
        assert_eq!((resident.len(), resident.bytes.load(Ordering::Relaxed)), (2, 100));
    }
}
