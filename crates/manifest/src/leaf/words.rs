//! Values that are one of a few words.

use types::Code;

use super::{Leaf, Refusal, quote};
use crate::{nearest::nearest, tree::Value};

/// The words that a key takes, the default first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) expects: &'static str,
    pub(crate) words: &'static [&'static str],
}

pub(crate) static FROM: Words = Words { expects: "\"oldest\" or \"newest\"", words: &["oldest", "newest"] };
pub(crate) static OVERLAP: Words = Words { expects: "\"skip\", \"queue\" or \"allow\"", words: &["skip", "queue", "allow"] };
pub(crate) static MISSED: Words = Words { expects: "\"once\", \"all\" or \"skip\"", words: &["once", "all", "skip"] };
pub(crate) static EFFECTS: Words = Words { expects: "\"atomic\" or \"immediate\"", words: &["atomic", "immediate"] };
pub(crate) static ALGORITHM: Words =
    Words { expects: "\"sha256\", \"sha512\" or \"sha1\"", words: &["sha256", "sha512", "sha1"] };
pub(crate) static ENCODING: Words = Words { expects: "\"hex\" or \"base64\"", words: &["hex", "base64"] };

/// The word that the value is.
pub(crate) fn word(words: &'static Words, value: &Value) -> Result<&'static str, Refusal> {
    let text = Leaf::Word(words).text(value)?;
    words.words.iter().copied().find(|word| *word == text).ok_or_else(|| {
        let meant = nearest(text, words.words.iter().copied()).map(quote);
        Refusal::new(Code::E0105, format!("{text:?} is not one of its words: write {}", words.expects)).mend(meant)
    })
}
