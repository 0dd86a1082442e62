//! Chance that repeats: the same seed gives the same run.

use std::{io::Read as _, sync::Arc};

use parking_lot::Mutex;
use ports::Rng;

/// The variable that repeats a failed run.
const SEED_VARIABLE: &str = "DAYFLY_SEED";

/// A generator whose seed determines all that it gives. Clones share it.
#[derive(Clone)]
pub struct SeededRng(Arc<Mutex<blake3::OutputReader>>);

impl SeededRng {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof())))
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// If `bound` is zero.
    #[must_use]
    pub fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        let scaled = (u128::from(u64::from_le_bytes(bytes)) * (bound as u128)) >> 64;
        assert!(bound > 0, "there is no number below zero");
        usize::try_from(scaled).expect("it is below a usize")
    }

    /// True in so many of a hundred cases.
    #[must_use]
    pub fn percent(&self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of the items.
    #[must_use]
    pub fn pick<'a, T>(&self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill(bytes);
    }
}

/// So many seeds, new ones each run; or the one that `DAYFLY_SEED` names. Prints each, so that a failed run can be repeated.
///
/// # Panics
/// If the variable holds no number, or the system has no random bytes.
pub fn seeds(count: usize) -> impl Iterator<Item = u64> {
    let named = std::env::var(SEED_VARIABLE).ok().map(|text| text.parse().expect("DAYFLY_SEED is a number"));
    let seeds = named.map_or_else(|| (0..count).map(|_| fresh()).collect(), |seed| vec![seed]);
    seeds.into_iter().inspect(|seed| eprintln!("repeat this run with {SEED_VARIABLE}={seed}"))
}

fn fresh() -> u64 {
    let mut bytes = [0; 8];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.expect("tests run where /dev/urandom is");
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_alone_repeats_the_run() {
        let draw = |seed| {
            let rng = SeededRng::new(seed);
            (0..50).map(|_| rng.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
