#![allow(unsafe_code, missing_docs)]
use std::{collections::BTreeMap, path::{Path, PathBuf}, sync::Arc, task::{Context, Poll, Waker}};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use ports::{Body, BoxFuture, Outbound, Rng, Runtime, Scope, Tape, outbound::OutboundRequest, runtime::{ArtifactSource, Call, Ended}, scope::OpenKv, tape::{Diverged, Question}};
use runtime_wasm::{Compiler, EngineSettings, WasmRuntime, WasmSettings};
use types::{ByteCount, Code, Digest, Limits, Problem, Timestamp, journal::{Answer, Failure, Level}};

struct Held(Bytes);
#[async_trait]
impl ArtifactSource for Held {
    async fn artifact(&self, _digest: &Digest) -> Result<Bytes, Problem> { Ok(self.0.clone()) }
}
struct SameBytes;
impl Rng for SameBytes { fn fill(&self, bytes: &mut [u8]) { bytes.fill(42); } }
#[derive(Default)]
struct World { env: BTreeMap<String, String>, response: Mutex<Option<http::Response<Body>>> }
impl Scope for World {
    fn kv(&self, _: &str) -> Result<OpenKv, Failure> { Err(Failure { code: Code::E0201, message: String::new() }) }
    fn outbound(&self) -> Arc<dyn Outbound> { Arc::new(Nowhere) }
    fn environment(&self) -> &BTreeMap<String, String> { &self.env }
    fn wall_now(&self) -> Timestamp { Timestamp::from_unix_ms(1) }
    fn monotonic_now(&self) -> u64 { 1 }
    fn sleep_until(&self, _: u64) -> BoxFuture<()> { Box::pin(std::future::ready(())) }
    fn random(&self, bytes: &mut [u8]) { bytes.fill(4); }
    fn tape(&self) -> &dyn Tape { &Live }
    fn instantiated(&self) {}
    fn log(&self, _: Level, _: &str, _: &str) {}
    fn memory(&self, _: ByteCount) {}
    fn grow_denied(&self, _: u64, _: u64) {}
    fn refused(&self, _: &Failure) {}
    fn body_read(&self, _: u64) {}
    fn respond(&self, response: http::Response<Body>) { *self.response.lock() = Some(response); }
    fn body_written(&self, _: &Bytes) {}
}
struct Nowhere;
#[async_trait]
impl Outbound for Nowhere {
    async fn send(&self, _: OutboundRequest) -> Result<http::Response<Body>, Failure> { Err(Failure { code: Code::E0207, message: String::new() }) }
}
struct Live;
impl Tape for Live {
    fn recall(&self, _: Question) -> Result<Option<Answer>, Diverged> { Ok(None) }
    fn keeps(&self) -> bool { false }
    fn keep(&self, _: Answer) {}
}
fn cpu() -> u64 {
    let mut t: libc::timespec = unsafe { std::mem::zeroed() };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}
#[tokio::test]
async fn profile() {
    let n: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(20000);
    let name = std::env::var("P").unwrap_or("hello".into());
    let target = std::env::var("T").unwrap_or("/".into());
    let compiler = Compiler::new(PathBuf::from(env!("CARGO_BIN_EXE_runtime-wasm-compiler")), Vec::new());
    let mut settings = WasmSettings::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("prof"), compiler, Arc::new(SameBytes));
    settings.engine = EngineSettings { instances: 64, ..EngineSettings::default() };
    let runtime = WasmRuntime::open(settings).expect("a runtime");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/programs").join(format!("{name}.wasm"));
    let bytes: Bytes = std::fs::read(&path).unwrap().into();
    let digest = Digest::from_bytes(*blake3::hash(&bytes).as_bytes());
    let loaded = runtime.load(&digest, &Held(bytes)).await.unwrap().0;
    let world = Arc::new(World::default());
    for round in 0..5 {
        let t = cpu(); let mut pending = 0;
        for _ in 0..n {
            let request = http::Request::get(format!("http://test.localhost{target}")).body(Body::Empty).unwrap();
            let mut run = loaded.clone().call(Call { request, scope: world.clone(), limits: Limits::default() });
            loop {
                match run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Ended::Returned) => break,
                    Poll::Pending => pending += 1,
                    other => panic!("{other:?}"),
                }
            }
            let r = world.response.lock().take().unwrap();
            assert_eq!(r.status(), 200);
        }
        println!("round {round}: {} ns a call, {pending} pending", (cpu() - t) / n);
    }
}
