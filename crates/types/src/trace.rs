//! Trace context as W3C Trace Context level 1 defines it (<https://www.w3.org/TR/trace-context/>).

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::id::InvalidId;

macro_rules! hex_id {
    ($(#[$doc:meta])* $type:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type([u8; $bytes]);

        impl $type {
            /// The id of these bytes; `None` if they are all zero, which the standard forbids.
            #[must_use]
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }
            /// The bytes of the id.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $bytes] { &self.0 }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&HEXLOWER.encode(&self.0)) }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $type {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let mut bytes = [0; $bytes];
                let decoded = text.len() == $bytes * 2
                    && HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).is_ok();
                decoded.then_some(bytes).and_then(Self::from_bytes).ok_or_else(|| InvalidId::Trace(text.into()))
            }
        }
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if d.is_human_readable() {
                    String::deserialize(d)?.parse().map_err(D::Error::custom)
                } else {
                    Self::from_bytes(<[u8; $bytes]>::deserialize(d)?).ok_or_else(|| D::Error::custom("an all-zero id"))
                }
            }
        }
    };
}

hex_id!(
    /// What all spans of one trace share.
    TraceId, 16
);
hex_id!(
    /// One span of a trace.
    SpanId, 8
);

/// Where an invocation stands in a trace: the `traceparent` header, parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span of the hop that this context describes.
    pub span: SpanId,
    /// Whether the caller asked for the trace to be kept.
    pub sampled: bool,
}

impl TraceContext {
    /// The `traceparent` header's value, version 00.
    #[must_use]
    pub fn to_traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
    /// Reads a `traceparent` header. Versions above 00 are read by the rules for 00, as the standard asks; version ff is refused.
    #[must_use]
    pub fn from_traceparent(value: &str) -> Option<Self> {
        let mut parts = value.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let more = parts.next().is_some();
        if version.len() != 2 || version == "ff" || (version == "00" && more) {
            return None;
        }
        HEXLOWER.decode(version.as_bytes()).ok()?;
        let flags = HEXLOWER.decode(flags.as_bytes()).ok().filter(|bytes| bytes.len() == 1)?;
        Some(Self { trace: trace.parse().ok()?, span: span.parse().ok()?, sampled: flags[0] & 1 == 1 })
    }
}

/// What caused something: its place in the trace, and how long the chain of causes is by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// The invocation that did it.
    pub trace: TraceContext,
    /// How many invocations caused one another up to that one, itself included. Past `limits::CAUSAL_DEPTH` the chain is stopped.
    pub depth: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_what_the_standard_refuses() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceContext::from_traceparent(good).map(|t| t.to_traceparent()).as_deref(), Some(good));
        assert!(TraceContext::from_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra").is_some());
        for bad in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
        ] {
            assert_eq!(TraceContext::from_traceparent(bad), None, "{bad}");
        }
    }
}
