//! Where in a file something lies, and as much of its line as a person is shown.

use serde::{Deserialize, Serialize};

/// Bytes of a line that are shown: what others wrote for machines is often one line.
const SHOWN: usize = 160;
/// Of a longer line, what is shown before the place that is meant.
const BEFORE: usize = 40;

/// Where in a file a problem lies. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    /// The file, as the person named it.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column, in characters of the whole line.
    pub column: u32,
    /// The text of the line; of a very long one, a part.
    pub text: String,
    /// How many characters of the line stand before that part.
    #[serde(default)]
    pub skipped: u32,
    /// How many characters from the column on are meant.
    pub width: u32,
}

impl Place {
    /// The place of a range of bytes in a text. What lies beyond its first line is not marked, and what is missing at the end of the text is
    /// missing after the last thing that is there.
    #[must_use]
    pub fn in_text(file: &str, text: &str, start: usize, end: usize) -> Self {
        let start = text.floor_char_boundary(start);
        let start = if text[start..].trim().is_empty() { start.min(text.trim_end().len()) } else { start };
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[begin..].split('\n').next().unwrap_or_default();
        let number = text[..begin].bytes().filter(|byte| *byte == b'\n').count() + 1;
        Self::in_line(file, u32::try_from(number).unwrap_or(u32::MAX), line, start - begin, end.saturating_sub(start))
    }

    /// The place of so many bytes in a line, from this byte of it.
    #[must_use]
    pub fn in_line(file: &str, number: u32, line: &str, start: usize, bytes: usize) -> Self {
        let line = line.trim_end_matches('\r');
        let start = line.floor_char_boundary(start);
        let (begin, end) = match line.len() {
            0..=SHOWN => (0, line.len()),
            _ => {
                let begin = line.floor_char_boundary(start.saturating_sub(BEFORE));
                (begin, line.floor_char_boundary(begin + SHOWN))
            }
        };
        let stop = line.floor_char_boundary(start.saturating_add(bytes)).min(end).max(start);
        Self {
            file: file.to_owned(),
            line: number,
            column: count(&line[..start]) + 1,
            text: line[begin..end].chars().map(printable).collect(),
            skipped: count(&line[..begin]),
            width: count(&line[start..stop]).max(1),
        }
    }

    /// How many characters of the shown text stand before the column.
    #[must_use]
    pub fn before(&self) -> usize {
        self.column.saturating_sub(1).saturating_sub(self.skipped) as usize
    }
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// A file may hold anything; a terminal is shown no control characters, and columns stay what they are.
#[must_use]
pub fn printable(c: char) -> char {
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
    fn a_place_counts_lines_and_characters_and_shows_no_control_characters() {
        let at = Place::in_text("a.js", "one\r\n\tä = \u{1b}x\r\nthree", 9, 11);
        assert_eq!((at.line, at.column, at.width, at.text.as_str()), (2, 4, 2, " ä = \u{fffd}x"));
        let over = Place::in_text("a.js", "a\r\n\tä = \u{1b}x\r\n", 9, 40);
        assert_eq!((over.line, over.column, over.width), (2, 6, 2));
        let end = Place::in_text("a.js", "one {\n\n", 99, 100);
        assert_eq!((end.line, end.column, end.width, end.text.as_str()), (1, 6, 1, "one {"));
        let empty = Place::in_text("a.js", "", 0, 0);
        assert_eq!((empty.line, empty.column, empty.width, empty.text.as_str()), (1, 1, 1, ""));
    }

    #[test]
    fn of_a_long_line_a_part_is_shown_and_the_column_is_the_line_s() {
        let text = format!("{}x{}", "é".repeat(5_000), "é".repeat(5_000));
        let at = Place::in_text("a.js", &text, 10_000, 20_001);
        assert_eq!((at.line, at.column, at.skipped, at.before()), (1, 5_001, 4_980, 20));
        assert_eq!(at.text.chars().nth(at.before()), Some('x'));
        assert!(at.text.len() <= SHOWN && at.width < 400, "{at:?}");
    }
}
