//! Scripts on the engine that is built in: served, refused and ended, each with the file and the line.

mod bad;
mod images;
mod serving;
mod stopped;

use std::sync::Arc;

use bytes::Bytes;
use ports::{Loaded, Runtime};
use runtime_wasm::WasmRuntime;
use types::{
    Problem,
    script::{Mapping, Module, ModuleKind, Original, Script},
    wire::SCRIPT_MAGIC,
};

use crate::world::{digest, load, shared};

/// An artifact of these files, the first of which is the entry. Imports are names of files.
pub(crate) fn artifact(files: &[(&str, &str)]) -> Bytes {
    artifact_of(files.iter().map(|(name, code)| module(name, code)).collect(), &["fetch"])
}

pub(crate) fn artifact_of(mut modules: Vec<Module>, handlers: &[&str]) -> Bytes {
    let entry = modules[0].name.clone();
    let names: Vec<String> = modules.iter().map(|module| module.name.clone()).collect();
    for module in &mut modules {
        let imported = names.iter().filter(|name| module.code.contains(&format!("./{name}")));
        module.links = imported.map(|name| (format!("./{name}"), name.clone())).collect();
    }
    modules.sort_by(|one, other| one.name.cmp(&other.name));
    let handlers = handlers.iter().map(|handler| (*handler).to_owned()).collect();
    let script = Script { entry, modules, bindings: Vec::new(), handlers };
    [&SCRIPT_MAGIC[..], &postcard::to_stdvec(&script).expect("encoded")].concat().into()
}

pub(crate) fn module(name: &str, code: &str) -> Module {
    let (links, exports, original) = (Vec::new(), Vec::new(), None);
    Module { name: name.into(), kind: ModuleKind::Module, code: code.into(), links, exports, original }
}

/// The module, made of a text that has each of its lines so many lines further down.
pub(crate) fn transformed(name: &str, code: &str, lines_before: u32) -> Module {
    let text = "// a type\n".repeat(lines_before as usize) + code;
    let mapping = |line: u32| Mapping { line, column: 0, original_line: line + lines_before, original_column: 4 };
    let mappings = (0..code.lines().count() as u32).map(mapping).collect();
    Module { original: Some(Original { text, mappings }), ..module(name, code) }
}

/// A handler with this body.
pub(crate) fn handler(body: &str) -> String {
    format!("export default {{\n  async fetch(request, env, ctx) {{\n    {body}\n  }}\n}};\n")
}

pub(crate) async fn script(files: &[(&str, &str)]) -> Arc<dyn Loaded> {
    load(&shared(), artifact(files)).await.unwrap_or_else(|problem| panic!("{}", problem.render()))
}

/// What a deployment of these files is told.
pub(crate) async fn refusal(files: &[(&str, &str)]) -> Problem {
    refusal_by(&shared(), &artifact(files)).await
}

pub(crate) async fn refusal_by(runtime: &WasmRuntime, artifact: &Bytes) -> Problem {
    runtime.prepare(&digest(artifact), artifact).await.expect_err("it must be refused")
}
