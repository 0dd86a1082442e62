//! The components in JavaScript, by componentize-js from npm.

use super::{Builder, Group, sources_under};
use crate::paths::make_folder;
use crate::{npm, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "tests/programs/js";
/// The newest WASI release whose handler componentize-js finds. It compares versions letter by letter.
const WASI: &str = "0.2.10";
/// Each file of the folder, the program that it becomes, and its world.
const FILES: [(&str, &str, &str); 2] = [("app.js", "js", "function"), ("hello.js", "js-hello", "hello")];
/// A world for the benchmark alone: what other hosts serve too.
const HELLO: &str = "\nworld hello {\n    include wasi:http/proxy@0.2.10;\n}\n";

pub(super) const GROUP: Group = Group { name: FOLDER, sources: &[FOLDER, "wit"], programs: &["js", "js-hello"], tools, build };

/// The lock file is among the sources, and names every other tool.
fn tools(_: &Builder) -> Result<String> {
    Ok(format!("{WASI}{HELLO}"))
}

fn build(builder: &Builder, into: &Path) -> Result<()> {
    let folder = builder.paths.root.join(FOLDER);
    let tools = npm::install(builder.paths, "js", &folder)?;
    let work = builder.paths.guests("js");
    let _ = fs::remove_dir_all(&work);
    write_wit(builder, &work.join("wit"))?;
    let contract = work.join("wit/world.wit");
    let worlds = fs::read_to_string(&contract).context("cannot read the worlds")?;
    fs::write(&contract, worlds + HELLO).context("cannot write the worlds")?;
    for (file, program, world) in FILES {
        fs::copy(folder.join(file), work.join(file)).with_context(|| format!("cannot copy {file}"))?;
        let mut componentize = Command::new(tools.join("node_modules/.bin/componentize-js"));
        componentize.args(["--wit", "wit", "-n", world, "-o"]).arg(into.join(program).with_extension("wasm")).arg(file);
        run::run(componentize.current_dir(&work))?;
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
