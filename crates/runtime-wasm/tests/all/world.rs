//! What the tests share: a runtime, the programs, and calling them.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use ports::{
    Body, Loaded, Rng, Runtime,
    runtime::{ArtifactSource, Call, Ended, Fault, Run},
};
use runtime_wasm::{Compiler, EngineSettings, WasmRuntime, WasmSettings};
use tokio::sync::oneshot;
use types::{Digest, Limits, Problem};

use crate::scope::Told;
pub(crate) use crate::scope::World;

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
