//! Scripts: functions that are a file of JavaScript, and share one engine.
//!
//! The life of a script, file by file: [`decode`] reads the artifact, [`loading`] evaluates it in an instance of the [`template`], [`image`] makes a module
//! of the memory that remains, [`delta`] and [`kept`] hold that on disk. From there on it is a component as any other: the same template linked with
//! another memory. [`story`], [`stack`] and [`report`] tell its failures with the places that people wrote.

mod bindings;
pub(crate) mod convert;
mod decode;
mod delta;
mod image;
mod instead;
mod kept;
mod loading;
pub(crate) mod report;
mod scope;
mod search;
mod stack;
mod stock;
mod story;
mod template;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use types::{Digest, Elapsed, Problem, Script};

pub use self::template::ScriptEngine;
pub(crate) use self::{decode::is_script, stock::Lease};
use self::{
    delta::Delta,
    kept::{Found, Kept},
    template::{Identified, Opened, Template},
};
use crate::{
    blocking,
    cache::Cache,
    compile::Compilers,
    component::{Shared, WasmComponent},
};

/// Scripts that are loaded, or fetched from disk, at once. Each holds its memory some times over while it is worked on.
const AT_ONCE: usize = 4;

/// Makes, keeps and loads scripts.
pub(crate) struct Scripts {
    shared: Arc<Shared>,
    engine: Arc<Identified>,
    kept: Arc<Kept>,
    templates: Templates,
    template: OnceCell<Arc<Template>>,
    permits: Semaphore,
}

/// Where the engine's compiled code is.
pub(crate) struct Templates {
    pub(crate) cache: Arc<Cache>,
    /// Whether nothing but engines is kept there, so that old ones can be told from the rest.
    pub(crate) is_shared: bool,
}

/// A script in memory.
pub(crate) struct Ready {
    pub(crate) component: Arc<WasmComponent>,
    /// The bytes of memory that its image takes.
    pub(crate) bytes: u64,
}

/// A script that was made just now.
pub(crate) struct Made {
    /// Its image, as a difference from the empty engine's.
    pub(crate) image: Delta,
    /// The size of its file.
    pub(crate) kept_bytes: u64,
    /// What its top-level code logged.
    pub(crate) logs: Vec<String>,
    /// CPU time of its top-level code.
    pub(crate) cpu: Elapsed,
}

/// The text of a script, for when something went wrong.
#[derive(Clone)]
pub(crate) enum Sources {
    /// It lies on disk.
    Kept { kept: Arc<Kept>, digest: Digest },
    /// It is in memory.
    Held(Arc<Script>),
}

impl Sources {
    /// The script as far as telling places needs it. May block on the disk for as long as reading a small file takes.
    pub(crate) fn read(&self) -> Option<Arc<Script>> {
        match self {
            Self::Kept { kept, digest } => kept.sources(digest).map(Arc::new),
            Self::Held(script) => Some(script.clone()),
        }
    }
}

/// The text of a script for one run, which reads it once at most.
pub(crate) struct Texts {
    sources: Sources,
    read: OnceLock<Option<Arc<Script>>>,
}

impl Texts {
    /// Of this script. Nothing is read yet.
    pub(crate) fn new(sources: Sources) -> Self {
        Self { sources, read: OnceLock::new() }
    }

    /// The script as far as telling places needs it. The first call may block on the disk for as long as reading a small file takes.
    pub(crate) fn read(&self) -> Option<&Script> {
        self.read.get_or_init(|| self.sources.read()).as_deref()
    }

    /// The text with the places of stacks in it moved to where people wrote them, if any has to be.
    pub(crate) fn map(&self, text: &str) -> Option<String> {
        // Most lines of log have no stack, and then nothing is read.
        if !text.contains("    at ") {
            return None;
        }
        let script = self.read()?;
        let is_made = |name: &str| script.modules.iter().any(|module| module.name == name && module.original.is_some());
        stack::map_places(text, is_made, |module, line, column| script.position(module, line, column))
    }
}

impl Scripts {
    /// Opens the folder of images, below that of compiled code.
    pub(crate) fn open(shared: Arc<Shared>, engine: ScriptEngine, cache: &Cache, templates: Templates) -> Self {
        let engine = Arc::new(Identified::from(engine));
        let kept = Arc::new(Kept::open(cache, &engine.digest));
        Self { shared, engine, kept, templates, template: OnceCell::new(), permits: Semaphore::new(AT_ONCE) }
    }

    /// What names the engine: its images are of no use to another.
    pub(crate) fn digest(&self) -> &Digest {
        &self.engine.digest
    }

    async fn permit(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("the semaphore is never closed")
    }

    /// The engine, compiled first if it never was. Many may ask at once.
    pub(crate) async fn template(&self, compilers: &Compilers) -> Result<Arc<Template>, Problem> {
        let make = || Template::make(&self.shared, compilers, &self.templates, &self.engine);
        self.template.get_or_try_init(async || make().await.map(Arc::new)).await.cloned()
    }

    /// The size of the script's image on disk, if there is one.
    pub(crate) fn kept_bytes(&self, digest: &Digest) -> Option<u64> {
        self.kept.size(digest)
    }

    /// Whether an image of the script lies on disk.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.kept.has(digest)
    }

    /// The script from its image on disk; nothing if it has none that can be used.
    pub(crate) async fn find(&self, digest: &Digest, compilers: &Compilers) -> Result<Option<Ready>, Problem> {
        if !self.kept.has(digest) {
            return Ok(None);
        }
        let (template, kept, shared, digest) = (self.template(compilers).await?, self.kept.clone(), self.shared.clone(), *digest);
        let _permit = self.permit().await;
        blocking(move || match kept.find(&digest, &template.base.hash) {
            Found::Image(delta) => ready(&shared, &template, &kept, &digest, &delta).map(Some),
            Found::Nothing => Ok(None),
            Found::Damaged => {
                tracing::warn!(%digest, "a script's image can't be used and is made again");
                Ok(None)
            }
        })
        .await
    }

    /// Loads the script and keeps its image.
    ///
    /// # Errors
    /// `E0305` and `E0317` for what is no script, `E0312`, `E0315`, `E0316` and `E0318` for one that does not load.
    pub(crate) async fn make(&self, digest: &Digest, artifact: Bytes, compilers: &Compilers) -> Result<Made, Problem> {
        let (key, bytes) = (*digest, artifact);
        // What is no script need not wait for the engine.
        let script = Arc::new(blocking(move || decode::decode(&key, &bytes)).await?);
        let (template, kept) = (self.template(compilers).await?, self.kept.clone());
        let _permit = self.permit().await;
        blocking(move || {
            let workshop = &template.workshop;
            let loaded = loading::load(&workshop.shared, &workshop.empty, &key, &script)?;
            let compiled = template::precompile(&workshop.shared, &loaded.memory)?;
            drop(loaded.memory);
            let image = Delta::between(template.base.bytes(), &compiled);
            drop(compiled);
            let script = Arc::unwrap_or_clone(script);
            let kept_bytes = kept.keep(&key, &template.base.hash, &image, script)?;
            Ok(Made { image, kept_bytes, logs: loaded.logs, cpu: loaded.cpu })
        })
        .await
    }

    /// The script of this image, in memory.
    pub(crate) async fn ready(&self, digest: &Digest, image: Delta, compilers: &Compilers) -> Result<Ready, Problem> {
        let (template, kept, shared, digest) = (self.template(compilers).await?, self.kept.clone(), self.shared.clone(), *digest);
        blocking(move || ready(&shared, &template, &kept, &digest, &image)).await
    }

    /// Where images lie.
    pub(crate) fn images(&self) -> Arc<Kept> {
        self.kept.clone()
    }

    /// The names under which the engine itself lies among compiled code.
    pub(crate) fn engine_files(&self) -> [Digest; 2] {
        self.engine.files()
    }

    /// Removes what other engines left, once everything was made anew for this one.
    pub(crate) async fn remove_others(&self) {
        let kept = self.kept.clone();
        // It tells what it can't remove, and nothing else can fail.
        let _ = blocking(move || {
            kept.remove_others();
            Ok(())
        })
        .await;
    }
}

fn ready(shared: &Arc<Shared>, template: &Template, kept: &Arc<Kept>, digest: &Digest, delta: &Delta) -> Result<Ready, Problem> {
    let Opened { module, bytes, lease } = template.base.open(&shared.engine, delta)?;
    let instances = template.link(&module)?;
    let sources = Sources::Kept { kept: kept.clone(), digest: *digest };
    let component = WasmComponent::script(shared, instances, template.handle, sources, lease);
    Ok(Ready { component: Arc::new(component), bytes })
}
