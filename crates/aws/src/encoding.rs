//! Percent encoding as S3 uses it: in listings for clients that ask for it, and in the header field of tags.

use std::collections::BTreeMap;

use s3s::{S3Result, s3_error};

/// Tags of an object, and of a bucket.
const TAGS: (usize, usize) = (10, 50);
/// Characters of a tag's name and of its value.
const TAG_CHARS: (usize, usize) = (128, 256);

/// What tags belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tagged {
    Object,
    Bucket,
}

/// Escapes what XML can't hold, and all that a URL can't, but for `/`.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The text behind escapes, where `+` is a space; `None` if it is none.
pub(crate) fn form_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The value of a name in a query, decoded.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| *key == name).and_then(|(_, value)| form_decode(value))
}

/// The tags of an `x-amz-tagging` field: `a=1&b=2`.
pub(crate) fn tags_of_header(header: &str) -> S3Result<BTreeMap<String, String>> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((form_decode(key)?, form_decode(value)?))
    };
    let pairs = header.split('&').filter(|text| !text.is_empty()).map(pair).collect::<Option<Vec<_>>>();
    let pairs = pairs
        .ok_or_else(|| s3_error!(InvalidArgument, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded"))?;
    checked_tags(pairs, Tagged::Object)
}

/// Tags within their bounds, each named once.
pub(crate) fn checked_tags(pairs: Vec<(String, String)>, tagged: Tagged) -> S3Result<BTreeMap<String, String>> {
    let allowed = if tagged == Tagged::Object { TAGS.0 } else { TAGS.1 };
    if pairs.len() > allowed {
        return Err(s3_error!(InvalidTag, "{} tags, allowed {allowed}", pairs.len()));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > TAG_CHARS.0 || value.chars().count() > TAG_CHARS.1 {
            return Err(s3_error!(InvalidTag, "The tag {key:?} has an empty or too long name, or a too long value"));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key: {key:?}"));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for text in ["a b/c", "ä+%&=", "plain", "", "\u{1}\n"] {
            assert_eq!(form_decode(&percent_encode(text)).as_deref(), Some(text));
        }
        assert_eq!(form_decode("%4"), None);
        assert_eq!(form_decode("%ff"), None);
    }

    #[test]
    fn tags_are_read_and_bounded() {
        let tags = tags_of_header("a=1&b=x+y&c=").expect("tags");
        assert_eq!(tags["b"], "x y");
        assert!(tags_of_header("a=1&a=2").is_err());
        let many: Vec<String> = (0..11).map(|i| format!("k{i}=v")).collect();
        assert!(tags_of_header(&many.join("&")).is_err());
    }

    #[test]
    fn values_are_found_in_queries() {
        assert_eq!(query_value("a=1&X-Amz-Credential=AK%2F2026", "X-Amz-Credential").as_deref(), Some("AK/2026"));
        assert_eq!(query_value("a=1", "b"), None);
    }
}
