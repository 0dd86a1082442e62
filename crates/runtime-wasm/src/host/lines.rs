//! Standard output and error: bytes in, lines of log out.

use ports::Scope;
use types::{journal::Level, limits};

/// One output, split into lines. A line that grows past `limits::LOG_LINE` is written as it is and goes on in the next.
pub(crate) struct Lines {
    level: Level,
    context: &'static str,
    unfinished: Vec<u8>,
}

impl Lines {
    pub(crate) const fn stdout() -> Self {
        Self { level: Level::Info, context: "stdout", unfinished: Vec::new() }
    }
    pub(crate) const fn stderr() -> Self {
        Self { level: Level::Error, context: "stderr", unfinished: Vec::new() }
    }

    /// Takes what the guest wrote and logs every line that it ends.
    pub(crate) fn write(&mut self, bytes: &[u8], scope: &dyn Scope) {
        let (level, context) = (self.level, self.context);
        self.split(bytes, |line| log(level, context, line, scope));
    }

    fn split(&mut self, mut bytes: &[u8], mut log: impl FnMut(&[u8])) {
        let line_max = limits::LOG_LINE.as_usize();
        while !bytes.is_empty() {
            let room = line_max - self.unfinished.len();
            let window = &bytes[..bytes.len().min(room)];
            let (line, rest, ended) = match window.iter().position(|byte| *byte == b'\n') {
                Some(at) => (&window[..at], &bytes[at + 1..], true),
                None => (window, &bytes[window.len()..], window.len() == room),
            };
            bytes = rest;
            if !ended {
                self.unfinished.extend_from_slice(line);
            } else if self.unfinished.is_empty() {
                log(line);
            } else {
                self.unfinished.extend_from_slice(line);
                log(&self.unfinished);
                self.unfinished.clear();
            }
        }
    }

    /// Logs the last line if nothing ended it.
    pub(crate) fn end(&mut self, scope: &dyn Scope) {
        if !self.unfinished.is_empty() {
            log(self.level, self.context, &std::mem::take(&mut self.unfinished), scope);
        }
    }
}

fn log(level: Level, context: &str, line: &[u8], scope: &dyn Scope) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    scope.log(level, context, &String::from_utf8_lossy(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(writes: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut lines, mut seen) = (Lines::stdout(), Vec::new());
        for write in writes {
            lines.split(write, |line| seen.push(line.to_vec()));
        }
        (seen, lines.unfinished)
    }

    #[test]
    fn lines_are_put_together_from_writes_and_taken_apart() {
        let (lines, rest) = split(&[b"one\ntwo\nth", b"r", b"ee\n\nfour"]);
        assert_eq!(lines, [&b"one"[..], b"two", b"three", b""]);
        assert_eq!(rest, b"four");
    }

    #[test]
    fn a_line_without_end_is_cut_where_the_limit_is() {
        let max = limits::LOG_LINE.as_usize();
        let (lines, rest) = split(&[&vec![b'a'; max - 1], &vec![b'b'; max + 2]]);
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [max, max]);
        assert_eq!(rest, b"b");
    }
}
