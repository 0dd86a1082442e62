//! Strings of JavaScript as Rust has them. A JavaScript string may hold halves of surrogate pairs, which UTF-8 can't: they become U+FFFD.

use rquickjs::{CString, Result, String as JsString};
use std::borrow::Cow;

/// A string's text.
pub(crate) fn lossy(text: &JsString<'_>) -> Result<String> {
    let held = CString::from_string(text.clone())?;
    Ok(String::from_utf8(utf8(held_bytes(&held)).into_owned()).expect("what `utf8` gives is UTF-8"))
}

/// A string's UTF-8, handed to `take` without being copied where it has no halves.
pub(crate) fn with_utf8<T>(text: &JsString<'_>, take: impl FnOnce(&[u8]) -> T) -> Result<T> {
    let held = CString::from_string(text.clone())?;
    Ok(take(&utf8(held_bytes(&held))))
}

fn held_bytes<'a>(held: &'a CString<'_>) -> &'a [u8] {
    // SAFETY: QuickJS owns these bytes until `held` is dropped, and doesn't change them. They are not read as `str`, because
    // they need not be UTF-8.
    unsafe { std::slice::from_raw_parts(held.as_ptr().cast(), held.len()) }
}

/// QuickJS writes the half of a pair as three bytes that begin with ED and then A0 or more, which no character's do.
fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(bytes).is_ok() {
        return Cow::Borrowed(bytes);
    }
    let mut mended = bytes.to_vec();
    let mut at = 0;
    while at + 2 < mended.len() {
        if mended[at] == 0xED && mended[at + 1] >= 0xA0 {
            mended[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
        at += 1;
    }
    Cow::Owned(mended)
}

#[cfg(test)]
mod tests {
    use super::utf8;

    #[test]
    fn halves_of_pairs_are_replaced_and_nothing_else() {
        assert_eq!(utf8(b"a\xED\xA0\x80b\xED\xBF\xBF"), "a\u{FFFD}b\u{FFFD}".as_bytes());
        assert_eq!(utf8("\u{D7FF}é".as_bytes()), "\u{D7FF}é".as_bytes());
    }
}
