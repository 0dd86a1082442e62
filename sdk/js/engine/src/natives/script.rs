//! What belongs to the script as a whole: how it failed, and chance.

use std::cell::Cell;

use rquickjs::{Ctx, Function, Object, Result};

use crate::host;
use crate::machine::{self, phase, phase::Phase};

thread_local! {
    /// The state of the generator. `None` until the first number of an invocation.
    static RANDOM: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The generator's first state at deploy. Any number does, so long as it is always the same.
const SEED_AT_DEPLOY: u64 = 0x6461_7966_6c79_0001;

/// `noteWrongAnswer()`: the exception that is thrown next says that the handler gave what it may not. `random()` gives
/// what `Math.random` gives.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("noteWrongAnswer", Function::new(ctx.clone(), machine::note_wrong_answer)?)?;
    native.set("random", Function::new(ctx.clone(), random)?)
}

/// Forgets the numbers of the phase before: whoever asks next gets a new seed.
pub(crate) fn reseed() {
    RANDOM.set(None);
}

fn random() -> f64 {
    let state = RANDOM.get().unwrap_or_else(seed);
    // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    let next = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(Some(next));
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    // 53 bits are what a number holds.
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn seed() -> u64 {
    if phase::current() != Phase::Serve {
        return SEED_AT_DEPLOY;
    }
    let bytes = host::random(size_of::<u64>());
    bytes.iter().fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
