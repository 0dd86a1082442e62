//! The JavaScript engine: `sdk/js/engine` built as a component, and taken apart into what is shipped in `sdk/js/dist`.
//!
//! Nobody needs this to build dayfly. Who changes the engine runs it and commits what comes out.

mod build;
mod template;

use crate::paths::{Paths, make_folder};
use crate::rust_wasi::RustWasi;
use anyhow::{Context, Result};
use std::fs;

/// Builds the engine and writes `sdk/js/dist`.
pub(crate) fn build(paths: &Paths, rust: &RustWasi) -> Result<()> {
    let component = build::component(paths, rust)?;
    let parts = template::split(&component).context("cannot take the engine's component apart")?;
    let dist = paths.root.join("sdk/js/dist");
    make_folder(&dist)?;
    let mut digests = String::new();
    for (name, bytes) in [("engine.wasm", &parts.template), ("image.wasm", &parts.image)] {
        fs::write(dist.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
        digests.push_str(&format!("{}  {name}\n", blake3::hash(bytes).to_hex()));
        eprintln!("{name:>15}  {:>7} KB", bytes.len() / 1000);
    }
    for tool in build::tools(rust)? {
        digests.push_str(&format!("# {tool}\n"));
    }
    fs::write(dist.join("digests"), digests).context("cannot write the digests")
}
