//! Settings and secrets: a name in capitals has its own name in small letters as its value, all others were never set.

use std::cell::Cell;

use crate::host::services::{Answer, Failed};

thread_local! {
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// How often anything was asked.
pub fn asked() -> u32 {
    ASKED.get()
}

/// A setting or a granted secret; none if it was never set.
pub fn get(name: &str) -> Answer<Option<String>> {
    ASKED.set(ASKED.get() + 1);
    if name == "BROKEN" {
        return Err(Failed::new("other", "the secret BROKEN is not text in UTF-8"));
    }
    let is_set = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    Ok(is_set.then(|| name.to_ascii_lowercase()))
}
