//! Chance from the machine.

/// That many random bytes.
pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).expect("the machine has a source of random numbers");
    bytes
}
