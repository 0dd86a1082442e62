//! The files of a static site as one revision serves them: paths, digests and what was compressed ahead.
//!
//! The bytes themselves are blobs. Control makes this once, at deployment; the gateway serves from it and asks nobody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::Digest;

/// A static site: an immutable table of files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Site {
    /// The file that answers to paths which no file and no route answers to: one of `files`.
    pub fallback: Option<String>,
    /// The files by path: relative to the site's folder, with `/`, without one in front.
    pub files: BTreeMap<String, SiteFile>,
}

/// One file of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFile {
    /// Its bytes.
    pub digest: Digest,
    /// Their number.
    pub bytes: u64,
    /// Its media type, with the charset where it is text.
    pub content_type: String,
    /// The same bytes compressed, smallest first; only those that are smaller than the file itself.
    pub variants: Vec<SiteVariant>,
}

impl SiteFile {
    /// The strong entity tag of the bytes as they are, with its quotes (RFC 9110 §8.8.3).
    #[must_use]
    pub fn etag(&self) -> String {
        etag(&self.digest)
    }
}

/// The bytes of a file in a content coding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteVariant {
    /// Which.
    pub encoding: SiteEncoding,
    /// The compressed bytes.
    pub digest: Digest,
    /// Their number.
    pub bytes: u64,
}

impl SiteVariant {
    /// The strong entity tag of this representation, which is another than that of the plain bytes.
    #[must_use]
    pub fn etag(&self) -> String {
        etag(&self.digest)
    }
}

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteEncoding {
    /// Brotli (RFC 7932).
    Br,
    /// Gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl SiteEncoding {
    /// As `accept-encoding` and `content-encoding` have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

fn etag(digest: &Digest) -> String {
    // Half of the digest: 128 bits say as surely which bytes they are, and every response carries it.
    let text = digest.to_string();
    let hex = text.strip_prefix("b3_").unwrap_or(&text);
    format!("\"{}\"", &hex[..hex.len().min(32)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_quoted_and_says_which_bytes() {
        let file =
            |byte| SiteFile { digest: Digest::from_bytes([byte; 32]), bytes: 1, content_type: "a/b".into(), variants: vec![] };
        assert_eq!(file(0xab).etag(), format!("\"{}\"", "ab".repeat(16)));
        assert_ne!(file(1).etag(), file(2).etag());
    }
}
