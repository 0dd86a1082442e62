//! The component in Python, by componentize-py from PyPI.

use super::{Builder, Group};
use crate::paths::make_folder;
use crate::{python_env, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "tests/programs/python";

pub(super) const GROUP: Group = Group { name: FOLDER, sources: &[FOLDER, "wit"], programs: &["python"], tools, build };

/// The requirements are among the sources, and the component carries its own Python.
fn tools(_: &Builder) -> Result<String> {
    Ok(String::new())
}

fn build(builder: &Builder, into: &Path) -> Result<()> {
    let home = python_env::ensure(builder.paths, "python", &builder.paths.root.join(FOLDER).join("requirements.txt"))?;
    let work = builder.paths.guests("python");
    make_folder(&work.join("src"))?;
    // A copy, as the tool leaves compiled files beside what it reads.
    fs::copy(builder.paths.root.join(FOLDER).join("app.py"), work.join("src/app.py")).context("cannot copy app.py")?;
    let mut componentize = Command::new(home.join("bin/componentize-py"));
    componentize.arg("-d").arg(builder.paths.root.join("wit")).args(["-w", "function", "componentize", "-p", "src", "app", "-o"]);
    run::run(componentize.arg(into.join("python.wasm")).current_dir(&work))
}
