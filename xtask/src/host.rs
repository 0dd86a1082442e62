//! What the machine itself must have, and how to get it.

use crate::run::{self, cargo};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// Makes a cargo subcommand available, building it from source where it is missing.
pub(crate) fn ensure_cargo_tool(subcommand: &str, package: &str) -> Result<()> {
    if run::output(cargo().args([subcommand, "--version"])).is_ok() {
        return Ok(());
    }
    eprintln!("{package} is missing; building it takes some minutes, once");
    run::run(cargo().args(["install", "--locked", package]))
}

/// Whether a program can be started at all.
pub(crate) fn has(program: &str) -> bool {
    run::output(Command::new(program).arg("--version")).is_ok()
}

/// Makes a program available from Debian's packages where it is missing.
pub(crate) fn ensure_program(program: &str, packages: &[&str]) -> Result<()> {
    if has(program) {
        return Ok(());
    }
    apt_install(packages).with_context(|| format!("{program} is missing"))?;
    if !has(program) {
        bail!("{program} is still missing after installing {}", packages.join(" "));
    }
    Ok(())
}

/// Installs Debian packages, if this is Debian and we may.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let mend = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this machine has no apt-get; install what Debian calls {}", packages.join(" "));
    }
    if !is_root() {
        bail!("run this as root, then try again: {mend}");
    }
    let install = || run::run(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages));
    // A machine that has never asked knows no packages, and one that asked long ago knows the wrong ones.
    install()
        .or_else(|_| run::run(apt_get().arg("update")).and_then(|()| install()))
        .with_context(|| format!("this failed: {mend}"))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
