//! Chance.

/// The only source of randomness: unpredictable in production, seeded in tests.
pub trait Rng: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);
}
