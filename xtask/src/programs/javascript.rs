//! The component in JavaScript, by componentize-js from npm.

use super::{Builder, Group, sources_under};
use crate::paths::make_folder;
use crate::{host, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "tests/programs/js";
/// The newest WASI release whose handler componentize-js finds. It compares versions letter by letter.
const WASI: &str = "0.2.10";
const NODE_MAJOR_MIN: u32 = 20;

pub(super) const GROUP: Group = Group { name: FOLDER, sources: &[FOLDER, "wit"], programs: &["js"], tools, build };

/// The lock file is among the sources, and names every other tool.
fn tools(_: &Builder) -> Result<String> {
    Ok(WASI.to_owned())
}

fn build(builder: &Builder, into: &Path) -> Result<()> {
    let tools = install(builder)?;
    let work = builder.paths.guests("js");
    let _ = fs::remove_dir_all(&work);
    write_wit(builder, &work.join("wit"))?;
    fs::copy(builder.paths.root.join(FOLDER).join("app.js"), work.join("app.js")).context("cannot copy app.js")?;
    let mut componentize = Command::new(tools.join("node_modules/.bin/componentize-js"));
    componentize.args(["--wit", "wit", "-n", "function", "-o"]).arg(into.join("js.wasm")).arg("app.js");
    run::run(componentize.current_dir(&work))
}

/// Installs what the lock file names, once for each state of it.
fn install(builder: &Builder) -> Result<PathBuf> {
    host::ensure_program("node", &["nodejs", "npm"])?;
    host::ensure_program("npm", &["npm"])?;
    check_node()?;
    let manifest = builder.paths.root.join(FOLDER);
    let lock = fs::read(manifest.join("package-lock.json")).context("cannot read package-lock.json")?;
    let home = builder.paths.toolchains().join(format!("js-{}", &blake3::hash(&lock).to_hex()[..16]));
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
        bail!("node is {version}; componentize-js needs {NODE_MAJOR_MIN} or later");
    }
    Ok(())
}

/// Copies the contract with every version of WASI lowered at once: packages, imports and feature gates must agree.
fn write_wit(builder: &Builder, into: &Path) -> Result<()> {
    let wit = builder.paths.root.join("wit");
    for file in sources_under(&wit)?.iter().filter(|file| file.extension().is_some_and(|extension| extension == "wit")) {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let target = into.join(file.strip_prefix(&wit).context("a WIT file is outside its folder")?);
        make_folder(target.parent().unwrap_or(into))?;
        fs::write(&target, text.replace("0.2.12", WASI)).with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}
