//! Which source line a byte of a component's code came from: a table that is made once, at compile time.
//!
//! The engine could read debug information itself, but does so anew for each call of each backtrace: 20 ms for a small program, seconds
//! for a large one, and nothing can interrupt it. So the compiling child reads it, under its limits, and leaves this table beside the
//! code: sorted by place, looked up in microseconds, read only when a guest traps.
//!
//! The file: a magic word; the counts of rows, chains, frames and bytes of text; then each of these. A row is where a stretch of code
//! begins, as a byte of the component, and the chain of calls that it belongs to, innermost first, since functions are inlined. All numbers
//! are little-endian and of 32 bits. What doesn't fit together is read as if nothing was known.

use std::collections::HashMap;

const MAGIC: &[u8; 8] = b"dflines1";
const WORD: usize = 4;
const HEADER: usize = MAGIC.len() + 4 * WORD;
const ROW_WORDS: usize = 2;
const FRAME_WORDS: usize = 5;
/// In place of a chain: this code has no line.
const NO_CHAIN: u32 = u32::MAX;
/// Rows of one component; what comes after has no lines.
const ROWS: usize = 1 << 18;
/// Bytes of a table: it is read whole when a guest traps. A larger one is not made.
pub(crate) const BYTES: u64 = 8 << 20;

/// One call at a place in the code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Frame<S> {
    /// The function, mangled or not; empty if the debug information has no name for it.
    pub(crate) function: S,
    /// The file as the compiler named it.
    pub(crate) file: S,
    /// The line, from 1.
    pub(crate) line: u32,
}

/// Makes a table.
#[derive(Default)]
pub(crate) struct Builder {
    rows: Vec<(u32, u32)>,
    chains: HashMap<Vec<Frame<u32>>, u32>,
    chain_ends: Vec<u32>,
    frames: Vec<Frame<u32>>,
    texts: HashMap<String, u32>,
    text_places: Vec<(u32, u32)>,
    text: Vec<u8>,
}

impl Builder {
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= ROWS
    }

    /// From this byte of the component on, code belongs to these calls, innermost first. No calls: it belongs to nothing that is known.
    pub(crate) fn add(&mut self, place: u32, calls: &[Frame<&str>]) {
        let calls: Vec<Frame<u32>> = calls
            .iter()
            .map(|call| Frame { function: self.text(call.function), file: self.text(call.file), line: call.line })
            .collect();
        let chain = if calls.is_empty() { NO_CHAIN } else { self.chain(calls) };
        self.rows.push((place, chain));
    }

    /// The table as a file.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.rows.sort_unstable();
        // Of two rows at one place the one with lines counts, which sorts first, and of neighbours of one chain the first.
        self.rows.dedup_by_key(|row| row.0);
        self.rows.dedup_by_key(|row| row.1);
        let counts = [self.rows.len(), self.chain_ends.len(), self.frames.len(), self.text.len()];
        let mut file = MAGIC.to_vec();
        let mut push = |word: u32| file.extend(word.to_le_bytes());
        counts.into_iter().for_each(|count| push(word(count)));
        self.rows.iter().flat_map(|(place, chain)| [*place, *chain]).for_each(&mut push);
        self.chain_ends.iter().copied().for_each(&mut push);
        for Frame { function, file, line } in &self.frames {
            let (function, file) = (self.text_places[*function as usize], self.text_places[*file as usize]);
            [function.0, function.1, file.0, file.1, *line].into_iter().for_each(&mut push);
        }
        file.extend(&self.text);
        file
    }

    fn chain(&mut self, calls: Vec<Frame<u32>>) -> u32 {
        let Self { chains, chain_ends, frames, .. } = self;
        *chains.entry(calls).or_insert_with_key(|calls| {
            frames.extend(calls.iter().cloned());
            chain_ends.push(word(frames.len()));
            word(chain_ends.len() - 1)
        })
    }

    fn text(&mut self, text: &str) -> u32 {
        const BYTES: usize = 1_024;
        let text = &text[..text.floor_char_boundary(BYTES)];
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let number = word(self.text_places.len());
        self.text_places.push((word(self.text.len()), word(text.len())));
        self.text.extend(text.as_bytes());
        self.texts.insert(text.to_owned(), number);
        number
    }
}

fn word(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A table as it lies in a file.
pub(crate) struct Lines<'a> {
    rows: &'a [u8],
    chain_ends: &'a [u8],
    frames: &'a [u8],
    text: &'a [u8],
}

impl<'a> Lines<'a> {
    /// The table, if the bytes are one.
    pub(crate) fn read(file: &'a [u8]) -> Option<Self> {
        let counts = file.strip_prefix(MAGIC)?;
        let count = |index: usize| number(counts, index).map(|count| count as usize);
        let rest = file.get(HEADER..)?;
        let (rows, rest) = rest.split_at_checked(count(0)?.checked_mul(ROW_WORDS * WORD)?)?;
        let (chain_ends, rest) = rest.split_at_checked(count(1)?.checked_mul(WORD)?)?;
        let (frames, text) = rest.split_at_checked(count(2)?.checked_mul(FRAME_WORDS * WORD)?)?;
        (text.len() == count(3)?).then_some(Self { rows, chain_ends, frames, text })
    }

    /// The calls at this byte of the component, innermost first; none if nothing is known of it.
    pub(crate) fn at(&self, place: u32) -> Vec<Frame<&'a str>> {
        self.chain_at(place).unwrap_or_default()
    }

    fn chain_at(&self, place: u32) -> Option<Vec<Frame<&'a str>>> {
        let (mut low, mut high) = (0, self.rows.len() / (ROW_WORDS * WORD));
        while low < high {
            let middle = low.midpoint(high);
            if number(self.rows, middle * ROW_WORDS)? <= place { low = middle + 1 } else { high = middle }
        }
        let chain = number(self.rows, low.checked_sub(1)? * ROW_WORDS + 1)? as usize;
        let begin = chain.checked_sub(1).map_or(Some(0), |before| number(self.chain_ends, before))?;
        let end = number(self.chain_ends, chain)?;
        (begin..end).map(|frame| self.frame(frame as usize * FRAME_WORDS)).collect()
    }

    fn frame(&self, at: usize) -> Option<Frame<&'a str>> {
        let text = |at: usize| {
            let (begin, length) = (number(self.frames, at)? as usize, number(self.frames, at + 1)? as usize);
            std::str::from_utf8(self.text.get(begin..begin.checked_add(length)?)?).ok()
        };
        Some(Frame { function: text(at)?, file: text(at + 2)?, line: number(self.frames, at + 4)? })
    }
}

fn number(bytes: &[u8], index: usize) -> Option<u32> {
    let at = index.checked_mul(WORD)?;
    let word = bytes.get(at..at.checked_add(WORD)?)?;
    word.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &'static str, line: u32) -> Frame<&'static str> {
        Frame { function, file: "src/lib.rs", line }
    }

    fn table() -> Vec<u8> {
        let mut builder = Builder::default();
        builder.add(300, &[]);
        builder.add(100, &[frame("inner", 3), frame("outer", 9)]);
        builder.add(200, &[frame("other", 1)]);
        builder.add(150, &[frame("inner", 3), frame("outer", 9)]);
        builder.finish()
    }

    #[test]
    fn every_place_has_the_calls_of_the_row_before_it() {
        let file = table();
        let lines = Lines::read(&file).expect("a table");
        assert_eq!(lines.at(99), []);
        for place in [100, 149, 150, 199] {
            assert_eq!(lines.at(place), [frame("inner", 3), frame("outer", 9)], "{place}");
        }
        assert_eq!(lines.at(299), [frame("other", 1)]);
        assert_eq!(lines.at(300), []);
    }

    #[test]
    fn a_damaged_table_says_less_and_never_panics() {
        let file = table();
        for end in 0..file.len() {
            assert!(Lines::read(&file[..end]).is_none(), "{end}");
        }
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 0xff;
            if let Some(lines) = Lines::read(&damaged) {
                (0..400).for_each(|place| drop(lines.at(place)));
            }
        }
    }
}
