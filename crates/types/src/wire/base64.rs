//! Bytes inside JSON, as base 64 text (RFC 4648 §4, with padding).

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// Bytes that are written as base 64 text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Base64(pub Bytes);

/// A text that is not base 64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not base 64: {0}")]
pub struct InvalidBase64(data_encoding::DecodeError);

impl TryFrom<String> for Base64 {
    type Error = InvalidBase64;
    fn try_from(text: String) -> Result<Self, InvalidBase64> {
        BASE64.decode(text.as_bytes()).map(|bytes| Self(bytes.into())).map_err(InvalidBase64)
    }
}
impl From<Base64> for String {
    fn from(bytes: Base64) -> Self {
        BASE64.encode(&bytes.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_and_bad_text_is_refused() {
        let bytes = Base64(Bytes::from_static(&[0, 255, 7]));
        assert_eq!(Base64::try_from(String::from(bytes.clone())), Ok(bytes));
        assert!(Base64::try_from("a b".to_owned()).is_err());
    }
}
