//! Time and chance from the machine: the one crate that may ask the operating system for either.
//!
//! Everything else takes them through `ports::Clock` and `ports::Rng`, so that tests and replays can set them.

mod clock;
mod random;

pub use clock::SystemClock;
pub use random::SystemRng;
