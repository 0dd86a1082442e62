//! The files that hold larger objects: their names, who reads them, and when they go.
//!
//! A file gets its name before it is written, and is an object's when a row of `object_file` says so: so nothing is ever renamed, and what
//! a crash leaves is a file of an earlier generation that no row names. A file that no object names any more is unlinked when nobody
//! reads it: readers pin the files of the version that they found, and look then whether it is still there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use ports::StoreError;
use tokio::sync::Notify;

use crate::{
    failpoint::Failpoints,
    folder::{Folder, is_full, sync_dir},
    stop::Stop,
};

/// How many files one generation may have: the lower bits of a file's number.
const GENERATION_SHIFT: u32 = 32;

/// The folder of files, and what is known of them in memory.
pub(super) struct Files {
    root: PathBuf,
    pub(super) stop: Stop,
    pub(super) failpoints: Failpoints,
    next: AtomicU64,
    pins: Mutex<BTreeMap<u64, u32>>,
    /// Files that were begun and came to nothing.
    discarded: Mutex<BTreeSet<u64>>,
    /// Wakes the reaper.
    pub(super) work: Notify,
    pub(super) is_closed: AtomicBool,
    /// Readers may outlive the store: until then the folder is not free.
    _folder: Arc<Folder>,
}

impl Files {
    pub(super) fn open(folder: &Arc<Folder>, stop: Stop, failpoints: Failpoints) -> Result<Self, StoreError> {
        let root = folder.objects();
        fs::create_dir_all(&root).map_err(|error| failure(&root, "make", &error))?;
        Ok(Self {
            root,
            stop,
            failpoints,
            next: AtomicU64::new(0),
            pins: Mutex::default(),
            discarded: Mutex::default(),
            work: Notify::new(),
            is_closed: AtomicBool::new(false),
            _folder: folder.clone(),
        })
    }

    /// Numbers files within this opening of the folder.
    pub(super) fn begin(&self, generation: u64) {
        self.next.store(generation << GENERATION_SHIFT, Ordering::SeqCst);
    }

    pub(super) fn path(&self, id: u64) -> PathBuf {
        self.root.join(format!("{:02x}", id & 0xff)).join(format!("{id:016x}"))
    }

    /// Makes a new file, which is removed again unless it is kept.
    pub(super) fn create(self: &Arc<Self>) -> Result<(File, Temporary), StoreError> {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let path = self.path(id);
        let open = || File::options().read(true).write(true).create_new(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().expect("a file of ours lies in a folder");
                fs::create_dir_all(folder).map_err(|error| failure(folder, "make", &error))?;
                self.sync_folder(&self.root)?;
                open()
            }
            opened => opened,
        };
        let file = file.map_err(|error| failure(&path, "make", &error))?;
        Ok((file, Temporary { files: self.clone(), id, is_kept: AtomicBool::new(false) }))
    }

    /// Makes the bytes and the name of a file durable.
    pub(super) fn sync(&self, file: &File, id: u64) -> Result<(), StoreError> {
        let path = self.path(id);
        file.sync_all().map_err(|error| {
            if !is_full(&error) {
                self.stop.stop(&format!("fsync of {} failed: {error}", path.display()));
            }
            failure(&path, "sync", &error)
        })?;
        self.sync_folder(path.parent().expect("a file of ours lies in a folder"))
    }

    fn sync_folder(&self, folder: &std::path::Path) -> Result<(), StoreError> {
        sync_dir(folder).map_err(|error| {
            self.stop.stop(&format!("fsync of {} failed: {error}", folder.display()));
            failure(folder, "sync", &error)
        })
    }

    /// Unlinks a file, if it is there. What can't be unlinked stays until the next start.
    pub(super) fn unlink(&self, id: u64) {
        let path = self.path(id);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove a file that nothing names");
        }
    }

    /// There may be something to unlink.
    pub(super) fn wake(&self) {
        self.work.notify_one();
    }

    /// Keeps these files until the pins are dropped.
    pub(super) fn pin(self: &Arc<Self>, ids: Vec<u64>) -> Pins {
        let mut pins = self.pins.lock();
        ids.iter().for_each(|id| *pins.entry(*id).or_default() += 1);
        Pins { files: self.clone(), ids }
    }

    /// Those of the files that nobody reads. Nobody will: no version names them any more.
    pub(super) fn unread(&self, ids: Vec<u64>) -> Vec<u64> {
        let pins = self.pins.lock();
        ids.into_iter().filter(|id| !pins.contains_key(id)).collect()
    }

    /// Takes the files that came to nothing.
    pub(super) fn take_discarded(&self) -> BTreeSet<u64> {
        std::mem::take(&mut self.discarded.lock())
    }

    /// Files of earlier generations in one of the folders, of which there are 256.
    pub(super) fn earlier(&self, folder: u8) -> Result<Vec<u64>, StoreError> {
        let path = self.root.join(format!("{folder:02x}"));
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(|error| failure(&path, "list", &error))?,
        };
        let generation = self.next.load(Ordering::SeqCst) >> GENERATION_SHIFT;
        let ids = entries.filter_map(|entry| u64::from_str_radix(entry.ok()?.file_name().to_str()?, 16).ok());
        Ok(ids.filter(|id| id >> GENERATION_SHIFT < generation).collect())
    }
}

/// A file that is removed when this is dropped, unless a row names it.
pub(super) struct Temporary {
    files: Arc<Files>,
    pub(super) id: u64,
    is_kept: AtomicBool,
}

impl Temporary {
    /// A row that names it is about to be committed. It may be, whatever the caller hears, so only the next start may remove it.
    pub(super) fn keep(&self) {
        self.is_kept.store(true, Ordering::SeqCst);
    }

    /// Nothing was committed for certain.
    pub(super) fn discard(&self) {
        self.is_kept.store(false, Ordering::SeqCst);
    }

    pub(super) fn files(&self) -> &Arc<Files> {
        &self.files
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept.load(Ordering::SeqCst) {
            self.files.discarded.lock().insert(self.id);
            self.files.wake();
        }
    }
}

/// Files that are being read.
pub(super) struct Pins {
    files: Arc<Files>,
    ids: Vec<u64>,
}

impl Drop for Pins {
    fn drop(&mut self) {
        let mut pins = self.files.pins.lock();
        for id in &self.ids {
            if let Some(count) = pins.get_mut(id) {
                *count -= 1;
                if *count == 0 {
                    pins.remove(id);
                }
            }
        }
        drop(pins);
        self.files.wake();
    }
}

pub(super) fn failure(path: &std::path::Path, what: &str, error: &io::Error) -> StoreError {
    if is_full(error) {
        return StoreError::Full;
    }
    StoreError::Failed(format!("cannot {what} {}: {error}", path.display()))
}
