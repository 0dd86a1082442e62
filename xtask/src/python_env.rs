//! Environments of Python packages, each made once for each state of its requirements and kept in the cache folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    host,
    paths::{Paths, make_folder},
    run,
};
use anyhow::{Context, Result};

/// Installs what a file of requirements names; gives the environment's folder.
pub(crate) fn ensure(paths: &Paths, name: &str, requirements: &Path) -> Result<PathBuf> {
    host::ensure_program("python3", &["python3"])?;
    let text = fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let home = paths.toolchains().join(format!("{name}-{}", &blake3::hash(&text).to_hex()[..16]));
    if home.join("complete").exists() {
        return Ok(home);
    }
    make_folder(&paths.toolchains())?;
    let venv = || run::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    // Debian splits off the part of Python that makes environments.
    venv().or_else(|_| host::apt_install(&["python3-venv"]).and_then(|()| venv()))?;
    run::run(Command::new(home.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(requirements))?;
    fs::write(home.join("complete"), "").context("cannot write the stamp")?;
    Ok(home)
}
