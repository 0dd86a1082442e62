//! Log lines: kept for the test, and printed.

use std::cell::RefCell;

thread_local! {
    static LINES: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps and prints a line.
pub(crate) fn log(level: &str, line: &str) {
    println!("{level:5} {line}");
    LINES.with_borrow_mut(|lines| lines.push((level.to_owned(), line.to_owned())));
}

/// The lines since this was last asked: level and text.
pub fn take() -> Vec<(String, String)> {
    LINES.take()
}
