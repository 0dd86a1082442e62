//! Patterns over keys and event types, as manifests write them.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path};

use globset::{Glob, GlobMatcher};

/// A pattern over keys: without a slash it is matched against the last part of a key, with one against all of it. `None` matches all.
#[derive(Debug, Clone)]
pub(crate) struct Keys(Option<(GlobMatcher, bool)>);

impl Keys {
    /// The pattern. One that can't be read matches nothing; the manifest's checks let none through.
    pub(crate) fn new(pattern: Option<&str>) -> Self {
        let compiled = |text: &str| {
            let glob = Glob::new(text).or_else(|error| {
                tracing::error!(%error, "a pattern that the manifest allowed can't be read");
                Glob::new("[!\0-\u{10ffff}]")
            });
            (glob.expect("the empty class is a pattern").compile_matcher(), text.contains('/'))
        };
        Self(pattern.map(compiled))
    }

    /// Whether the key is meant.
    pub(crate) fn matches(&self, key: &[u8]) -> bool {
        let Some((matcher, whole)) = &self.0 else { return true };
        let last = || memchr::memrchr(b'/', key).map_or(key, |slash| &key[slash + 1..]);
        let text = if *whole { key } else { last() };
        matcher.is_match(Path::new(OsStr::from_bytes(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_for_the_last_part_unless_it_has_a_slash() {
        let cases = [
            (None, "any/thing", true),
            (Some("*.jpg"), "a/b/cat.jpg", true),
            (Some("*.jpg"), "a.jpg/readme", false),
            (Some("*.{jpg,png}"), "cat.png", true),
            (Some("in/*.jpg"), "in/cat.jpg", true),
            (Some("in/*.jpg"), "out/in/cat.jpg", false),
            (Some("user:*"), "user:1", true),
        ];
        for (pattern, key, expected) in cases {
            assert_eq!(Keys::new(pattern).matches(key.as_bytes()), expected, "{pattern:?} {key}");
        }
        assert!(Keys::new(Some("*")).matches(b"\xff\xfe"), "keys are bytes");
        assert!(!Keys::new(Some("[a")).matches(b"a"), "what can't be read matches nothing");
    }
}
