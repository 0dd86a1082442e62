//! Where things are: in the checkout, and in the user's cache folder, which outlives the checkout.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folders that xtask works in. All of them exist.
pub(crate) struct Paths {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Where cargo puts the workspace's own builds.
    pub(crate) target: PathBuf,
    /// `$XDG_CACHE_HOME/dayfly`, or `~/.cache/dayfly`.
    pub(crate) cache: PathBuf,
}

impl Paths {
    pub(crate) fn find() -> Result<Self> {
        let manifest =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask has no folder above it")?.to_owned();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let cache = cache_home()?.join("dayfly");
        for folder in [&target, &cache] {
            make_folder(folder)?;
        }
        Ok(Self { root, target, cache })
    }

    /// Where the test programs end up. Tests look for them here and nowhere else.
    pub(crate) fn programs(&self) -> PathBuf {
        self.root.join("target/programs")
    }

    /// Where guests are compiled: apart from the workspace's own builds, whose lock they would otherwise wait for.
    pub(crate) fn guests(&self, name: &str) -> PathBuf {
        self.root.join("target/guests").join(name)
    }

    /// Where toolchains for guests are installed.
    pub(crate) fn toolchains(&self) -> PathBuf {
        self.cache.join("toolchains")
    }

    /// Keeps other runs of xtask out of the cache folder until the file is dropped.
    pub(crate) fn lock_cache(&self) -> Result<File> {
        let path = self.cache.join("lock");
        let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        if lock.try_lock().is_err() {
            eprintln!("waiting for another xtask to leave {}", self.cache.display());
            lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(lock)
    }
}

pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn cache_home() -> Result<PathBuf> {
    // The XDG base directory specification says to ignore relative paths.
    let configured = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    match configured {
        Some(path) => Ok(path),
        None => Ok(std::env::home_dir().context("there is no home folder: set XDG_CACHE_HOME")?.join(".cache")),
    }
}
