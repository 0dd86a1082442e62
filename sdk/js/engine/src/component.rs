//! The component: what the platform calls.

use std::cell::RefCell;

use crate::host::wasm::bindings::exports::{dayfly::js::script, wasi::http::incoming_handler};
use crate::host::wasm::bindings::{self, dayfly::js::types};
use crate::host::wasm::{http, report};
use crate::machine::Machine;
use crate::memory;
use crate::script::{Binding, Failure, Kind, Module, Refusal, Script};

struct Engine;

bindings::export!(Engine with_types_in bindings);

thread_local! {
    static MACHINE: RefCell<Option<Machine>> = const { RefCell::new(None) };
}

/// # Panics
///
/// The platform did not call `setup` first.
fn with_machine<T>(run: impl FnOnce(&Machine) -> T) -> T {
    MACHINE.with_borrow(|machine| run(machine.as_ref().expect("setup comes first")))
}

impl incoming_handler::Guest for Engine {
    fn handle(request: incoming_handler::IncomingRequest, response: incoming_handler::ResponseOutparam) {
        http::begin(request, response);
        if let Err((failure, thrown)) = with_machine(Machine::serve) {
            report::uncaught(failure, thrown);
        }
    }
}

impl script::Guest for Engine {
    fn setup() {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        // SAFETY: it is called once, before anything else: what would call it in each instance is taken out (`xtask/src/engine`).
        unsafe { __wasm_call_ctors() };
        match Machine::new() {
            Ok(machine) => MACHINE.set(Some(machine)),
            Err(thrown) => report::uncaught(Failure::Threw, thrown),
        }
    }

    fn load(script: script::Script) -> Result<Vec<String>, script::Refusal> {
        with_machine(|machine| machine.load(from_wit(script))).map_err(|refusal| match refusal {
            Refusal::Syntax(thrown) => script::Refusal::Syntax(report::to_wit(thrown)),
            Refusal::Threw(thrown) => script::Refusal::Threw(report::to_wit(thrown)),
            Refusal::Handlers(text) => script::Refusal::Handlers(text),
        })
    }
}

/// A list as the canonical ABI has it.
#[repr(C)]
struct List {
    start: usize,
    length: usize,
}

/// `snapshot`: all of the memory, where it lies. The canonical ABI reads it from there, and nothing is to be freed.
#[unsafe(export_name = "dayfly:js/script@0.1.0#snapshot")]
extern "C" fn snapshot() -> *const List {
    const PAGE_BYTES: usize = 64 << 10;
    memory::clear_stack();
    let length = core::arch::wasm32::memory_size(0) * PAGE_BYTES;
    Box::leak(Box::new(List { start: 0, length }))
}

fn from_wit(script: types::Script) -> Script {
    let types::Script { entry, modules, bindings, handlers } = script;
    let modules = modules.into_iter().map(module_from_wit).collect();
    let bindings =
        bindings.into_iter().map(|binding| Binding { resource: resource(binding.resource), name: binding.name }).collect();
    Script { entry, modules, bindings, handlers }
}

fn module_from_wit(module: types::Module) -> Module {
    let types::Module { name, kind, code, links, exports } = module;
    let kind = match kind {
        types::Kind::Module => Kind::Module,
        types::Kind::CommonJs => Kind::CommonJs,
        types::Kind::Json => Kind::Json,
        types::Kind::Text => Kind::Text,
        types::Kind::Bytes => Kind::Bytes,
    };
    Module { name, kind, code, links: links.into_iter().map(|link| (link.specifier, link.module)).collect(), exports }
}

fn resource(resource: types::Resource) -> &'static str {
    match resource {
        types::Resource::Kv => "kv",
        types::Resource::Sql => "sql",
        types::Resource::Bucket => "bucket",
        types::Resource::Queue => "queue",
        types::Resource::Stream => "stream",
        types::Resource::Event => "event",
        types::Resource::Secret => "secret",
        types::Resource::Setting => "setting",
        types::Resource::Function => "function",
    }
}
