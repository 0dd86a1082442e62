//! `wasi:random`.

use super::bindings::wasi::random::random::get_random_bytes;

/// That many random bytes.
pub(crate) fn random(length: usize) -> Vec<u8> {
    get_random_bytes(length as u64)
}
