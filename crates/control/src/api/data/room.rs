//! How much goes into one page: rows as the caller asks for, and bytes as one answer may hold. A value may be as large as a thousand small
//! ones, so pages are read in steps.

use super::page;

/// Rows that are read at once.
const STEP: usize = 32;
/// Bytes of values after which a page ends.
const BYTES: usize = 8 << 20;

/// What is left of a page.
pub(super) struct Room {
    rows: usize,
    bytes: usize,
}

impl Room {
    /// The room of a page with at most so many rows.
    pub(super) fn of(limit: Option<usize>) -> Self {
        Self { rows: page(limit), bytes: BYTES }
    }

    /// How many rows to read next; none once the page is full or all was read.
    pub(super) fn step(&self) -> Option<usize> {
        (self.rows > 0).then(|| self.rows.min(STEP))
    }

    /// Puts what was read onto the page. The last row that fits in part only is on it too, so that every page leads on.
    pub(super) fn take<T>(&mut self, rows: &mut Vec<T>, read: Vec<T>, bytes_of: impl Fn(&T) -> usize) {
        let is_end = self.step().is_none_or(|step| read.len() < step);
        for row in read {
            self.bytes = self.bytes.saturating_sub(bytes_of(&row));
            self.rows = self.rows.saturating_sub(1);
            rows.push(row);
            if self.bytes == 0 {
                self.rows = 0;
                break;
            }
        }
        if is_end {
            self.rows = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads rows of this many bytes, of which there are so many.
    fn pages(limit: usize, count: usize, bytes: usize) -> Vec<usize> {
        let (mut pages, mut from) = (Vec::new(), 0);
        while from < count {
            let (mut room, mut rows) = (Room::of(Some(limit)), Vec::new());
            while let Some(step) = room.step() {
                let begin = from + rows.len();
                room.take(&mut rows, (begin..count.min(begin + step)).collect(), |_| bytes);
            }
            assert_eq!(rows, (from..from + rows.len()).collect::<Vec<_>>(), "none is left out");
            from += rows.len();
            pages.push(rows.len());
        }
        pages
    }

    #[test]
    fn pages_end_with_their_rows_with_their_bytes_or_with_the_end() {
        assert_eq!(pages(100, 70, 10), [70]);
        assert_eq!(pages(100, 230, 0), [100, 100, 30]);
        assert_eq!(pages(100, 20, 1 << 20), [8, 8, 4]);
        assert_eq!(pages(1_000, 3, BYTES * 2), [1, 1, 1]);
    }
}
