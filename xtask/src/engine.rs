//! The JavaScript engine: `sdk/js/engine` built as a component, and taken apart into what is shipped in `sdk/js/dist`.
//!
//! Nobody needs this to build dayfly. Who changes the engine runs it and commits what comes out.

mod build;
mod template;

use crate::paths::{Paths, make_folder};
use crate::rust_wasi::RustWasi;
use anyhow::{Context, Result, ensure};
use std::fs;
use template::Parts;

/// The folder of what is shipped.
const DIST: &str = "sdk/js/dist";

/// Builds the engine and writes `sdk/js/dist`.
pub(crate) fn build(paths: &Paths, rust: &RustWasi) -> Result<()> {
    let dist = paths.root.join(DIST);
    make_folder(&dist)?;
    let files = files(paths, rust)?;
    for (name, bytes) in &files {
        fs::write(dist.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
        eprintln!("{name:>15}  {:>7} KB", bytes.len() / 1000);
    }
    fs::write(dist.join("digests"), digests(&files, rust)?).context("cannot write the digests")
}

/// Builds the engine and compares it with what is shipped. The same tools make the same bytes, so anything else is an engine of other sources.
pub(crate) fn check(paths: &Paths, rust: &RustWasi) -> Result<()> {
    let shipped = fs::read_to_string(paths.root.join(DIST).join("digests")).context("cannot read the digests")?;
    let (shipped_tools, tools) = (comments(&shipped), build::tools(rust)?);
    ensure!(
        shipped_tools == tools,
        "the shipped engine was made with other tools, so its bytes say nothing: {} there, {} here",
        shipped_tools.join(", "),
        tools.join(", ")
    );
    let built = digests(&files(paths, rust)?, rust)?;
    ensure!(
        built == shipped,
        "the shipped engine is not that of its sources: run `cargo xtask engine` and commit {DIST}\n{built}"
    );
    eprintln!("the shipped engine is that of its sources");
    Ok(())
}

/// Whether this machine has the tools that the shipped engine was made with, so that [`check`] says something.
pub(crate) fn is_checkable(paths: &Paths, rust: &RustWasi) -> bool {
    let shipped = fs::read_to_string(paths.root.join(DIST).join("digests"));
    shipped.is_ok_and(|shipped| build::tools(rust).is_ok_and(|tools| tools == comments(&shipped)))
}

/// What is shipped, by file name.
fn files(paths: &Paths, rust: &RustWasi) -> Result<[(&'static str, Vec<u8>); 2]> {
    let component = build::component(paths, rust)?;
    let Parts { template, image } = template::split(&component).context("cannot take the engine's component apart")?;
    Ok([("engine.wasm", template), ("image.wasm", image)])
}

/// A line for each file, and one for each tool.
fn digests(files: &[(&str, Vec<u8>)], rust: &RustWasi) -> Result<String> {
    let lines = files.iter().map(|(name, bytes)| format!("{}  {name}\n", blake3::hash(bytes).to_hex()));
    let tools = build::tools(rust)?.into_iter().map(|tool| format!("# {tool}\n"));
    Ok(lines.chain(tools).collect())
}

fn comments(digests: &str) -> Vec<String> {
    digests.lines().filter_map(|line| line.strip_prefix("# ")).map(str::to_owned).collect()
}
