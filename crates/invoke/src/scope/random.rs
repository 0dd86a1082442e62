//! The guest's randomness: one seed, stretched. So a journal holds 32 bytes and not every number that was drawn.

/// A stream of random bytes from a seed: BLAKE3 in keyed mode as an extendable-output function.
pub(crate) struct SeedStream(blake3::OutputReader);

impl SeedStream {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(seed);
        hasher.update(b"dayfly guest randomness");
        Self(hasher.finalize_xof())
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_stream_however_it_is_read() {
        let (mut whole, mut parts) = ([0; 48], [0; 48]);
        SeedStream::new(&[1; 32]).fill(&mut whole);
        let mut stream = SeedStream::new(&[1; 32]);
        parts.chunks_mut(7).for_each(|part| stream.fill(part));
        assert_eq!(whole, parts);
        let mut other = [0; 48];
        SeedStream::new(&[2; 32]).fill(&mut other);
        assert_ne!(whole, other);
    }
}
