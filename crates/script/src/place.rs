//! From an offset in a text to what a person is shown: line, column and the line itself.

use types::Place;

/// The most characters of a line that are shown: packages are often one line.
const SHOWN: usize = 160;
/// Of a longer line, what is shown before the place that is meant.
const BEFORE: usize = 40;

/// The place of a range of bytes. Of a very long line an excerpt is shown, and the column is the one in the excerpt.
pub(crate) fn place(name: &str, text: &str, start: u32, end: u32) -> Place {
    let start = floor(text, start as usize);
    // What is missing at the end is missing after the last thing that is there.
    let start = if text[start..].trim().is_empty() { start.min(text.trim_end().len()) } else { start };
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[begin..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
    let number = text[..begin].bytes().filter(|byte| *byte == b'\n').count() + 1;
    let (line, column) = excerpt(line, start - begin);
    let stop = floor(line, column + (end as usize).saturating_sub(start)).max(column);
    Place {
        file: name.to_owned(),
        line: u32::try_from(number).unwrap_or(u32::MAX),
        column: count(&line[..column]) + 1,
        width: count(&line[column..stop]).max(1),
        text: line.chars().map(printable).collect(),
    }
}

/// The line, or the part of a very long one that the column lies in, and the column in it.
fn excerpt(line: &str, column: usize) -> (&str, usize) {
    let column = floor(line, column);
    if line.len() <= SHOWN {
        return (line, column);
    }
    let begin = floor(line, column.saturating_sub(BEFORE));
    (&line[begin..floor(line, begin + SHOWN)], column - begin)
}

/// The nearest boundary of a character at or before the byte.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// A file may hold anything; a terminal is shown no control characters, and columns stay what they are.
fn printable(c: char) -> char {
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
    fn a_place_counts_lines_and_characters() {
        let at = place("a.js", "one\r\n\tä = \u{1b}x\r\nthree", 9, 11);
        assert_eq!((at.line, at.column, at.width, at.text.as_str()), (2, 4, 2, " ä = \u{fffd}x"));
        let end = place("a.js", "one {\n\n", 99, 100);
        assert_eq!((end.line, end.column, end.width, end.text.as_str()), (1, 6, 1, "one {"));
        let long = place("a.js", &format!("{}x{}", "é".repeat(500), "é".repeat(500)), 1_000, 1_001);
        assert_eq!((long.line, long.column, long.text.chars().nth(20)), (1, 21, Some('x')));
    }
}
