//! The texts that were read, and places in them: what a problem shows and how a line is mended.

use types::Place;

/// A range of bytes in one of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    /// The index of the text.
    pub(crate) file: usize,
    /// The first byte.
    pub(crate) start: usize,
    /// The byte after the last.
    pub(crate) end: usize,
}

/// The manifest and the files merged into it, in the order in which they were read.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

#[derive(Debug)]
struct Source {
    name: String,
    text: String,
    /// Where each line begins, so that a file full of mistakes is not searched once for each.
    lines: Vec<usize>,
}

/// The most characters of a line that are shown, or mended: a file may be one line.
const SHOWN: usize = 400;
/// Of a longer line, what is shown before the place that is meant.
const BEFORE: usize = 40;

impl Sources {
    /// Keeps a text and gives its index.
    pub(crate) fn add(&mut self, name: String, text: String) -> usize {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.0.push(Source { name, text, lines });
        self.0.len() - 1
    }

    /// The name of the manifest, which is read first.
    pub(crate) fn first(&self) -> &str {
        self.0.first().map_or(crate::FILE_NAME, |source| &source.name)
    }

    /// A path relative to the manifest, named as the manifest was named.
    pub(crate) fn beside_first(&self, path: &str) -> String {
        match self.first().rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{path}"),
            None => path.to_owned(),
        }
    }

    /// `dayfly.toml:7`.
    pub(crate) fn line_of(&self, at: At) -> String {
        format!("{}:{}", self.0[at.file].name, self.line(at).number)
    }

    /// The number of the line, from 1.
    pub(crate) fn number(&self, at: At) -> u32 {
        self.line(at).number
    }

    /// The place as a problem shows it: what lies beyond the first line is not marked. Of a very long line an excerpt is shown, and
    /// the column is the one in the excerpt.
    pub(crate) fn place(&self, at: At) -> Place {
        let line = self.line(at).excerpt();
        let column = count(&line.text[..line.column]) + 1;
        let end = floor(line.text, line.column + at.end.saturating_sub(at.start));
        let marked = line.text.get(line.column..end).unwrap_or_default();
        Place {
            file: self.0[at.file].name.clone(),
            line: line.number,
            column,
            text: line.text.chars().map(printable).collect(),
            width: count(marked).max(1),
        }
    }

    /// The line with the range replaced, without its indentation; `None` if the range spans lines, or the line is too long to show.
    pub(crate) fn mended(&self, at: At, replacement: &str) -> Option<String> {
        let line = self.line(at);
        if line.text.len() > SHOWN {
            return None;
        }
        let before = &line.text[..line.column];
        let after = line.text.get(line.column + (at.end - at.start)..)?;
        Some(format!("{before}{replacement}{after}").trim().to_owned())
    }

    fn line(&self, at: At) -> Line<'_> {
        let Source { text, lines, .. } = &self.0[at.file];
        let start = floor(text, at.start);
        let number = lines.partition_point(|begin| *begin <= start);
        let begin = lines[number - 1];
        let end = lines.get(number).map_or(text.len(), |next| next - 1);
        let line = text[begin..end].trim_end_matches('\r');
        Line { number: u32::try_from(number).unwrap_or(u32::MAX), column: floor(line, start - begin), text: line }
    }
}

struct Line<'a> {
    number: u32,
    /// The byte within the line.
    column: usize,
    text: &'a str,
}

impl Line<'_> {
    /// The line, or the part of a very long one that the column lies in.
    fn excerpt(self) -> Self {
        if self.text.len() <= SHOWN {
            return self;
        }
        let begin = floor(self.text, self.column.saturating_sub(BEFORE));
        let end = floor(self.text, begin + SHOWN);
        Self { column: self.column - begin, text: &self.text[begin..end], ..self }
    }
}

/// The nearest boundary of a character at or before the byte.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// A broken file may hold anything; a terminal is shown no control characters, and columns stay what they are.
pub(crate) fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_and_shows_no_control_characters() {
        let mut sources = Sources::default();
        let file = sources.add("f".into(), "a\r\n\tä = \u{1b}x\r\n".into());
        let place = sources.place(At { file, start: 9, end: 40 });
        assert_eq!((place.line, place.column, place.width, place.text.as_str()), (2, 6, 2, " ä = \u{fffd}x"));
        let long = sources.add("g".into(), format!("{}x{}", "é".repeat(5_000), "é".repeat(5_000)));
        let place = sources.place(At { file: long, start: 10_000, end: 20_001 });
        assert_eq!((place.line, place.column, place.text.chars().nth(20)), (1, 21, Some('x')));
        assert!(place.text.len() <= SHOWN && place.width < 400, "{place:?}");
        let end = sources.place(At { file, start: 999, end: 1000 });
        assert_eq!((end.line, end.column, end.width), (3, 1, 1));
    }
}
