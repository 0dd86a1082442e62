//! Output: data on standard output, everything else on standard error, colour only for people.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;
use types::Problem;

use crate::{
    exit::Failure,
    render::text::{escaped, span},
};

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    /// JSON was asked for.
    pub(crate) json: bool,
}

impl Printer {
    /// Prints data: the JSON form of it, or the text that a person reads.
    pub(crate) fn data<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        let text = if self.json { to_json(value) } else { text(value) };
        line(&text)
    }

    /// Says something about what is going on; nothing where JSON was asked for.
    pub(crate) fn note(self, text: impl AsRef<str>) {
        if !self.json {
            anstream::eprintln!("{}", text.as_ref().trim_end_matches('\n'));
        }
    }

    /// Prints why a command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        for problem in &failure.0 {
            if self.json {
                anstream::eprintln!("{}", to_json(problem));
            } else {
                anstream::eprint!("{}", coloured(problem));
            }
        }
    }
}

/// One object on one line.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()))
}

/// Prints a line, or several, of data.
///
/// # Errors
/// If standard output is closed: whoever read it has read enough.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.trim_end_matches('\n').as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A problem with its first line in red; `anstream` drops the colour where there is no terminal.
fn coloured(problem: &Problem) -> String {
    let text = problem.render();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let (code, message) = first.split_once(": ").unwrap_or((first, ""));
    format!("\x1b[1;31m{code}\x1b[0m: {message}\n{rest}")
}

/// Whether a person looks on: there is a terminal, and no CI.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal() && std::env::var_os("CI").is_none_or(|ci| ci.is_empty())
}

/// Whether a person can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && is_watched()
}

/// Asks a yes-or-no question; enter means yes.
pub(crate) fn ask(question: &str) -> io::Result<bool> {
    anstream::eprint!("{question} [Y/n] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
}

/// Rows as a table with aligned columns, the first row being its head.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let pad = widths[column] - cell.chars().count();
            format!("{cell}{:pad$}", "")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Text of several lines that a guest wrote, safe for a terminal, still several lines.
pub(crate) fn printable_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

/// How long something took that was measured here.
pub(crate) fn took(duration: std::time::Duration) -> String {
    span(types::Elapsed::from(duration).ns())
}
