//! The component in Python, by componentize-py from PyPI.

use super::{Builder, Group};
use crate::paths::make_folder;
use crate::{host, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "tests/programs/python";

pub(super) const GROUP: Group = Group { name: FOLDER, sources: &[FOLDER, "wit"], programs: &["python"], tools, build };

/// The requirements are among the sources, and the component carries its own Python.
fn tools(_: &Builder) -> Result<String> {
    Ok(String::new())
}

fn build(builder: &Builder, into: &Path) -> Result<()> {
    let home = install(builder)?;
    let work = builder.paths.guests("python");
    make_folder(&work.join("src"))?;
    // A copy, as the tool leaves compiled files beside what it reads.
    fs::copy(builder.paths.root.join(FOLDER).join("app.py"), work.join("src/app.py")).context("cannot copy app.py")?;
    let mut componentize = Command::new(home.join("bin/componentize-py"));
    componentize.arg("-d").arg(builder.paths.root.join("wit")).args(["-w", "function", "componentize", "-p", "src", "app", "-o"]);
    run::run(componentize.arg(into.join("python.wasm")).current_dir(&work))
}

/// Installs what the requirements name into an environment of its own, once for each state of them.
fn install(builder: &Builder) -> Result<PathBuf> {
    host::ensure_program("python3", &["python3"])?;
    let requirements = builder.paths.root.join(FOLDER).join("requirements.txt");
    let text = fs::read(&requirements).context("cannot read requirements.txt")?;
    let home = builder.paths.toolchains().join(format!("python-{}", &blake3::hash(&text).to_hex()[..16]));
    if home.join("complete").exists() {
        return Ok(home);
    }
    make_folder(&builder.paths.toolchains())?;
    let venv = || run::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    // Debian splits off the part of Python that makes environments.
    venv().or_else(|_| host::apt_install(&["python3-venv"]).and_then(|()| venv()))?;
    run::run(Command::new(home.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(&requirements))?;
    fs::write(home.join("complete"), "").context("cannot write the stamp")?;
    Ok(home)
}
