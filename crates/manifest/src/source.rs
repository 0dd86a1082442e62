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

/// The longest line, in bytes, that is shown mended: a file may be one line.
const SHOWN: usize = 400;

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

    /// The place as a problem shows it.
    pub(crate) fn place(&self, at: At) -> Place {
        let line = self.line(at);
        Place::in_line(&self.0[at.file].name, line.number, line.text, line.column, at.end.saturating_sub(at.start))
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
        let start = text.floor_char_boundary(at.start);
        let number = lines.partition_point(|begin| *begin <= start);
        let begin = lines[number - 1];
        let end = lines.get(number).map_or(text.len(), |next| next - 1);
        let line = text[begin..end].trim_end_matches('\r');
        Line { number: u32::try_from(number).unwrap_or(u32::MAX), column: line.floor_char_boundary(start - begin), text: line }
    }
}

struct Line<'a> {
    number: u32,
    /// The byte within the line.
    column: usize,
    text: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_that_of_its_line() {
        let mut sources = Sources::default();
        let file = sources.add("f".into(), "a\r\n\tä = x\r\n".into());
        let place = sources.place(At { file, start: 9, end: 40 });
        assert_eq!((place.line, place.column, place.width, place.text.as_str()), (2, 6, 1, " ä = x"));
        let end = sources.place(At { file, start: 999, end: 1000 });
        assert_eq!((end.line, end.column, end.width), (3, 1, 1));
    }
}
