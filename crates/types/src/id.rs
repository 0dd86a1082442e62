//! Identifiers. Names are checked once, here; generated ids are time-ordered, so that stores write them in order.

use std::{fmt, str::FromStr, sync::Arc};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Names: 1 to 63 of `a-z 0-9 -`, first a letter, last not a dash. The same rule as a DNS label, since names become host names.
    #[error("{0:?} is not a name: use 1 to 63 of a-z, 0-9 and dashes, starting with a letter, not ending in a dash")]
    Name(String),
    /// Invocation ids: `inv_` and 26 letters or digits.
    #[error("{0:?} is not an invocation id: expected inv_ and 26 letters or digits")]
    Invocation(String),
    /// Digests: `b3_` and 64 hexadecimal digits.
    #[error("{0:?} is not a digest: expected b3_ and 64 hexadecimal digits")]
    Digest(String),
    /// Trace ids are 32, span ids 16 hexadecimal digits, not all zero.
    #[error("{0:?} is not a trace or span id")]
    Trace(String),
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks the text and makes the name.
            ///
            /// # Errors
            /// [`InvalidId::Name`] if it is not a DNS label in lower case.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(InvalidId::Name(text.into())) }
            }
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $type {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> { Self::new(text) }
        }
        impl TryFrom<String> for $type {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> { Self::new(&text) }
        }
        impl From<$type> for String {
            fn from(name: $type) -> Self { name.0.as_ref().to_owned() }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(&self.0, f) }
        }
    };
}

name!(
    /// The name of an app, unique on a target.
    AppName
);
name!(
    /// The name of a function, unique in its app.
    FunctionName
);
name!(
    /// The name of an environment of an app, such as `dev` or `prod`.
    EnvName
);

/// Crockford's base 32 in lower case: no letters that read like digits.
const SYMBOLS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// One run of a function: 48 bits of milliseconds since 1970, then 80 random bits. Printed as `inv_…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InvocationId([u8; 16]);

impl InvocationId {
    /// Makes an id from its two parts; only the low 48 bits of the time are kept.
    #[must_use]
    pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&unix_ms.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        Self(bytes)
    }
    /// The 16 bytes, as stores keep them; their order is the order of time.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
    /// The id whose bytes these are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
    /// The printed form, without making a `String`: every response carries one.
    #[must_use]
    pub fn to_ascii(&self) -> [u8; 30] {
        // 128 bits are 25.6 symbols: the first symbol carries the top 3 bits, so that text sorts as the bytes do.
        let value = u128::from_be_bytes(self.0);
        let mut text = *b"inv_00000000000000000000000000";
        for (i, symbol) in text[4..].iter_mut().enumerate() {
            let five_bits = (value >> (125 - i * 5)) as u8 & 31;
            *symbol = SYMBOLS[usize::from(five_bits)];
        }
        text
    }
    /// When the id was made, in milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.0[..6].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_ascii()).expect("an id is ASCII"))
    }
}
impl fmt::Debug for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for InvocationId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::Invocation(text.into());
        let body = text.strip_prefix("inv_").ok_or_else(invalid)?;
        let bytes = crockford_decode(body).ok_or_else(invalid)?;
        Ok(Self(bytes))
    }
}
impl Serialize for InvocationId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}
impl<'de> Deserialize<'de> for InvocationId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 16]>::deserialize(d).map(Self)
        }
    }
}

fn crockford_decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for (i, byte) in text.bytes().enumerate() {
        let digit = SYMBOLS.iter().position(|symbol| *symbol == byte)?;
        if i == 0 && digit > 7 {
            return None;
        }
        value = value << 5 | u128::try_from(digit).ok()?;
    }
    Some(value.to_be_bytes())
}

/// The blake3 digest of some bytes: the name of an artifact or of a blob. Printed as `b3_…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest whose bytes these are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// The digest of these hexadecimal digits, as [`to_hex`](Self::to_hex) gives them.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok().map(Self)
    }
    /// The 64 hexadecimal digits without prefix, as file names use them.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("b3_{}", self.to_hex()))
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Digest {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.strip_prefix("b3_").and_then(Self::from_hex).ok_or_else(|| InvalidId::Digest(text.into()))
    }
}
impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}
impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(d).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocation_ids_survive_printing_and_sort_by_time() {
        let early = InvocationId::from_parts(1_000, [0xff; 10]);
        let late = InvocationId::from_parts(1_001, [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(late.unix_ms(), 1_001);
    }

    #[test]
    fn names_are_dns_labels() {
        for good in ["a", "api", "my-fn2"] {
            assert!(AppName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "2a", "a-", "a_b", "a.b", &"a".repeat(64)] {
            assert!(AppName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn digests_survive_printing() {
        let digest = Digest::from_bytes([7; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("b3_00".parse::<Digest>().is_err());
    }
}
