//! Between the platform's own types and those of the engine's interface.

use types::script::{Binding, BindingKind, Module, ModuleKind, Script};

use super::story::Thrown;
use crate::host::bindings::dayfly::js::types as wit;

/// The script as the engine takes it: what only people need stays here.
pub(super) fn script(script: &Script) -> wit::Script {
    let Script { entry, modules, bindings, handlers } = script;
    let link = |(specifier, module): &(String, String)| wit::Link { specifier: specifier.clone(), module: module.clone() };
    let module = |module: &Module| wit::Module {
        name: module.name.clone(),
        kind: match module.kind {
            ModuleKind::Module => wit::Kind::Module,
            ModuleKind::CommonJs => wit::Kind::CommonJs,
            ModuleKind::Json => wit::Kind::Json,
            ModuleKind::Text => wit::Kind::Text,
            ModuleKind::Bytes => wit::Kind::Bytes,
        },
        code: module.code.clone(),
        links: module.links.iter().map(link).collect(),
        exports: module.exports.clone(),
    };
    let binding = |binding: &Binding| wit::Binding { resource: resource(binding.kind), name: binding.name.clone() };
    wit::Script {
        entry: entry.clone(),
        modules: modules.iter().map(module).collect(),
        bindings: bindings.iter().map(binding).collect(),
        handlers: handlers.clone(),
    }
}

fn resource(kind: BindingKind) -> wit::Resource {
    match kind {
        BindingKind::Kv => wit::Resource::Kv,
        BindingKind::Sql => wit::Resource::Sql,
        BindingKind::Bucket => wit::Resource::Bucket,
        BindingKind::Queue => wit::Resource::Queue,
        BindingKind::Stream => wit::Resource::Stream,
        BindingKind::Event => wit::Resource::Event,
        BindingKind::Secret => wit::Resource::Secret,
        BindingKind::Setting => wit::Resource::Setting,
        BindingKind::Function => wit::Resource::Function,
    }
}

/// An exception as the engine tells it.
pub(crate) fn thrown(thrown: wit::Thrown) -> Thrown {
    let wit::Thrown { name, message, stack, causes } = thrown;
    Thrown { name, message, stack, causes }
}
