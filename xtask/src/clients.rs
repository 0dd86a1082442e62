//! What tests run of other people's. Clients of the node: those in Python, pinned in `tests/clients/requirements.txt`, and those that Debian
//! packages, pinned by its release. Tests find the former in `target/clients` and the latter in the path. Packages inside functions: those
//! from npm, pinned in `tests/programs/npm/package-lock.json`, in `target/npm`.

use std::{fs, path::Path};

use crate::{host, npm, paths::Paths, python_env};
use anyhow::{Context, Result};

/// Programs and the packages that have them.
const PACKAGED: [(&str, &str); 2] = [("rclone", "rclone"), ("s3cmd", "s3cmd")];

/// Makes all of them available.
pub(crate) fn ensure(paths: &Paths) -> Result<()> {
    let _lock = paths.lock_cache()?;
    for (program, package) in PACKAGED {
        host::ensure_program(program, &[package])?;
    }
    let home = python_env::ensure(paths, "clients", &paths.root.join("tests/clients/requirements.txt"))?;
    link(&home, &paths.root.join("target/clients"))?;
    let packages = npm::install(paths, "npm", &paths.root.join("tests/programs/npm"))?;
    link(&packages, &paths.root.join("target/npm"))
}

/// Puts a link where tests look, in place of the one to an environment before.
fn link(home: &Path, at: &Path) -> Result<()> {
    if fs::read_link(at).is_ok_and(|present| present == home) {
        return Ok(());
    }
    let fresh = at.with_extension("partial");
    let _ = fs::remove_file(&fresh);
    symlink(home, &fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    fs::rename(&fresh, at).with_context(|| format!("cannot make {}", at.display()))
}

#[cfg(unix)]
fn symlink(home: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(home, at)
}

#[cfg(windows)]
fn symlink(home: &Path, at: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(home, at)
}
