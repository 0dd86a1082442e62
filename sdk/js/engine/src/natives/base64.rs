//! Base 64 as the web has it: `atob` and `btoa`, over strings whose characters are bytes.

use data_encoding::{BASE64, BASE64_NOPAD, Encoding, Specification};
use rquickjs::{Ctx, Function, Object, Result, String as JsString};
use std::sync::LazyLock;

use crate::natives::text;

/// `base64Encode(text)` and `base64Decode(text)`; both give undefined for what can't be.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set(
        "base64Encode",
        Function::new(ctx.clone(), |data: JsString<'_>| Ok::<_, rquickjs::Error>(encode(&text::lossy(&data)?)))?,
    )?;
    native.set(
        "base64Decode",
        Function::new(ctx.clone(), |data: JsString<'_>| Ok::<_, rquickjs::Error>(decode(&text::lossy(&data)?)))?,
    )
}

/// The standard's alphabet without padding; bits behind the last byte are dropped whatever they are.
static FORGIVING: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification: Specification = BASE64_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().expect("the standard alphabet is a valid one")
});

fn encode(data: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = data.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
    bytes.map(|bytes| BASE64.encode(&bytes))
}

/// The WHATWG's forgiving decoding: white space is skipped, and padding may be missing but not be wrong.
fn decode(data: &str) -> Option<String> {
    let mut digits: Vec<u8> = data.bytes().filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')).collect();
    if digits.len().is_multiple_of(4) {
        for _ in 0..2 {
            if digits.last() == Some(&b'=') {
                digits.pop();
            }
        }
    }
    let bytes = FORGIVING.decode(&digits).ok()?;
    Some(bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn bytes_come_back_from_their_text() {
        let all: String = (0..=255u8).map(char::from).collect();
        assert_eq!(decode(&encode(&all).expect("all are bytes")).as_deref(), Some(all.as_str()));
    }

    #[test]
    fn what_is_no_byte_is_not_encoded() {
        assert_eq!(encode("\u{100}"), None);
    }

    #[test]
    fn padding_may_be_missing_but_not_wrong() {
        for (text, expected) in
            [("YQ==", Some("a")), ("YQ", Some("a")), (" Y\nQ = = ", Some("a")), ("YR", Some("a")), ("", Some(""))]
        {
            assert_eq!(decode(text).as_deref(), expected, "{text:?}");
        }
        for text in ["YQ=", "Y", "=", "YQ===", "YQ==YQ==", "a\u{b}bcd", "ÿ", "A=A="] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
