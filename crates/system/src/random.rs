//! Unpredictable bytes, cheap enough for every invocation to take some.
//!
//! Each thread expands a key with BLAKE3's output stream. Every refill begins with the next key, so that whoever reads the memory
//! later can't compute what was handed out before; after some refills the key is mixed with fresh bytes of the operating system.

use std::cell::RefCell;

use ports::Rng;

const KEY_BYTES: usize = 32;
const POOL_BYTES: usize = 1024;
/// Refills between two requests to the operating system: about 1 MiB of output.
const REFILLS_PER_SEED: u32 = 1_000;

/// Chance from the operating system, stretched per thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

struct Pool {
    key: [u8; KEY_BYTES],
    bytes: [u8; POOL_BYTES],
    used: usize,
    refills_left: u32,
}

impl Pool {
    const fn empty() -> Self {
        Self { key: [0; KEY_BYTES], bytes: [0; POOL_BYTES], used: POOL_BYTES, refills_left: 0 }
    }

    fn refill(&mut self) {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        if self.refills_left == 0 {
            let mut seed = [0; KEY_BYTES];
            getrandom::fill(&mut seed).expect("every system that dayfly runs on gives random bytes");
            hasher.update(&seed);
            self.refills_left = REFILLS_PER_SEED;
        }
        self.refills_left -= 1;
        let mut stream = hasher.finalize_xof();
        stream.fill(&mut self.key);
        stream.fill(&mut self.bytes);
        self.used = 0;
    }

    fn fill(&mut self, mut out: &mut [u8]) {
        while !out.is_empty() {
            if self.used == POOL_BYTES {
                self.refill();
            }
            let taken = out.len().min(POOL_BYTES - self.used);
            let source = &mut self.bytes[self.used..self.used + taken];
            let (head, rest) = out.split_at_mut(taken);
            head.copy_from_slice(source);
            source.fill(0);
            self.used += taken;
            out = rest;
        }
    }
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::empty()) };
}

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        POOL.with_borrow_mut(|pool| pool.fill(bytes));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn draw<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        SystemRng.fill(&mut bytes);
        bytes
    }

    #[test]
    fn never_repeats_within_a_thread_or_across_threads() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..20_000).map(|_| draw::<16>()).collect::<Vec<_>>())).collect();
        let all: Vec<[u8; 16]> = threads.into_iter().flat_map(|thread| thread.join().expect("it only draws")).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn fills_buffers_larger_than_its_pool_with_even_bits() {
        let bytes = draw::<100_000>();
        let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
        // 800,000 fair bits: the standard deviation is 447, so ten of them are never met by chance.
        assert!(ones.abs_diff(400_000) < 4_470, "{ones} of 800,000 bits are set");
    }

    #[test]
    fn wipes_what_it_handed_out() {
        draw::<64>();
        POOL.with_borrow(|pool| assert!(pool.bytes[..pool.used].iter().all(|byte| *byte == 0)));
    }
}
