//! Packages from npm, as the lock files of the checkout pin them: installed once for each state of a lock, in the cache folder.

use crate::paths::{Paths, make_folder};
use crate::{host, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node.js whose npm and tools do what is asked of them here.
const NODE_MAJOR_MIN: u32 = 20;

/// Installs what the lock file of a folder names. Gives the folder that has the `node_modules`.
pub(crate) fn install(paths: &Paths, name: &str, manifest: &Path) -> Result<PathBuf> {
    host::ensure_program("node", &["nodejs", "npm"])?;
    host::ensure_program("npm", &["npm"])?;
    check_node()?;
    let lock = manifest.join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let home = paths.toolchains().join(format!("{name}-{}", &blake3::hash(&lock).to_hex()[..16]));
    if home.join("complete").exists() {
        return Ok(home);
    }
    make_folder(&home)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(manifest.join(file), home.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    run::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&home))?;
    fs::write(home.join("complete"), "").context("cannot write the stamp")?;
    Ok(home)
}

fn check_node() -> Result<()> {
    let version = run::output(Command::new("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        bail!("node is {version}; this takes {NODE_MAJOR_MIN} or later");
    }
    Ok(())
}
