//! What tests share: clocks and chance that can be set, in-memory models of the stores, one conformance suite for each port, and the
//! rules that the source itself must keep. Only for tests; nothing in the binary depends on it.

pub mod clock;
pub mod invariants;
pub mod model;
pub mod rng;
pub mod suite;

pub use clock::TestClock;
pub use rng::SeededRng;
