//! The data folder: its layout, and the lock that keeps a second process out.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use types::{Code, Problem};

/// The folder of one node, held by this process until the last clone of the `Arc` around it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Locked by the kernel: the lock goes with the process, however it ends.
    _lock: File,
}

impl Folder {
    /// Makes what is missing and takes the lock.
    ///
    /// # Errors
    /// `E0607` if another process has it; `E0601` and `E0602` if the folder can't be made.
    pub(crate) fn open(root: &Path) -> Result<Self, Problem> {
        for folder in [root.to_path_buf(), root.join("kv"), root.join("blobs")] {
            fs::create_dir_all(&folder).map_err(|error| cannot(&folder, "make", &error))?;
        }
        let path = root.join("lock");
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let lock = opened.map_err(|error| cannot(&path, "open", &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(root, &path)),
            Err(TryLockError::Error(error)) => return Err(cannot(&path, "lock", &error)),
        }
        name_holder(&lock).map_err(|error| cannot(&path, "write", &error))?;
        let folder = Self { root: root.to_path_buf(), _lock: lock };
        sync_dir(root).map_err(|error| cannot(root, "sync", &error))?;
        Ok(folder)
    }

    pub(crate) fn kv(&self) -> PathBuf {
        self.root.join("kv").join("shard-0.sqlite")
    }
    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }
    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }
    pub(crate) fn sql(&self) -> PathBuf {
        self.root.join("sql")
    }
    pub(crate) fn secrets(&self) -> PathBuf {
        self.root.join("secrets.sqlite")
    }
    pub(crate) fn secrets_key(&self) -> PathBuf {
        self.root.join("secrets.key")
    }
    pub(crate) fn catalog(&self) -> PathBuf {
        self.root.join("catalog.sqlite")
    }
}

/// Makes the names in a folder durable: a file that was created or renamed is only found after a power cut if this was done.
pub(crate) fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether there was no room. Quotas count: to the one who writes it is the same.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn name_holder(mut lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())
}

fn in_use(root: &Path, lock: &Path) -> Problem {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    let by = if holder.is_empty() { "another process".into() } else { format!("process {}", holder.trim()) };
    Problem::new(Code::E0607, format!("the data folder {} is in use by {by}", root.display()))
        .help("stop that process, or use another folder: dayfly server --data <folder>")
}

fn cannot(path: &Path, what: &str, error: &io::Error) -> Problem {
    let code = if is_full(error) { Code::E0602 } else { Code::E0601 };
    Problem::new(code, format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let first = Folder::open(dir.path()).expect("nobody has it");
        let refused = Folder::open(dir.path()).expect_err("it is taken");
        assert_eq!(refused.code, Code::E0607);
        assert!(refused.message.ends_with(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        Folder::open(dir.path()).expect("it was given back");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("file"), "").expect("writable");
        let refused = Folder::open(&dir.path().join("file")).expect_err("a file is not a folder");
        assert!(refused.code == Code::E0601 && refused.message.contains("file"), "{refused}");
    }
}
