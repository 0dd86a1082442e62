//! A component in memory: mapped from disk, linked once, ready to be instantiated for each call.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use ports::{
    Loaded,
    runtime::{Call, Run},
};
use types::{ByteCount, Code, Problem, limits};
use wasmtime::{
    Engine,
    component::{Component, ComponentExportIndex, InstancePre, Linker, types::ComponentItem},
};

use crate::{
    artifact::HANDLER,
    host::Host,
    limits::{MEMORIES, TABLE_ELEMENTS, TABLES},
    run,
    script::{Lease, Sources},
    ticker::Ticker,
};

const PAGE: u64 = 64 << 10;

/// What all components of one runtime share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Host>,
    pub(crate) ticker: Ticker,
}

impl Shared {
    pub(crate) fn new(engine: Engine) -> Result<Self, Problem> {
        let broken =
            |what: &str, error: &dyn std::fmt::Display| Problem::new(Code::E0513, format!("cannot set up {what}: {error}"));
        let mut linker = Linker::new(&engine);
        Host::add_to_linker(&mut linker).map_err(|error| broken("what guests import", &error))?;
        let ticker = Ticker::start(&engine).map_err(|error| broken("the epoch ticker", &error))?;
        Ok(Self { engine, linker, ticker })
    }
}

/// A linked component.
pub(crate) struct WasmComponent {
    pub(crate) shared: Arc<Shared>,
    pub(crate) instances: InstancePre<Host>,
    pub(crate) handle: ComponentExportIndex,
    /// What makes places in its code readable.
    pub(crate) places: Places,
    /// Dropped last: the file in memory that a script's instances begin with.
    #[expect(dead_code, reason = "held, and never looked at")]
    lease: Option<Lease>,
}

/// What makes places in code readable.
pub(crate) enum Places {
    /// The file of a component's table of lines, if it has one.
    Lines(PathBuf),
    /// A script's text.
    Script(Sources),
}

impl WasmComponent {
    /// Maps and links compiled code. Blocks on the disk.
    ///
    /// # Errors
    /// `E0603` if the file is not code of this engine; `E0303`, `E0304` and `E0311` for components that passed the earlier checks by name
    /// and don't fit by type or size.
    pub(crate) fn load(shared: &Arc<Shared>, code: &Path) -> Result<Self, Problem> {
        let component = map(&shared.engine, code)?;
        check_resources(&component)?;
        let handle = find_handler(&shared.engine, &component)?;
        let instances = link(&shared.linker, &component)?;
        Ok(Self { shared: shared.clone(), instances, handle, places: Places::Lines(code.with_extension("lines")), lease: None })
    }

    /// A script: the engine that all share, linked with its memory.
    pub(crate) fn script(
        shared: &Arc<Shared>,
        instances: InstancePre<Host>,
        handle: ComponentExportIndex,
        sources: Sources,
        lease: Lease,
    ) -> Self {
        Self { shared: shared.clone(), instances, handle, places: Places::Script(sources), lease: Some(lease) }
    }
}

impl Loaded for WasmComponent {
    fn call(self: Arc<Self>, call: Call) -> Pin<Box<dyn Run>> {
        run::start(self, call)
    }
}

#[allow(unsafe_code, reason = "mapping compiled code is what this crate is for")]
pub(crate) fn map(engine: &Engine, code: &Path) -> Result<Component, Problem> {
    // SAFETY: the cache gives only paths of files that this program's compiler wrote, whose keyed hash it checked, and which are
    // replaced by renaming and never changed in place.
    let mapped = unsafe { Component::deserialize_file(engine, code) };
    mapped.map_err(|error| {
        // The engine has no type for this error; a test holds its words.
        if error.chain().any(|cause| cause.to_string().contains("does not fit in pooling allocator")) {
            return Problem::new(Code::E0311, format!("{}: {}", Code::E0311.title(), error.root_cause()));
        }
        Problem::new(Code::E0603, format!("cannot load compiled code {}: {error:#}", code.display()))
    })
}

/// Links against what the host serves. What else of WASI the component carries is defined so that calling it ends the guest by name.
fn link(linker: &Linker<Host>, component: &Component) -> Result<InstancePre<Host>, Problem> {
    if let Ok(instances) = linker.instantiate_pre(component) {
        return Ok(instances);
    }
    let mut linker = linker.clone();
    linker.define_unknown_imports_as_traps(component).and_then(|()| linker.instantiate_pre(component)).map_err(|error| {
        let told = crate::backtrace::printable(&format!("{error:#}"), 2_000);
        Problem::new(Code::E0304, format!("the component's imports do not fit what dayfly offers: {told}"))
            .help("build it against dayfly's WIT: wit/world.wit")
    })
}

pub(crate) fn find_handler(engine: &Engine, component: &Component) -> Result<ComponentExportIndex, Problem> {
    let is_handler = |name: &&str| name.split('@').next() == Some(HANDLER);
    let ty = component.component_type();
    let name = ty.exports(engine).map(|(name, _)| name).find(is_handler).map(str::to_owned);
    let instance = name.as_deref().and_then(|name| component.get_export(None, name));
    let handle = instance.as_ref().and_then(|(_, instance)| component.get_export(Some(instance), "handle"));
    let Some((ComponentItem::ComponentFunc(function), handle)) = handle else {
        return Err(Problem::new(Code::E0303, format!("the component's {HANDLER} has no function handle")));
    };
    let owned = |ty| matches!(ty, wasmtime::component::Type::Own(_));
    if function.params().len() != 2 || !function.params().all(|(_, ty)| owned(ty)) || function.results().len() != 0 {
        return Err(Problem::new(Code::E0303, format!("the component's {HANDLER}#handle has another type than WASI's"))
            .help("it takes own<incoming-request> and own<response-outparam> and returns nothing"));
    }
    Ok(handle)
}

/// Refuses at deploy what no instance could ever have.
fn check_resources(component: &Component) -> Result<(), Problem> {
    let Some(required) = component.resources_required() else { return Ok(()) };
    let pages = required.max_initial_memory_size.unwrap_or(0);
    let memory = ByteCount(pages.saturating_mul(PAGE));
    if memory > limits::MEMORY_MAX {
        return Err(Problem::limit(Code::E0311, "memory at its start", memory, limits::MEMORY_MAX));
    }
    let elements = required.max_initial_table_size.unwrap_or(0);
    let counts = [
        ("memories", u64::from(required.num_memories), MEMORIES),
        ("tables", u64::from(required.num_tables), TABLES),
        ("table elements", elements, TABLE_ELEMENTS),
    ];
    match counts.into_iter().find(|(_, measured, allowed)| *measured > *allowed as u64) {
        Some((what, measured, allowed)) => Err(Problem::limit(Code::E0311, what, measured, allowed)),
        None => Ok(()),
    }
}
