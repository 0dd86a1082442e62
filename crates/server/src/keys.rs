//! The node's key for journals: made once, kept in the data folder for its owner only. Who loses it loses what was recorded, and
//! nothing else.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use invoke::SealKey;
use ports::Rng;
use types::{Code, Problem};

const FILE: &str = "journal.key";
const KEY_BYTES: usize = 32;

/// The key kept in the data folder, or a new one that is kept there from now on.
///
/// # Errors
/// `E0601` if the file can't be read or written, or is not a key.
pub(crate) fn seal_key(data_dir: &Path, rng: &dyn Rng) -> Result<SealKey, Problem> {
    let file = data_dir.join(FILE);
    let failed = |error: &dyn std::fmt::Display| Problem::new(Code::E0601, format!("the key in {}: {error}", file.display()));
    match fs::read(&file) {
        Ok(bytes) => {
            let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| failed(&"it does not have 32 bytes"))?;
            Ok(SealKey::from_bytes(key))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; KEY_BYTES];
            rng.fill(&mut key);
            write(&file, &key).map_err(|error| failed(&error))?;
            Ok(SealKey::from_bytes(key))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// Written beside and moved into place, so that a crash leaves no half key.
fn write(file: &Path, key: &[u8]) -> io::Result<()> {
    let beside = file.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut handle = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    handle.write_all(key)?;
    handle.sync_all()?;
    fs::rename(&beside, file)?;
    fs::File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
}
