//! What the gateway itself costs: CPU time a request of bare hyper and of the gateway with a function that does nothing, in one run.
//!
//! `cargo run --example gateway_cost [-- ROUNDS]` in this crate's folder. One thread serves, another sends small requests over 16
//! kept-alive connections; rounds of both kinds alternate, and the median of the serving thread's CPU time is printed. Only the
//! difference and the ratio mean something; absolute figures depend on the machine and its neighbours.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a measurement, not part of the product")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use ingress::{Drain, Framing, Gateway, GatewayLimits, GatewaySettings};
use ports::{Body, BoxFuture, Clock, Invocation, Invoker, Plane, Rng};
use testkit::model::{ModelBlob, ModelKv, ModelQueue, ModelSecrets, ModelUnit};
use tokio::net::TcpListener;
use types::{
    Build, Digest, Function, LiveApp, LiveFunction, LiveRevision, RecordMode, RevisionNumber, Snapshot, Timestamp,
    revision::AppKey,
};

const CONNECTIONS: usize = 16;
const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nhost: hello.localhost:4000\r\nuser-agent: measure/1\r\naccept: */*\r\n\r\n";

struct RealClock(Instant);
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap()
    }
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        Box::pin(tokio::time::sleep(Duration::from_nanos(monotonic_ns.saturating_sub(self.monotonic_ns()))))
    }
}

struct NoChance;
impl Rng for NoChance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct Hello;
impl Invoker for Hello {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<Response<Body>> {
        Box::pin(async move {
            drop(invocation);
            Response::new(Body::from("hello"))
        })
    }
}

fn app() -> Arc<LiveApp> {
    let key = AppKey { app: "hello".parse().unwrap(), env: "dev".parse().unwrap() };
    let function = Function {
        routes: vec!["GET /hello".parse().unwrap()],
        record: RecordMode::Off,
        ..Function::empty("hello".parse().unwrap(), ".".into(), Build::Component)
    };
    let revision = RevisionNumber(1);
    let live = LiveFunction {
        key: key.clone(),
        revision,
        function,
        artifact: Digest::from_bytes([0; 32]),
        gate: 0,
        resources: Arc::default(),
    };
    let functions = BTreeMap::from([(live.function.name.clone(), Arc::new(live))]);
    Arc::new(LiveApp {
        key,
        hosts: vec![],
        default: true,
        shares: vec![(Arc::new(LiveRevision { number: revision, functions, site: None, events: None }), 1)],
    })
}

async fn bare(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let hello = service_fn(|_: Request<Incoming>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), hello));
    }
}

async fn gateway(listener: TcpListener) {
    let clock = Arc::new(RealClock(Instant::now()));
    let limits = GatewayLimits::default();
    let gateway = Gateway::new(GatewaySettings {
        limits,
        framing: Framing::Strict,
        invoker: Arc::new(Hello),
        blob: Arc::new(ModelBlob::default()),
        bus: ingress::BusTable::new(),
        unit: Arc::new(ModelUnit::new(Arc::new(ModelKv::new(clock.clone())), Arc::new(ModelQueue::new(clock.clone())))),
        secrets: Arc::new(ModelSecrets::new(clock.clone())),
        clock,
        rng: Arc::new(NoChance),
    });
    gateway.install(&Arc::new(Snapshot { number: 1, apps: vec![app()] }));
    gateway.serve(listener, Drain::new()).await.unwrap();
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

/// A server on a thread of its own; gives its address and a way to read that thread's CPU time.
fn start(name: &str, serve: impl AsyncFnOnce(TcpListener) + Send + 'static) -> (SocketAddr, tokio::runtime::Handle) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send((listener.local_addr().unwrap(), tokio::runtime::Handle::current())).unwrap();
            serve(listener).await;
        });
    });
    thread.unwrap();
    receiver.recv().unwrap()
}

fn cpu_of(server: &tokio::runtime::Handle) -> Duration {
    let (sender, receiver) = std::sync::mpsc::channel();
    server.spawn(async move { sender.send(thread_cpu()).unwrap() });
    receiver.recv().unwrap()
}

/// CPU time of the server a request, in microseconds.
fn round(address: SocketAddr, server: &tokio::runtime::Handle, batches: usize) -> f64 {
    let mut streams: Vec<TcpStream> = (0..CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut buffer = [0; 4096];
    let mut run = |batches: usize| {
        for _ in 0..batches {
            for stream in &mut streams {
                stream.write_all(REQUEST).unwrap();
            }
            for stream in &mut streams {
                let length = stream.read(&mut buffer).unwrap();
                assert!(buffer[..length].ends_with(b"hello"), "{}", String::from_utf8_lossy(&buffer[..length]));
            }
        }
    };
    run(100);
    let before = cpu_of(server);
    run(batches);
    (cpu_of(server) - before).as_secs_f64() * 1e6 / (batches * CONNECTIONS) as f64
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(15);
    let (bare, gateway) = (start("serve-bare", bare), start("serve-gateway", gateway));
    let (mut of_bare, mut of_gateway) = (vec![], vec![]);
    for _ in 0..rounds {
        of_bare.push(round(bare.0, &bare.1, 1_500));
        of_gateway.push(round(gateway.0, &gateway.1, 1_500));
    }
    let median = |figures: &mut Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        (figures[figures.len() / 2], figures[0])
    };
    let ((bare, bare_best), (gateway, gateway_best)) = (median(&mut of_bare), median(&mut of_gateway));
    println!("CPU µs a request   median   best");
    println!("bare hyper         {bare:6.2} {bare_best:6.2}");
    println!("gateway            {gateway:6.2} {gateway_best:6.2}");
    println!("the gateway's own  {:6.2} {:6.2}", gateway - bare, gateway_best - bare_best);
}
