//! Measures what scripts cost: the engine once, each deployment, the disk and the memory of many, the first request of one that is not in memory,
//! and a request of one that is.
//!
//! Run it as `cargo run -p runtime-wasm --example scripts -- 10000`, after `cargo build -p runtime-wasm`. Times are wall time and CPU time of the
//! whole process; compare the figures of one run with one another.

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/all/scope.rs"]
mod scope;

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use ports::{
    Body, Loaded, Rng, Runtime,
    runtime::{ArtifactSource, Call, Ended},
};
use runtime_wasm::{Compiler, WasmRuntime, WasmSettings};
use scope::World;
use tokio::{sync::oneshot, time::Instant};
use types::{
    Digest, Limits, Problem,
    script::{Module, ModuleKind, Script},
    wire::SCRIPT_MAGIC,
};

const WARM_CALLS: usize = 2_000;
const COLD_CALLS: usize = 500;

type Failed = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let count: usize = std::env::args().nth(1).map_or(Ok(1_000), |text| text.parse())?;
    let target = std::env::current_exe()?.ancestors().nth(2).ok_or("no target folder")?.to_owned();
    let data = target.join(format!("scripts-{}", std::process::id()));
    std::fs::create_dir_all(&data)?;
    let measured = measure(count, &target, &data).await;
    std::fs::remove_dir_all(&data)?;
    measured
}

async fn measure(count: usize, target: &Path, data: &Path) -> Result<(), Failed> {
    let runtime = open(target, data)?;
    let first = Stopwatch::start();
    runtime.warm_scripts().await?;
    println!("engine, compiled and set up for the first time: {first}");
    let next = open(target, data)?;
    let again = Stopwatch::start();
    next.warm_scripts().await?;
    println!("engine, found on disk: {again}");
    drop(next);

    let before = (disk(data)?, resident_kib());
    let mut artifacts = Vec::with_capacity(count);
    let mut deploys = Vec::with_capacity(count);
    for number in 0..count {
        let artifact = hello(&number.to_string(), "");
        let digest = digest(&artifact);
        let watch = Stopwatch::start();
        let prepared = runtime.prepare(&digest, &artifact).await?;
        deploys.push((watch.wall(), prepared.compiled_bytes));
        artifacts.push(digest);
    }
    show("deploy of a small script", deploys.iter().map(|(wall, _)| *wall).collect());
    let after = (disk(data)?, resident_kib());
    let each = |bytes: u64| bytes as f64 / 1024.0 / count as f64;
    println!("{count} deployed: {:.1} KiB of disk each, {} MiB in all", each(after.0 - before.0), (after.0 - before.0) >> 20);
    println!("resident: {} MiB before, {} MiB after; in memory: {}", before.1 >> 10, after.1 >> 10, runtime.resident_functions());
    cold(&runtime, &artifacts).await?;
    warm(&runtime).await
}

/// The first request of functions that are on disk only.
async fn cold(runtime: &WasmRuntime, digests: &[Digest]) -> Result<(), Failed> {
    let mut walls = Vec::new();
    let (mut loads, mut calls, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    // Far apart, so that none is in memory.
    let stride = (digests.len() / COLD_CALLS).max(1);
    for digest in digests.iter().step_by(stride) {
        if runtime.resident(digest).is_some() {
            continue;
        }
        let watch = Stopwatch::start();
        let (loaded, _) = runtime.load(digest, &Nothing).await?;
        loads.push(watch.wall());
        costs.push(watch.cpu());
        answered(&loaded).await?;
        walls.push(watch.wall());
        let watch = Stopwatch::start();
        answered(&loaded).await?;
        calls.push(watch.wall());
    }
    show("cold first request, loading included", walls);
    show("  of that, loading", loads);
    show("  CPU time of loading", costs);
    show("  a second request of each", calls);
    Ok(())
}

/// Requests of one function, whose image holds more and more that the request does not touch.
async fn warm(runtime: &WasmRuntime) -> Result<(), Failed> {
    for mib in [0, 1, 12, 40] {
        let kept = format!("const kept = new Uint8Array({mib} << 20).fill(7);\nglobalThis.kept = kept;\n");
        let artifact = hello("warm", &kept);
        let prepared = runtime.prepare(&digest(&artifact), &artifact).await?;
        let (loaded, _) = runtime.load(&digest(&artifact), &Nothing).await?;
        answered(&loaded).await?;
        let watch = Stopwatch::start();
        for _ in 0..WARM_CALLS {
            answered(&loaded).await?;
        }
        let cpu = watch.cpu() / WARM_CALLS as u32;
        println!("request of a script that holds {mib} MiB: {cpu:?} of CPU; its file: {} KiB", prepared.compiled_bytes >> 10);
    }
    Ok(())
}

fn hello(text: &str, before: &str) -> Bytes {
    let code = format!(
        "{before}// A small function, as people begin with.\nconst greeting = 'hello {text}';\n\nfunction greet(name) {{\n  \
         return `${{greeting}}, ${{name}}!`;\n}}\n\nexport default {{\n  async fetch(request, env, ctx) {{\n    \
         return new Response(greet('world'));\n  }},\n}};\n"
    );
    let (links, exports, original) = (Vec::new(), Vec::new(), None);
    let module = Module { name: "src/hello.js".into(), kind: ModuleKind::Module, code, links, exports, original };
    let handlers = vec!["fetch".into()];
    let script = Script { entry: "src/hello.js".into(), modules: vec![module], bindings: Vec::new(), handlers };
    let encoded = postcard::to_stdvec(&script).expect("a script can be encoded");
    [&SCRIPT_MAGIC[..], &encoded].concat().into()
}

fn digest(artifact: &[u8]) -> Digest {
    Digest::from_bytes(*blake3::hash(artifact).as_bytes())
}

fn open(target: &Path, data: &Path) -> Result<Arc<WasmRuntime>, Failed> {
    let compiler = Compiler::new(target.join("runtime-wasm-compiler"), Vec::new());
    let settings = WasmSettings::new(data.into(), compiler, Arc::new(SameBytes));
    Ok(WasmRuntime::open(settings)?)
}

async fn answered(code: &Arc<dyn Loaded>) -> Result<(), Failed> {
    let world = Arc::new(World::default());
    let (sender, response) = oneshot::channel();
    *world.response.lock() = Some(sender);
    let request = http::Request::get("http://scripts.localhost/").body(Body::Empty)?;
    let run = code.clone().call(Call { request, scope: world, limits: Limits::default() });
    let read = async {
        let body = response.await?.into_body().collect().await.map_err(|error| format!("{error:?}"))?;
        if body.to_bytes().starts_with(b"hello") { Ok::<_, Failed>(()) } else { Err("another answer".into()) }
    };
    let (ended, read) = tokio::join!(run, read);
    match ended {
        Ended::Returned => read,
        Ended::Stopped(fault) => Err(fault.message.into()),
    }
}

/// Wall and CPU time since its start.
struct Stopwatch {
    began: Instant,
    cpu: Duration,
}

impl Stopwatch {
    #[allow(clippy::disallowed_methods, reason = "it measures, and answers nobody")]
    fn start() -> Self {
        Self { began: Instant::now(), cpu: cpu() }
    }
    #[allow(clippy::disallowed_methods, reason = "it measures, and answers nobody")]
    fn wall(&self) -> Duration {
        self.began.elapsed()
    }
    fn cpu(&self) -> Duration {
        cpu() - self.cpu
    }
}

impl std::fmt::Display for Stopwatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, {:?} of CPU in this process", self.wall(), self.cpu())
    }
}

fn show(what: &str, mut walls: Vec<Duration>) {
    walls.sort_unstable();
    match walls.as_slice() {
        [] => println!("{what}: nothing to measure"),
        walls => {
            let at = |part: usize| walls[(walls.len() - 1) * part / 100];
            println!("{what}: least {:?}, p50 {:?}, p95 {:?}, most {:?} of {}", at(0), at(50), at(95), at(100), walls.len());
        }
    }
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// Bytes that the files below a folder take on disk.
fn disk(folder: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { disk(&entry.path())? } else { meta.blocks() * 512 };
    }
    Ok(bytes)
}

struct Nothing;

#[async_trait]
impl ArtifactSource for Nothing {
    async fn artifact(&self, digest: &Digest) -> Result<Bytes, Problem> {
        Err(Problem::new(types::Code::E0301, format!("{digest} is asked for")))
    }
}

struct SameBytes;
impl Rng for SameBytes {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(42);
    }
}
