//! A file as it lies on disk: whether it changed since it was read, and its text.

use std::{fs, io::Read as _, os::unix::fs::MetadataExt as _, path::Path};

use types::{ByteCount, Code, Place, Problem, limits};

/// Says whether a file is still the one that was read, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
}

impl Stamp {
    /// Of what lies at the path now, if anything does.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Some(Self {
            inode: data.ino(),
            bytes: data.size(),
            modified_ns: ns(data.mtime(), data.mtime_nsec()),
            changed_ns: ns(data.ctime(), data.ctime_nsec()),
        })
    }
}

/// The bytes of a file, unless there are too many.
///
/// # Errors
/// `E0301` if it can't be read, `E0317` if it is too large.
pub(crate) fn read(path: &Path, name: &str) -> Result<Vec<u8>, Problem> {
    let failed = |error| Problem::new(Code::E0301, format!("{name} can't be read: {error}"));
    let mut bytes = Vec::new();
    let mut file = fs::File::open(path).map_err(failed)?;
    file.by_ref().take(limits::SCRIPT_FILE.0 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limits::SCRIPT_FILE.0 {
        let size = ByteCount(file.metadata().map_or(bytes.len() as u64, |data| data.len()));
        let problem = Problem::limit(Code::E0317, &format!("script file {name}"), size, limits::SCRIPT_FILE);
        return Err(problem.help("put data into a bucket (env.bucket.NAME.get) instead of importing it"));
    }
    Ok(bytes)
}

/// A text that is not JSON, by what the parser says of it: its words may end with the place, which is told apart.
pub(crate) fn not_json(code: Code, name: &str, text: &str, message: &str, (line, column): (usize, usize)) -> Problem {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = before + column.saturating_sub(1);
    let message = message.split(" at line ").next().unwrap_or_default();
    Problem::new(code, format!("{name} is not JSON: {message}")).at(Place::in_text(name, text, at, at + 1))
}

/// The bytes as text, without a byte order mark.
///
/// # Errors
/// `E0312` with the place of the first byte that is no UTF-8.
pub(crate) fn text(bytes: Vec<u8>, name: &str) -> Result<String, Problem> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let rest = String::from_utf8_lossy(&error.as_bytes()[at..]);
        let begun = before.rsplit('\n').next().unwrap_or_default();
        let shown = format!("{begun}{}", rest.lines().next().unwrap_or_default());
        let place = Place::in_line(name, u32::try_from(line).unwrap_or(u32::MAX), &shown, begun.len(), 1);
        Problem::new(Code::E0312, format!("{name} is not UTF-8: the byte at offset {at} is no text"))
            .at(place)
            .help("save the file as UTF-8, or import it as bytes: with { type: \"bytes\" }")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
