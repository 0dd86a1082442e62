//! The engine that all scripts share: compiled once, and the memory that it begins with.
//!
//! The template is a component whose main module imports its memory from a core module named `image`. Compiling it takes seconds, so its code is kept
//! where all projects of a person find it. The *base* is the memory after the engine's own setup: scripts are loaded on it, and their images are kept
//! as differences from it.

use std::{borrow::Cow, path::Path, sync::Arc};

use parking_lot::Mutex;
use types::{Code, Digest, Problem};
use wasmtime::{
    Module,
    component::{Component, ComponentExportIndex, InstancePre, Linker},
};

use super::{
    Templates,
    delta::Delta,
    image, loading,
    stock::{Filled, Lease, Stock},
};
use crate::{
    blocking,
    cache::{Cache, Found, Scratch},
    compile::Compilers,
    component::{self, Shared},
    engine,
    host::Host,
};

/// The name under which the template imports a script's memory.
const IMAGE: &str = "image";
/// Files of older engines that stay in a folder of nothing but engines, which has two of each: other versions of dayfly may be in use.
const FILES: usize = 6;

/// A JavaScript engine: two files that were made together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptEngine {
    /// The component that imports its memory.
    pub template: Cow<'static, [u8]>,
    /// The core module with the memory that it begins with.
    pub image: Cow<'static, [u8]>,
}

impl ScriptEngine {
    /// The engine that is built in.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            template: Cow::Borrowed(include_bytes!("../../../../sdk/js/dist/engine.wasm")),
            image: Cow::Borrowed(include_bytes!("../../../../sdk/js/dist/image.wasm")),
        }
    }
}

/// An engine with what names it: images made with one are of no use to another.
pub(super) struct Identified {
    pub(super) digest: Digest,
    engine: ScriptEngine,
}

impl From<ScriptEngine> for Identified {
    fn from(engine: ScriptEngine) -> Self {
        let ScriptEngine { template, image } = &engine;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(template.len() as u64).to_le_bytes()).update(template).update(image);
        Self { digest: Digest::from_bytes(*hasher.finalize().as_bytes()), engine }
    }
}

impl Identified {
    /// The names under which the compiled template and the base lie in the cache.
    pub(super) fn files(&self) -> [Digest; 2] {
        let template = blake3::hash(&self.engine.template);
        let base = blake3::Hasher::new().update(b"base").update(self.digest.as_bytes()).finalize();
        [template, base].map(|hash| Digest::from_bytes(*hash.as_bytes()))
    }
}

/// The engine in memory.
pub(crate) struct Template {
    pub(crate) base: Base,
    /// The handler's place, which is the same for every script.
    pub(crate) handle: ComponentExportIndex,
    /// Where scripts are loaded.
    pub(super) workshop: Workshop,
    component: Component,
    linker: Mutex<ImageLinker>,
}

/// Links the template with one image after another.
struct ImageLinker {
    linker: Linker<Host>,
    /// What is defined as the image between two of them, so that none is held longer than whoever asked for it holds it.
    nothing: Module,
}

/// Where scripts are loaded: an engine of its own, which serves nobody.
pub(super) struct Workshop {
    pub(super) shared: Shared,
    /// Instances of the engine without any script.
    pub(super) empty: InstancePre<Host>,
    /// Dropped last: what the instances begin with.
    #[expect(dead_code, reason = "held, and never looked at")]
    lease: Lease,
}

/// The compiled image of the engine without any script.
pub(crate) struct Base {
    pub(crate) hash: blake3::Hash,
    stock: Arc<Stock>,
}

/// An image in memory. Fields are dropped in this order: the lease goes last.
pub(crate) struct Opened {
    pub(super) module: Module,
    /// The bytes that it takes.
    pub(super) bytes: u64,
    pub(super) lease: Lease,
}

impl Template {
    /// Compiles what is not compiled yet, and loads it.
    pub(super) async fn make(
        shared: &Arc<Shared>,
        compilers: &Compilers,
        templates: &Templates,
        engine: &Arc<Identified>,
    ) -> Result<Self, Problem> {
        let Templates { cache, is_shared } = templates;
        let [key, _] = engine.files();
        let found = blocking({
            let cache = cache.clone();
            move || Ok(cache.find(&key))
        });
        let code = match found.await? {
            Found::Code(path, _) => path,
            Found::Nothing | Found::Damaged => {
                let (keeping, template) = (cache.clone(), engine.engine.template.clone());
                let scratch = blocking(move || keeping.scratch(&template)).await?;
                compilers.compile(&scratch.source, &scratch.target).await?;
                let (keeping, trims) = (cache.clone(), *is_shared);
                blocking(move || {
                    if trims {
                        keeping.trim(FILES);
                    }
                    Ok(keeping.keep(&key, &scratch)?.0)
                })
                .await?
            }
        };
        let (shared, cache, engine) = (shared.clone(), cache.clone(), engine.clone());
        blocking(move || Self::load(&shared, &cache, &engine, &code)).await
    }

    fn load(shared: &Shared, cache: &Cache, engine: &Identified, code: &Path) -> Result<Self, Problem> {
        let (workshop, base) = Workshop::open(cache, engine, code)?;
        let component = component::map(&shared.engine, code)?;
        let handle = component::find_handler(&shared.engine, &component)?;
        let linker = Mutex::new(ImageLinker::new(shared)?);
        Ok(Self { base, handle, workshop, component, linker })
    }

    /// What makes instances that begin with this image.
    pub(super) fn link(&self, image: &Module) -> Result<InstancePre<Host>, Problem> {
        self.linker.lock().link(image, &self.component)
    }
}

impl ImageLinker {
    fn new(shared: &Shared) -> Result<Self, Problem> {
        let mut linker = shared.linker.clone();
        // The image is defined again for each script.
        linker.allow_shadowing(true);
        let nothing = Module::new(&shared.engine, wasm_encoder::Module::new().finish());
        Ok(Self { linker, nothing: nothing.map_err(|error| broken("no module can be made", &error))? })
    }

    fn link(&mut self, image: &Module, component: &Component) -> Result<InstancePre<Host>, Problem> {
        self.define(image)?;
        let linked = self.linker.instantiate_pre(component).map_err(|error| broken("it can't be linked", &error));
        self.define(&self.nothing.clone())?;
        linked
    }

    fn define(&mut self, image: &Module) -> Result<(), Problem> {
        self.linker.root().module(IMAGE, image).map_err(|error| broken("its memory can't be linked", &error))
    }
}

impl Workshop {
    /// Opens it, and finds the base in the cache or makes it now, with an instance of the engine on its first memory.
    fn open(cache: &Cache, engine: &Identified, code: &Path) -> Result<(Self, Base), Problem> {
        let workshop = engine::loading().map_err(|error| broken("nothing can be loaded", &error))?;
        let shared = Shared::new(workshop)?;
        let component = component::map(&shared.engine, code)?;
        let mut linker = ImageLinker::new(&shared)?;
        let base = Base::find(cache, engine).map_or_else(
            || {
                let raw = Module::new(&shared.engine, &engine.engine.image)
                    .map_err(|error| broken("its first memory is no module", &error))?;
                let memory = loading::setup(&shared, &linker.link(&raw, &component)?, &engine.digest)?;
                Base::keep(cache, engine, precompile(&shared, &memory)?)
            },
            Ok,
        )?;
        let Opened { module, bytes: _, lease } = base.open(&shared.engine, &Delta::between(base.bytes(), base.bytes()))?;
        let empty = linker.link(&module, &component)?;
        base.stock.refill();
        Ok((Self { shared, empty, lease }, base))
    }
}

impl Base {
    fn find(cache: &Cache, engine: &Identified) -> Option<Self> {
        match cache.find(&engine.files()[1]) {
            Found::Code(path, _) => std::fs::read(&path).ok().map(Self::of),
            Found::Nothing | Found::Damaged => None,
        }
    }

    fn keep(cache: &Cache, engine: &Identified, bytes: Vec<u8>) -> Result<Self, Problem> {
        let scratch: Scratch = cache.scratch(&[])?;
        std::fs::write(&scratch.target, &bytes).map_err(|error| crate::cache::failed(&scratch.target, &error))?;
        cache.keep(&engine.files()[1], &scratch)?;
        Ok(Self::of(bytes))
    }

    fn of(bytes: Vec<u8>) -> Self {
        Self { hash: blake3::hash(&bytes), stock: Arc::new(Stock::new(bytes)) }
    }

    /// The compiled image.
    pub(super) fn bytes(&self) -> &[u8] {
        self.stock.base()
    }

    /// The module of an image that is kept as a difference, in a file in memory that instances map copy-on-write.
    #[allow(unsafe_code, reason = "mapping compiled code is what this crate is for")]
    pub(super) fn open(&self, engine: &wasmtime::Engine, delta: &Delta) -> Result<Opened, Problem> {
        let filled = self.stock.file(delta);
        let Filled { file, bytes, lease } =
            filled.map_err(|error| Problem::new(Code::E0513, format!("cannot hold a script in memory: {error}")))?;
        // SAFETY: the file holds what this engine compiled in this process, or what was read from a file whose keyed hash matched. It is in memory
        // and nobody else's, and nothing is written to it before the lease goes, which is after everything that maps it.
        let module = unsafe { Module::deserialize_open_file(engine, file) };
        let module = module.map_err(|error| Problem::new(Code::E0603, format!("cannot load a script's image: {error:#}")))?;
        Ok(Opened { module, bytes, lease })
    }
}

/// The compiled module of a memory. It has no code but what copies its data, so this takes milliseconds.
pub(super) fn precompile(shared: &Shared, memory: &[u8]) -> Result<Vec<u8>, Problem> {
    let module = image::module(memory);
    shared.engine.precompile_module(&module).map_err(|error| broken("its memory makes no module", &error))
}

fn broken(what: &str, error: &wasmtime::Error) -> Problem {
    Problem::new(Code::E0513, format!("the JavaScript engine is broken: {what}: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_that_is_built_in_is_the_one_whose_digests_are_noted() {
        let noted = include_str!("../../../../sdk/js/dist/digests");
        let ScriptEngine { template, image } = ScriptEngine::built_in();
        for (name, bytes) in [("engine.wasm", template), ("image.wasm", image)] {
            let line = format!("{}  {name}", blake3::hash(&bytes).to_hex());
            assert!(noted.lines().any(|found| found == line), "{name}: run cargo xtask engine");
        }
    }
}
