//! The platform's keys in the file `secrets.key`: one, and two while secrets go from an old one to a new one.
//!
//! The file lies beside the database and never in it, so that a copy of the database alone opens nothing. It is only ever replaced whole.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use ports::StoreError;
use zeroize::Zeroizing;

use super::seal::Key;
use crate::folder::{is_full, sync_dir};

const MAGIC: &str = "dayfly-secrets-key-1";

/// The keys, the newest first.
pub(super) struct Ring {
    path: PathBuf,
    keys: Vec<Key>,
}

impl Ring {
    /// Reads the file; `None` if there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => Zeroizing::new(text.map_err(|error| cannot("read", path, &error))?),
        };
        // It may have come back from a backup that forgot who may read it.
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, private).map_err(|error| cannot("protect", path, &error))?;
        let keys: Option<Vec<Key>> = text.lines().map(key_of).collect();
        match keys.filter(|keys| !keys.is_empty()) {
            Some(keys) => Ok(Some(Self { path: path.to_path_buf(), keys })),
            None => Err(StoreError::Damaged(format!("{} holds no key, or one that was changed", path.display()))),
        }
    }

    /// Makes the file with a new key.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let ring = Self { path: path.to_path_buf(), keys: vec![Key::random()?] };
        ring.write()?;
        Ok(ring)
    }

    pub(super) fn newest(&self) -> &Key {
        self.keys.first().expect("a ring is never empty")
    }
    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id() == id)
    }
    pub(super) fn ids(&self) -> Vec<String> {
        self.keys.iter().map(Key::id).collect()
    }
    /// Whether there are keys that nothing should be sealed with any more.
    pub(super) fn has_old(&self) -> bool {
        self.keys.len() > 1
    }

    /// A new key before all others, durable before anything is sealed with it.
    pub(super) fn add(&mut self) -> Result<(), StoreError> {
        self.keys.insert(0, Key::random()?);
        self.write().inspect_err(|_| drop(self.keys.remove(0)))
    }

    /// Forgets all keys but the newest.
    pub(super) fn forget_old(&mut self) -> Result<(), StoreError> {
        let old = self.keys.split_off(1);
        self.write().inspect_err(|_| self.keys.extend(old.iter().cloned()))
    }

    fn write(&self) -> Result<(), StoreError> {
        let mut text = Zeroizing::new(String::new());
        for key in &self.keys {
            text.push_str(&format!("{MAGIC} {} {}\n", key.id(), BASE64.encode(key.bytes())));
        }
        let new = self.path.with_extension("key.new");
        let replace = || {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            sync_dir(self.path.parent().unwrap_or(Path::new("/")))
        };
        replace().map_err(|error| cannot("write", &self.path, &error))
    }
}

/// The key of a line, if its id is its own.
fn key_of(line: &str) -> Option<Key> {
    let mut words = line.split(' ');
    let (Some(MAGIC), Some(id), Some(key), None) = (words.next(), words.next(), words.next(), words.next()) else { return None };
    let key = Key::from_slice(&Zeroizing::new(BASE64.decode(key.as_bytes()).ok()?))?;
    (key.id() == id).then_some(key)
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> StoreError {
    if is_full(error) { StoreError::Full } else { StoreError::Failed(format!("cannot {what} {}: {error}", path.display())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_damaged_and_a_missing_one_is_none() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("secrets.key");
        assert!(Ring::read(&path).expect("no file is no error").is_none());
        let mut ring = Ring::create(&path).expect("writable");
        let first = ring.newest().id();
        ring.add().expect("writable");
        let read = Ring::read(&path).expect("readable").expect("it is there");
        assert_eq!((read.ids(), read.find(&first).is_some()), (ring.ids(), true));
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        ring.forget_old().expect("writable");
        assert!(ring.find(&first).is_none() && !ring.has_old());
        let text = fs::read_to_string(&path).expect("readable");
        for bad in ["", "x", &text.replace(&ring.newest().id(), "0000000000000000"), &format!("{text}more\n")] {
            fs::write(&path, bad).expect("writable");
            assert!(matches!(Ring::read(&path), Err(StoreError::Damaged(_))), "{bad:?}");
        }
    }
}
