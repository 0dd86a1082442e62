//! Measures what each knob of the engine costs: CPU time of one call of a small component, fresh store and instance each.
//!
//! Run it as `cargo run -p runtime-wasm --example knobs`, after `cargo xtask programs` and `cargo build -p runtime-wasm`. The variants take
//! turns, so that a noisy neighbour meets them all; compare the figures of one run with one another and with nothing else. An argument
//! picks the variants whose name contains it. Its table is in `docs/reference/wasm-engine.md`.

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/all/scope.rs"]
mod scope;

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{
    Body, Loaded, Rng, Runtime,
    runtime::{ArtifactSource, Call, Ended},
};
use runtime_wasm::{Compiler, EngineSettings, WasmRuntime, WasmSettings};
use scope::World;
use tokio::{sync::oneshot, time::Instant};
use types::{Digest, Limits, Problem};

const ROUNDS: usize = 15;
const CALLS: u32 = 400;
const LOADS: usize = 40;

type Failed = Box<dyn Error>;
type Change = fn(&mut EngineSettings);

const VARIANTS: &[(&str, Change)] = &[
    ("as configured", |_| ()),
    ("pagemap_scan off", |s| s.pagemap_scan = false),
    ("keep_resident 0", |s| s.keep_resident_bytes = 0),
    ("keep_resident 256 KiB", |s| s.keep_resident_bytes = 256 << 10),
    ("both off", |s| {
        s.pagemap_scan = false;
        s.keep_resident_bytes = 0;
    }),
    ("warm slots 0", |s| s.warm_slots = 0),
    ("stack zeroing on", |s| s.stack_zeroing = true),
    ("no pool", |s| s.pooling = false),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let target = std::env::current_exe()?.ancestors().nth(2).ok_or("no target folder")?.to_owned();
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/programs");
    let data = tempdir(&target)?;
    for program in ["hello", "rust-wstd", "state"] {
        let component = Bytes::from(std::fs::read(programs.join(format!("{program}.wasm")))?);
        measure(program, &component, &target, &data).await?;
    }
    let trapping = Bytes::from(std::fs::read(programs.join("rust-wasip2.wasm"))?);
    measure_trap(&trapping, &target, &data).await?;
    Ok(std::fs::remove_dir_all(data)?)
}

fn tempdir(target: &Path) -> std::io::Result<std::path::PathBuf> {
    let data = target.join(format!("knobs-{}", std::process::id()));
    std::fs::create_dir_all(&data)?;
    Ok(data)
}

async fn measure(program: &str, component: &Bytes, target: &Path, data: &Path) -> Result<(), Failed> {
    let mut loaded = Vec::new();
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, change) in VARIANTS.iter().filter(|(name, _)| name.contains(&only)) {
        let runtime = open(target, data, *change)?;
        let code = load(&runtime, component).await?;
        loaded.push((name, runtime, code, Vec::new()));
    }
    for _ in 0..ROUNDS {
        for (_, _, code, costs) in &mut loaded {
            let before = cpu_ns();
            for _ in 0..CALLS {
                match call(code, "/hello").await? {
                    Ended::Returned => {}
                    Ended::Stopped(fault) => return Err(fault.message.into()),
                }
            }
            costs.push((cpu_ns() - before) / u64::from(CALLS));
        }
    }
    println!("\n{program}: CPU time of one call, median (least to most of {ROUNDS} rounds)");
    for (name, _, _, costs) in &mut loaded {
        costs.sort_unstable();
        let us = |ns: u64| format!("{:.1}", ns as f64 / 1_000.0);
        println!("| {name} | {} µs ({}–{}) |", us(costs[ROUNDS / 2]), us(costs[0]), us(costs[ROUNDS - 1]));
    }
    measure_loading(component, target, data).await
}

/// Loading from disk, in runtimes that were just opened, so that each checks the code's hash.
async fn measure_loading(component: &Bytes, target: &Path, data: &Path) -> Result<(), Failed> {
    let mut first = Vec::new();
    for _ in 0..LOADS {
        let runtime = open(target, data, |s| s.instances = 4)?;
        first.push(timed(load(&runtime, component)).await?);
    }
    first.sort_unstable();
    println!("loading it from disk, wall time: median {:?} ({:?}–{:?})", first[LOADS / 2], first[0], first[LOADS - 1]);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "it measures, and answers nobody")]
async fn timed<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<Duration, Problem> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed())
}

/// A call that traps, with its backtrace made readable.
async fn measure_trap(component: &Bytes, target: &Path, data: &Path) -> Result<(), Failed> {
    let runtime = open(target, data, |_| ())?;
    let code = load(&runtime, component).await?;
    let before = cpu_ns();
    for _ in 0..CALLS {
        if call(&code, "/trap").await? == Ended::Returned {
            return Err("it did not trap".into());
        }
    }
    println!("\nrust-wasip2: CPU time of a call that traps: {} µs", (cpu_ns() - before) / 1_000 / u64::from(CALLS));
    Ok(())
}

fn open(target: &Path, data: &Path, change: Change) -> Result<Arc<WasmRuntime>, Failed> {
    let compiler = Compiler::new(target.join("runtime-wasm-compiler"), Vec::new());
    let mut settings = WasmSettings::new(data.into(), compiler, Arc::new(SameBytes));
    settings.engine.instances = 100;
    change(&mut settings.engine);
    Ok(WasmRuntime::open(settings)?)
}

async fn load(runtime: &WasmRuntime, component: &Bytes) -> Result<Arc<dyn Loaded>, Problem> {
    let digest = Digest::from_bytes(*blake3::hash(component).as_bytes());
    Ok(runtime.load(&digest, &Held(component.clone())).await?.0)
}

async fn call(code: &Arc<dyn Loaded>, target: &str) -> Result<Ended, Failed> {
    let world = Arc::new(World::default());
    let (sender, _response) = oneshot::channel();
    *world.response.lock() = Some(sender);
    let request = http::Request::get(format!("http://knobs.localhost{target}")).body(Body::Empty)?;
    Ok(code.clone().call(Call { request, scope: world, limits: Limits::default() }).await)
}

fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

struct Held(Bytes);

#[async_trait]
impl ArtifactSource for Held {
    async fn artifact(&self, _digest: &Digest) -> Result<Bytes, Problem> {
        Ok(self.0.clone())
    }
}

struct SameBytes;
impl Rng for SameBytes {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(42);
    }
}
