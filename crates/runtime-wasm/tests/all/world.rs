//! What the tests share: a runtime, the programs, and a scope that answers from memory and remembers what it was told.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Loaded, Outbound, Rng, Runtime, Scope, Tape,
    outbound::OutboundRequest,
    runtime::{ArtifactSource, Call, Ended, Fault, Run},
    scope::OpenKv,
    tape::{Diverged, Question},
};
use runtime_wasm::{Compiler, EngineSettings, WasmRuntime, WasmSettings};
use tokio::{sync::oneshot, time::Instant};
use types::{
    ByteCount, Code, Digest, Limits, Problem, Timestamp,
    journal::{Answer, Failure, Level},
};

/// The bytes of a program that `cargo xtask programs` built.
pub(crate) fn program(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/programs").join(format!("{name}.wasm"));
    let bytes = std::fs::read(&path);
    bytes.unwrap_or_else(|error| panic!("{}: {error}; build it with: cargo xtask programs", path.display())).into()
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(*blake3::hash(bytes).as_bytes())
}

/// This component with a custom section behind it: the same, under another digest.
pub(crate) fn variant(component: &[u8], number: u8) -> Bytes {
    let mut bytes = component.to_vec();
    bytes.extend([0, 3, 1, b'v', number]);
    bytes.into()
}

pub(crate) fn compiler() -> Compiler {
    Compiler::new(PathBuf::from(env!("CARGO_BIN_EXE_runtime-wasm-compiler")), Vec::new())
}

/// A runtime of its own, over a folder.
pub(crate) fn runtime(data: &Path, change: impl FnOnce(&mut WasmSettings)) -> Arc<WasmRuntime> {
    let mut settings = WasmSettings::new(data.into(), compiler(), Arc::new(SameBytes));
    settings.engine = EngineSettings { instances: 64, ..EngineSettings::default() };
    change(&mut settings);
    WasmRuntime::open(settings).expect("a runtime")
}

/// The runtime that most tests share.
pub(crate) fn shared() -> Arc<WasmRuntime> {
    static SHARED: OnceLock<Arc<WasmRuntime>> = OnceLock::new();
    SHARED.get_or_init(|| runtime(Path::new(env!("CARGO_TARGET_TMPDIR")), |_| ())).clone()
}

/// A program in memory of the shared runtime.
pub(crate) async fn loaded(name: &str) -> Arc<dyn Loaded> {
    load(&shared(), program(name)).await.expect("the program loads")
}

pub(crate) async fn load(runtime: &WasmRuntime, component: Bytes) -> Result<Arc<dyn Loaded>, Problem> {
    let digest = digest(&component);
    match runtime.resident(&digest) {
        Some(loaded) => Ok(loaded),
        None => runtime.load(&digest, &Held(component)).await.map(|(loaded, _)| loaded),
    }
}

/// An artifact in memory.
pub(crate) struct Held(pub(crate) Bytes);

#[async_trait]
impl ArtifactSource for Held {
    async fn artifact(&self, _digest: &Digest) -> Result<Bytes, Problem> {
        Ok(self.0.clone())
    }
}

/// The key is the same in each run of the tests, so that compiled code can be used again.
struct SameBytes;
impl Rng for SameBytes {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(42);
    }
}

/// How one call went.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) status: Option<u16>,
    pub(crate) body: String,
    pub(crate) ended: Ended,
    pub(crate) told: Told,
}

impl Called {
    pub(crate) fn fault(&self) -> &Fault {
        match &self.ended {
            Ended::Stopped(fault) => fault,
            Ended::Returned => panic!("the guest was not stopped: {self:?}"),
        }
    }
}

/// Calls the program and waits for its end.
pub(crate) async fn call(loaded: &Arc<dyn Loaded>, target: &str) -> Called {
    call_with(loaded, target, Limits::default(), World::default()).await
}

pub(crate) async fn call_with(loaded: &Arc<dyn Loaded>, target: &str, limits: Limits, world: World) -> Called {
    let world = Arc::new(world);
    let (run, response) = start(loaded, target, limits, &world);
    let run = tokio::spawn({
        let world = world.clone();
        async move {
            let ended = run.await;
            // No response comes any more: whoever waits for one learns it.
            drop(world.response.lock().take());
            ended
        }
    });
    let (status, body) = match response.await {
        Ok(response) => {
            let status = response.status().as_u16();
            // A body that breaks off gives what came before.
            let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            (Some(status), String::from_utf8_lossy(&body).into_owned())
        }
        Err(_) => (None, String::new()),
    };
    let ended = run.await.expect("a run does not panic");
    let told = std::mem::take(&mut *world.told.lock());
    Called { status, body, ended, told }
}

type Started = (std::pin::Pin<Box<dyn Run>>, oneshot::Receiver<http::Response<Body>>);

/// A run that was not polled yet.
pub(crate) fn start(loaded: &Arc<dyn Loaded>, target: &str, limits: Limits, world: &Arc<World>) -> Started {
    let (sender, response) = oneshot::channel();
    *world.response.lock() = Some(sender);
    let request = http::Request::get(format!("http://test.localhost{target}")).body(Body::Empty).expect("a request");
    (loaded.clone().call(Call { request, scope: world.clone(), limits }), response)
}

/// What the runtime told its scope.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) logs: Vec<(Level, String, String)>,
    pub(crate) memory_peak: ByteCount,
    pub(crate) grow_denied: Vec<(u64, u64)>,
    pub(crate) refused: Vec<Failure>,
}

/// A scope that grants nothing and keeps the time of the real clock.
pub(crate) struct World {
    began: Instant,
    environment: BTreeMap<String, String>,
    response: Mutex<Option<oneshot::Sender<http::Response<Body>>>>,
    told: Mutex<Told>,
    /// Whether asking for randomness panics, as a bug in the platform would.
    random_panics: bool,
}

impl Default for World {
    fn default() -> Self {
        let environment = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
        Self { began: Instant::now(), environment, response: Mutex::default(), told: Mutex::default(), random_panics: false }
    }
}

impl World {
    pub(crate) fn with_a_broken_generator() -> Self {
        Self { random_panics: true, ..Self::default() }
    }
}

impl Scope for World {
    fn kv(&self, store: &str) -> Result<OpenKv, Failure> {
        Err(Failure { code: Code::E0201, message: format!("kv.{store} was not granted") })
    }
    fn outbound(&self) -> Arc<dyn Outbound> {
        Arc::new(Nowhere)
    }
    fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    fn wall_now(&self) -> Timestamp {
        Timestamp::from_unix_ms(1_790_000_000_000).plus(self.began.elapsed().into())
    }
    fn monotonic_now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).expect("a test is short")
    }
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        let until = self.began.checked_add(std::time::Duration::from_nanos(monotonic_ns));
        Box::pin(async move {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        })
    }
    fn random(&self, bytes: &mut [u8]) {
        assert!(!self.random_panics, "the generator broke");
        bytes.fill(4);
    }
    fn tape(&self) -> &dyn Tape {
        &Live
    }
    fn instantiated(&self) {}
    fn log(&self, level: Level, context: &str, text: &str) {
        self.told.lock().logs.push((level, context.to_owned(), text.to_owned()));
    }
    fn memory(&self, bytes: ByteCount) {
        let mut told = self.told.lock();
        told.memory_peak = told.memory_peak.max(bytes);
    }
    fn grow_denied(&self, wanted: u64, allowed: u64) {
        self.told.lock().grow_denied.push((wanted, allowed));
    }
    fn refused(&self, failure: &Failure) {
        self.told.lock().refused.push(failure.clone());
    }
    fn body_read(&self, _bytes: u64) {}
    fn respond(&self, response: http::Response<Body>) {
        let sender = self.response.lock().take().expect("a guest responds once");
        // The test may have gone away, as clients do.
        let _ = sender.send(response);
    }
    fn body_written(&self, _bytes: &Bytes) {}
}

struct Nowhere;

#[async_trait]
impl Outbound for Nowhere {
    async fn send(&self, _request: OutboundRequest) -> Result<http::Response<Body>, Failure> {
        Err(Failure { code: Code::E0207, message: "no host may be reached".into() })
    }
}

struct Live;

impl Tape for Live {
    fn recall(&self, _question: Question) -> Result<Option<Answer>, Diverged> {
        Ok(None)
    }
    fn keeps(&self) -> bool {
        false
    }
    fn keep(&self, _answer: Answer) {}
}
