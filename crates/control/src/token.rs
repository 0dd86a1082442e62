//! The bearer token of the control API: made once, kept in the data folder for its owner only, compared in constant time.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use ports::Rng;
use types::{Code, Problem};

/// What tokens begin with, so that scanners of leaked secrets know them.
const PREFIX: &str = "dft_";
/// Random bytes of a token.
const RANDOM_BYTES: usize = 32;
/// The most characters a token may have.
const TOKEN_BYTES_MAX: usize = 256;

/// A token, kept as its digest: what is compared has one length whatever is sent.
#[derive(Clone)]
pub struct Token {
    digest: blake3::Hash,
}

impl Token {
    /// The token with this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { digest: blake3::hash(text.as_bytes()) }
    }

    /// Whether an `authorization` header bears this token. Takes the same time for every wrong token of one length: the digests are
    /// compared in constant time.
    #[must_use]
    pub fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let token = authorization
            .and_then(|value| value.split_at_checked(7))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        token.is_some_and(|(_, token)| blake3::hash(token) == self.digest)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A new token.
#[must_use]
pub fn generate(rng: &dyn Rng) -> String {
    let mut random = [0; RANDOM_BYTES];
    rng.fill(&mut random);
    let mut hex = String::with_capacity(PREFIX.len() + RANDOM_BYTES * 2);
    hex.push_str(PREFIX);
    for byte in random {
        hex.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).expect("four bits are a digit")));
    }
    hex
}

/// The token kept in the file, or a new one that is kept there from now on, readable by its owner only.
///
/// # Errors
/// `E0601` if the file can't be read or written.
pub fn keep(file: &Path, rng: &dyn Rng) -> Result<String, Problem> {
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() && text.len() <= TOKEN_BYTES_MAX => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read", file, &error)),
    }
    let token = generate(rng);
    write(file, &token).map_err(|error| failed("write", file, &error))?;
    Ok(token)
}

/// Written beside and moved into place, so that nobody ever reads half a token or one that others could read.
fn write(file: &Path, token: &str) -> io::Result<()> {
    let beside = file.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut handle = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    handle.write_all(token.as_bytes())?;
    handle.write_all(b"\n")?;
    handle.sync_all()?;
    fs::rename(&beside, file)
}

fn failed(verb: &str, file: &Path, error: &io::Error) -> Problem {
    Problem::new(Code::E0601, format!("can't {verb} the token in {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Counting;
    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(0u8..).for_each(|(byte, i)| *byte = i);
        }
    }

    #[test]
    fn only_the_token_itself_is_admitted() {
        let token = Token::of("dft_1");
        assert!(token.admits(Some(b"Bearer dft_1")) && token.admits(Some(b"bearer dft_1")));
        for wrong in
            [None, Some(&b"dft_1"[..]), Some(b"Bearer "), Some(b"Bearer dft_2"), Some(b"Basic dft_1"), Some(b"Bearer dft_11")]
        {
            assert!(!token.admits(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_kept_token_is_found_again_and_is_for_its_owner_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("token");
        let token = keep(&file, &Counting).expect("kept");
        assert!(token.starts_with("dft_000102") && token.len() == 68, "{token}");
        assert_eq!(keep(&file, &Counting).expect("kept"), token);
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    }
}
