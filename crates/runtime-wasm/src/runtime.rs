//! The runtime: from an artifact's bytes to code in memory.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    Loaded, Rng, Runtime,
    runtime::{ArtifactSource, Prepared},
};
use types::{ByteCount, Code, Digest, Elapsed, Problem, StartClass, limits};

use crate::{
    artifact,
    cache::{Cache, Found},
    compile::{Compiler, Compilers},
    component::{Shared, WasmComponent},
    engine::{self, EngineSettings},
    resident::Resident,
    script::{self, ScriptEngine, Scripts, Templates},
};

/// What a runtime is opened with.
pub struct WasmSettings {
    /// The node's data folder. Compiled code is kept in its folder `aot`.
    pub data_dir: PathBuf,
    /// How components are compiled.
    pub compiler: Compiler,
    /// The engine's settings.
    pub engine: EngineSettings,
    /// Compiled functions kept in memory at once.
    pub resident_functions_max: usize,
    /// Bytes of scripts' memories that are kept ready.
    pub script_images_max: ByteCount,
    /// The engine of scripts.
    pub script_engine: ScriptEngine,
    /// A folder of the person's in which the compiled engine of scripts is kept for all projects. Without one, or if it can't be used, it is
    /// kept with the other code.
    pub shared_dir: Option<PathBuf>,
    /// Makes the key that compiled code is authenticated with.
    pub rng: Arc<dyn Rng>,
}

impl WasmSettings {
    /// Settings with the platform's limits.
    #[must_use]
    pub fn new(data_dir: PathBuf, compiler: Compiler, rng: Arc<dyn Rng>) -> Self {
        Self {
            data_dir,
            compiler,
            engine: EngineSettings::default(),
            resident_functions_max: limits::RESIDENT_FUNCTIONS,
            script_images_max: limits::SCRIPT_IMAGES,
            script_engine: ScriptEngine::built_in(),
            shared_dir: None,
            rng,
        }
    }
}

/// Runs component functions, and scripts.
pub struct WasmRuntime {
    shared: Arc<Shared>,
    engine: String,
    cache: Arc<Cache>,
    compilers: Compilers,
    resident: Resident<WasmComponent>,
    scripts: Scripts,
    /// One lock for each component that is being compiled or loaded, so that many who want the same wait for one.
    loading: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

impl WasmRuntime {
    /// Sets the engine up and opens the cache.
    ///
    /// # Errors
    /// `E0513` if the engine can't be set up on this machine, `E0601` if the cache's folder can't be used.
    pub fn open(settings: WasmSettings) -> Result<Arc<Self>, Problem> {
        let WasmSettings { data_dir, compiler, engine: engine_settings, rng, .. } = settings;
        let engine = engine::engine(&engine_settings).map_err(|error| {
            Problem::new(Code::E0513, format!("cannot set up the Wasm engine: {error:#}"))
                .note(format!("it reserves address space for {} instances", engine_settings.instances))
                .help("raise the process's address space limit (ulimit -v) and vm.max_map_count")
        })?;
        let compatibility = engine::compatibility(&engine);
        let cache = Arc::new(Cache::open(&data_dir, compatibility, &*rng)?);
        let templates = settings.shared_dir.and_then(|folder| match Cache::open(&folder, compatibility, &*rng) {
            Ok(cache) => Some(Templates { cache: Arc::new(cache), is_shared: true }),
            Err(problem) => {
                tracing::warn!(folder = %folder.display(), problem = problem.message, "the JavaScript engine is kept with the project");
                None
            }
        });
        let shared = Arc::new(Shared::new(engine)?);
        let templates = templates.unwrap_or_else(|| Templates { cache: cache.clone(), is_shared: false });
        let scripts = Scripts::open(shared.clone(), settings.script_engine, &cache, templates);
        let (wasm, js) = (compatibility.to_hex(), scripts.digest().to_hex());
        Ok(Arc::new(Self {
            scripts,
            shared,
            engine: format!("wasmtime {} {}, js {}", engine::VERSION, &wasm[..16], &js[..16]),
            cache,
            compilers: Compilers::new(compiler),
            resident: Resident::new(settings.resident_functions_max, settings.script_images_max),
            loading: Mutex::default(),
        }))
    }

    /// How many components are in memory.
    #[must_use]
    pub fn resident_functions(&self) -> usize {
        self.resident.len()
    }

    /// Has the engine of scripts ready, compiled first if it never was: a node does so at its start, so that the first script need not wait.
    ///
    /// # Errors
    /// `E0513` if the engine can't be set up, `E0601` if it can't be kept.
    pub async fn warm_scripts(&self) -> Result<(), Problem> {
        self.scripts.template(&self.compilers).await.map(drop)
    }

    /// Runs `work` as the only one that loads this component.
    async fn alone<T>(&self, digest: &Digest, work: impl Future<Output = T>) -> T {
        let turn =
            Turn { loading: &self.loading, digest: *digest, lock: Some(self.loading.lock().entry(*digest).or_default().clone()) };
        let guard = match &turn.lock {
            Some(lock) => Some(lock.lock().await),
            None => None,
        };
        let value = work.await;
        drop(guard);
        drop(turn);
        value
    }

    /// The component from its code on disk, if that is there and whole, and the code's size. It is in memory from now on.
    async fn find(&self, digest: &Digest) -> Result<Option<(Arc<WasmComponent>, u64)>, Problem> {
        let (cache, shared, key) = (self.cache.clone(), self.shared.clone(), *digest);
        let found = blocking(move || match cache.find(&key) {
            Found::Nothing => Ok(None),
            Found::Damaged => Err(Problem::new(Code::E0603, "its keyed hash does not match")),
            Found::Code(path, bytes) => Ok(Some((Arc::new(WasmComponent::load(&shared, &path)?), bytes))),
        });
        match found.await {
            Ok(Some((component, bytes))) => {
                drop(self.resident.insert(*digest, component.clone(), 0));
                Ok(Some((component, bytes)))
            }
            Ok(None) => Ok(None),
            Err(problem) if problem.code == Code::E0603 => {
                tracing::warn!(%digest, problem = problem.message, "compiled code is damaged and is compiled again");
                Ok(None)
            }
            Err(problem) => Err(problem),
        }
    }

    /// Compiles the component and loads it.
    async fn compile(&self, digest: &Digest, artifact: bytes::Bytes) -> Result<(Arc<WasmComponent>, u64), Problem> {
        let cache = self.cache.clone();
        let scratch = blocking(move || cache.scratch(&artifact)).await?;
        self.compilers.compile(&scratch.source, &scratch.target).await?;
        let (cache, shared, key) = (self.cache.clone(), self.shared.clone(), *digest);
        let (component, bytes) = blocking(move || {
            let (code, bytes) = cache.keep(&key, &scratch)?;
            Ok((Arc::new(WasmComponent::load(&shared, &code)?), bytes))
        })
        .await?;
        drop(self.resident.insert(*digest, component.clone(), 0));
        Ok((component, bytes))
    }

    /// The script from its image on disk. It is in memory from now on.
    async fn find_script(&self, digest: &Digest) -> Result<Option<Arc<WasmComponent>>, Problem> {
        Ok(self.scripts.find(digest, &self.compilers).await?.map(|ready| self.keep_script(digest, ready)))
    }

    /// Loads the script, keeps its image, and has it in memory.
    async fn make_script(&self, digest: &Digest, artifact: bytes::Bytes) -> Result<(Arc<WasmComponent>, Script), Problem> {
        let script::Made { image, kept_bytes, logs, cpu: _ } = self.scripts.make(digest, artifact, &self.compilers).await?;
        let ready = self.scripts.ready(digest, image, &self.compilers).await?;
        Ok((self.keep_script(digest, ready), Script { kept_bytes, logs }))
    }

    /// Makes the script's image if it is a script and there is none; gives the CPU time that this took.
    async fn refresh_script(&self, digest: &Digest, artifacts: &dyn ArtifactSource) -> Result<Option<Elapsed>, Problem> {
        if self.scripts.has(digest) || self.cache.has(digest) {
            return Ok(None);
        }
        let artifact = artifacts.artifact(digest).await?;
        if !script::is_script(&artifact) {
            return Ok(None);
        }
        self.alone(digest, async {
            // A request may have been faster.
            if self.scripts.has(digest) {
                return Ok(None);
            }
            self.scripts.make(digest, artifact, &self.compilers).await.map(|made| Some(made.cpu))
        })
        .await
    }

    fn keep_script(&self, digest: &Digest, ready: script::Ready) -> Arc<WasmComponent> {
        let script::Ready { component, bytes } = ready;
        let gone = self.resident.insert(*digest, component.clone(), bytes);
        if !gone.is_empty() {
            // Unmapping and freeing what went takes longer than a request, and nobody waits for it.
            drop(tokio::task::spawn_blocking(move || drop(gone)));
        }
        component
    }

    /// Prepares a script. One whose image lies here was loaded before, and what it logged was told then: a deployment takes as long as what is
    /// new in it.
    async fn prepare_script(&self, digest: &Digest, artifact: bytes::Bytes) -> Result<Prepared, Problem> {
        let artifact_bytes = artifact.len() as u64;
        self.alone(digest, async {
            let (cached, Script { kept_bytes, logs }) = match self.scripts.kept_bytes(digest) {
                Some(kept_bytes) => (true, Script { kept_bytes, logs: Vec::new() }),
                None => (false, self.make_script(digest, artifact).await?.1),
            };
            Ok(Prepared { artifact_bytes, compiled_bytes: kept_bytes, cached, imports: Vec::new(), logs })
        })
        .await
    }
}

#[async_trait]
impl Runtime for WasmRuntime {
    fn engine(&self) -> &str {
        &self.engine
    }

    async fn prepare(&self, digest: &Digest, artifact: &[u8]) -> Result<Prepared, Problem> {
        let artifact = bytes::Bytes::copy_from_slice(artifact);
        if script::is_script(&artifact) {
            return self.prepare_script(digest, artifact).await;
        }
        let artifact_bytes = artifact.len() as u64;
        let checked = blocking({
            let (digest, artifact) = (*digest, artifact.clone());
            move || artifact::check(&digest, &artifact)
        })
        .await?;
        self.alone(digest, async {
            let (cached, compiled_bytes) = match self.find(digest).await? {
                Some((_, bytes)) => (true, bytes),
                None => (false, self.compile(digest, artifact).await?.1),
            };
            Ok(Prepared { artifact_bytes, compiled_bytes, cached, imports: checked.imports, logs: Vec::new() })
        })
        .await
    }

    fn resident(&self, digest: &Digest) -> Option<Arc<dyn Loaded>> {
        self.resident.get(digest).map(|component| component as Arc<dyn Loaded>)
    }

    async fn load(&self, digest: &Digest, artifact: &dyn ArtifactSource) -> Result<(Arc<dyn Loaded>, StartClass), Problem> {
        self.alone(digest, async {
            if let Some(component) = self.resident.get(digest) {
                return Ok((component as Arc<dyn Loaded>, StartClass::Loaded));
            }
            // Scripts first: whether there is an image is asked without another thread, and whoever waits for one waits for nothing else.
            if let Some(script) = self.find_script(digest).await? {
                return Ok((script as Arc<dyn Loaded>, StartClass::Loaded));
            }
            if let Some((component, _)) = self.find(digest).await? {
                return Ok((component as Arc<dyn Loaded>, StartClass::Loaded));
            }
            let artifact = artifact.artifact(digest).await?;
            if script::is_script(&artifact) {
                let (script, _) = self.make_script(digest, artifact).await?;
                return Ok((script as Arc<dyn Loaded>, StartClass::Compiled));
            }
            let (key, checking) = (*digest, artifact.clone());
            blocking(move || artifact::check(&key, &checking)).await?;
            let (component, _) = self.compile(digest, artifact).await?;
            Ok((component as Arc<dyn Loaded>, StartClass::Compiled))
        })
        .await
    }

    async fn retain(&self, kept: BTreeSet<Digest>) {
        let (cache, images, engine) = (self.cache.clone(), self.scripts.images(), self.scripts.engine_files());
        let removed = blocking(move || {
            let code = cache.retain(|digest| kept.contains(digest) || engine.contains(digest));
            Ok(code + images.retain(|digest| kept.contains(digest)))
        });
        if let Ok(removed @ 1..) = removed.await {
            tracing::info!(removed, "files of code that no revision has were removed");
        }
    }

    async fn refresh(&self, digests: Vec<Digest>, artifacts: Arc<dyn ArtifactSource>) {
        if let Err(problem) = self.warm_scripts().await {
            tracing::error!(problem = problem.message, "the JavaScript engine is not ready: scripts can't be served");
            return;
        }
        let (mut made, mut failed) = (0, 0);
        for digest in digests {
            match self.refresh_script(&digest, &*artifacts).await {
                Ok(None) => {}
                Ok(Some(cpu)) => {
                    made += 1;
                    // As long a rest as the work took: requests come first.
                    tokio::time::sleep(Duration::from_nanos(cpu.ns())).await;
                }
                Err(problem) => {
                    failed += 1;
                    tracing::warn!(%digest, problem = problem.message, "a script's image could not be made anew");
                }
            }
        }
        if made + failed > 0 {
            tracing::info!(made, failed, "images of scripts were made anew for this JavaScript engine");
        }
        self.scripts.remove_others().await;
    }
}

/// What making a script told.
struct Script {
    kept_bytes: u64,
    logs: Vec<String>,
}

/// A place in the line for one component. The last to leave takes the lock away.
struct Turn<'a> {
    loading: &'a Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
    digest: Digest,
    lock: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut loading = self.loading.lock();
        self.lock = None;
        if loading.get(&self.digest).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            loading.remove(&self.digest);
        }
    }
}

/// Work that blocks on the disk or the CPU, on a thread for such work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::new(Code::E0513, format!("work on a component failed: {error}"))),
    }
}
