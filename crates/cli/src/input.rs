//! What a person gives a command: text as it stands, standard input for `-`, a file for `@FILE`.

use std::{fs, io::Read as _};

use types::{Code, Problem};

/// The bytes that an argument stands for.
///
/// # Errors
/// `E0709` if the file or standard input can't be read.
pub(crate) fn bytes(given: &str) -> Result<Vec<u8>, Problem> {
    if given == "-" {
        return standard_input();
    }
    match given.strip_prefix('@') {
        Some(file) => fs::read(file).map_err(|error| Problem::new(Code::E0709, format!("cannot read {file}: {error}"))),
        None => Ok(given.as_bytes().to_vec()),
    }
}

/// The same as text.
///
/// # Errors
/// As [`bytes`], and `E0709` if it is not UTF-8.
pub(crate) fn text(given: &str) -> Result<String, Problem> {
    String::from_utf8(bytes(given)?).map_err(|error| Problem::new(Code::E0709, format!("it is no text: {error}")))
}

/// All of standard input.
///
/// # Errors
/// `E0709` if it can't be read.
pub(crate) fn standard_input() -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Problem::new(Code::E0709, format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}
