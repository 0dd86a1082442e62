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
}

impl Sources {
    /// Keeps a text and gives its index.
    pub(crate) fn add(&mut self, name: String, text: String) -> usize {
        self.0.push(Source { name, text });
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

    /// The place as a problem shows it: what lies beyond the first line is not marked.
    pub(crate) fn place(&self, at: At) -> Place {
        let line = self.line(at);
        let column = count(&line.text[..line.column]) + 1;
        let end = (line.column + (at.end.saturating_sub(at.start))).min(line.text.len());
        let marked = line.text.get(line.column..end).unwrap_or_default();
        Place {
            file: self.0[at.file].name.clone(),
            line: line.number,
            column,
            text: line.text.chars().map(printable).collect(),
            width: count(marked).max(1),
        }
    }

    /// The line with the range replaced, without its indentation; `None` if the range spans lines.
    pub(crate) fn mended(&self, at: At, replacement: &str) -> Option<String> {
        let line = self.line(at);
        let before = &line.text[..line.column];
        let after = line.text.get(line.column + (at.end - at.start)..)?;
        Some(format!("{before}{replacement}{after}").trim().to_owned())
    }

    fn line(&self, at: At) -> Line<'_> {
        let text = self.0[at.file].text.as_str();
        let start = floor(text, at.start);
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[begin..].find('\n').map_or(text.len(), |newline| begin + newline);
        let line = text[begin..end].trim_end_matches('\r');
        let number = text[..begin].bytes().filter(|byte| *byte == b'\n').count() + 1;
        Line { number: u32::try_from(number).unwrap_or(u32::MAX), column: floor(line, start - begin), text: line }
    }
}

struct Line<'a> {
    number: u32,
    /// The byte within the line.
    column: usize,
    text: &'a str,
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
        let end = sources.place(At { file, start: 999, end: 1000 });
        assert_eq!((end.line, end.column, end.width), (3, 1, 1));
    }
}
