//! Blobs as files, named by their digest.
//!
//! A file appears under its name only when its bytes are durable: written under a temporary name, synced, renamed, and the folder synced.
//! So a name never shows half a blob, whenever the process dies.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Blob, StoreError};
use tokio::sync::Semaphore;
use types::Digest;

use crate::{
    failpoint::{Failpoints, Passed, Point},
    folder::{Folder, is_full, sync_dir},
    stop::Stop,
};

/// Blobs that are read or written at once; each holds a blocking thread and its bytes.
const WORKING_MAX: usize = 16;
/// The digits of a digest that name its folder.
const FOLDER_DIGITS: usize = 2;

/// The blobs of one node.
pub(crate) struct BlobStore {
    files: Arc<Files>,
    permits: Semaphore,
}

struct Files {
    root: PathBuf,
    next_temporary: AtomicU64,
    stop: Stop,
    failpoints: Failpoints,
    _folder: Arc<Folder>,
}

impl BlobStore {
    /// Opens the folder and removes what was being written when the last process died.
    pub(crate) fn open(folder: Arc<Folder>, stop: Stop, failpoints: Failpoints) -> Result<Self, StoreError> {
        let root = folder.blobs();
        let temporary = root.join("tmp");
        if temporary.exists() {
            fs::remove_dir_all(&temporary).map_err(|error| failure(&temporary, "remove", &error))?;
        }
        fs::create_dir(&temporary).map_err(|error| failure(&temporary, "make", &error))?;
        let files = Files { root, next_temporary: AtomicU64::new(0), stop, failpoints, _folder: folder };
        Ok(Self { files: Arc::new(files), permits: Semaphore::new(WORKING_MAX) })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        self.files.stop.check()?;
        let files = self.files.clone();
        let task = tokio::task::spawn_blocking(move || work(&files));
        task.await.unwrap_or_else(|error| Err(StoreError::Ambiguous(format!("a file task did not finish: {error}"))))
    }
}

#[async_trait]
impl Blob for BlobStore {
    async fn put(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        self.run(move |files| files.put(&bytes)).await
    }
    async fn get(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        let digest = *digest;
        self.run(move |files| files.get(&digest)).await
    }
    async fn has(&self, digest: &Digest) -> Result<bool, StoreError> {
        let digest = *digest;
        self.run(move |files| {
            let (_, path) = files.place(&digest);
            path.try_exists().map_err(|error| failure(&path, "look for", &error))
        })
        .await
    }
    async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        self.run(Files::list).await
    }
    async fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        let digest = *digest;
        self.run(move |files| files.remove(&digest)).await
    }
}

impl Files {
    /// The folder of a blob and its file.
    fn place(&self, digest: &Digest) -> (PathBuf, PathBuf) {
        let hex = digest.to_hex();
        let (first, rest) = hex.split_at(FOLDER_DIGITS);
        let folder = self.root.join(first);
        let file = folder.join(rest);
        (folder, file)
    }

    fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::from_bytes(*blake3::hash(bytes).as_bytes());
        let (folder, path) = self.place(&digest);
        if !folder.exists() {
            fs::create_dir_all(&folder).map_err(|error| failure(&folder, "make", &error))?;
            self.sync(&self.root)?;
        }
        // A damaged file is written anew: storing the bytes again is how people mend it.
        if read(&path)?.is_some_and(|present| present == bytes) {
            self.sync(&folder)?;
            return Ok(digest);
        }
        let temporary = self.root.join("tmp").join(self.next_temporary.fetch_add(1, Ordering::Relaxed).to_string());
        let written = self.write(&temporary, bytes).and_then(|()| {
            self.failpoints.pass(Point::BlobBeforeRename);
            fs::rename(&temporary, &path).map_err(|error| failure(&path, "name", &error))
        });
        if written.is_err() {
            // Nothing refers to it, and the next start removes it if this can't.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        self.sync(&folder)?;
        Ok(digest)
    }

    /// Writes a file that nobody knows yet. If that fails, nothing was stored.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let write = || -> io::Result<File> {
            let mut file = File::create_new(path)?;
            file.write_all(bytes)?;
            Ok(file)
        };
        let file = write().map_err(|error| failure(path, "write", &error))?;
        file.sync_all().map_err(|error| {
            if !is_full(&error) {
                self.stop.stop(&format!("fsync of {} failed: {error}", path.display()));
            }
            failure(path, "sync", &error)
        })
    }

    /// Makes names durable. If that fails, a blob may be stored or not.
    fn sync(&self, folder: &Path) -> Result<(), StoreError> {
        let injected = match self.failpoints.pass(Point::BlobAfterRename) {
            Passed::Fail => Err(io::Error::other("a failpoint failed the fsync")),
            Passed::On | Passed::Skip => Ok(()),
        };
        injected.and_then(|()| sync_dir(folder)).map_err(|error| {
            let text = format!("fsync of {} failed: {error}", folder.display());
            self.stop.stop(&text);
            StoreError::Ambiguous(text)
        })
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        let (_, path) = self.place(digest);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        if blake3::hash(&bytes).as_bytes() != digest.as_bytes() {
            return Err(StoreError::Damaged(format!("blob {digest} has other bytes than were stored")));
        }
        Ok(Some(bytes.into()))
    }

    fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let names = |folder: &Path| -> io::Result<Vec<String>> {
            fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        };
        let mut found = Vec::new();
        for first in names(&self.root).map_err(|error| failure(&self.root, "list", &error))? {
            // Temporary files have a folder of a longer name.
            if first.len() == FOLDER_DIGITS {
                let folder = self.root.join(&first);
                let rest = names(&folder).map_err(|error| failure(&folder, "list", &error))?;
                found.extend(rest.iter().filter_map(|rest| Digest::from_hex(&format!("{first}{rest}"))));
            }
        }
        Ok(found)
    }

    fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        let (folder, path) = self.place(digest);
        match fs::remove_file(&path) {
            Ok(()) => self.sync(&folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failure(&path, "remove", &error)),
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure(path, "read", &error)),
    }
}

fn failure(path: &Path, what: &str, error: &io::Error) -> StoreError {
    if is_full(error) {
        return StoreError::Full;
    }
    StoreError::Failed(format!("cannot {what} {}: {error}", path.display()))
}
