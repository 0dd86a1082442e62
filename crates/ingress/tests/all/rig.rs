//! A gateway on a free port with functions written as closures.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http::Response;
use ingress::{BusTable, Drain, Framing, Gateway, GatewayLimits, GatewaySettings};
use ports::{Blob, Body, BoxFuture, Clock, Invocation, Invoker, Plane};
use testkit::model::ModelBlob;
use testkit::model::{ModelKv, ModelQueue, ModelSecrets, ModelUnit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use types::{
    Build, Digest, Function, LiveApp, LiveFunction, LiveRevision, RecordMode, RevisionNumber, Snapshot, Timestamp,
    revision::AppKey,
};

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct RealClock(Instant);
impl RealClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ns(self.monotonic_ns())
    }
    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).expect("a test is short")
    }
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        let left = monotonic_ns.saturating_sub(self.monotonic_ns());
        Box::pin(tokio::time::sleep(Duration::from_nanos(left.saturating_add(1_000_000))))
    }
}

type Handler = Box<dyn Fn(Invocation) -> BoxFuture<Response<Body>> + Send + Sync>;

/// Functions as one closure.
pub(crate) struct Functions(Handler);
impl Functions {
    pub(crate) fn new<F: Future<Output = Response<Body>> + Send + 'static>(
        handler: impl Fn(Invocation) -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self(Box::new(move |invocation| Box::pin(handler(invocation)))))
    }
    /// Answers `app/function` and the body's length.
    pub(crate) fn echo() -> Arc<Self> {
        Self::new(|invocation| async move {
            let name = format!("{}/{}", invocation.function.key.app, invocation.function.function.name);
            match http_body_util::BodyExt::collect(invocation.request.into_body()).await {
                Ok(body) => Response::new(Body::from(format!("{name} {}", body.to_bytes().len()))),
                Err(error) => {
                    let mut response = Response::new(Body::from(error.to_string()));
                    *response.status_mut() = http::StatusCode::BAD_REQUEST;
                    response
                }
            }
        })
    }
}
impl Invoker for Functions {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<Response<Body>> {
        (self.0)(invocation)
    }
}

/// An app of functions with their routes.
pub(crate) fn app(name: &str, default: bool, functions: &[(&str, &[&str])]) -> Arc<LiveApp> {
    let key = AppKey { app: name.parse().expect("a name"), env: "dev".parse().expect("a name") };
    let live = |(name, routes): &(&str, &[&str])| {
        let function = Function {
            routes: routes.iter().map(|route| route.parse().expect("a route")).collect(),
            record: RecordMode::Off,
            ..Function::empty(name.parse().expect("a name"), ".".into(), Build::Component)
        };
        let (key, revision, artifact) = (key.clone(), RevisionNumber(1), Digest::from_bytes([0; 32]));
        (function.name.clone(), Arc::new(LiveFunction { key, revision, function, artifact, gate: 0, resources: Arc::default() }))
    };
    let functions = functions.iter().map(live).collect();
    let revision = Arc::new(LiveRevision { number: RevisionNumber(1), functions, site: None, events: None });
    Arc::new(LiveApp { key, hosts: vec![], default, shares: vec![(revision, 1)] })
}

pub(crate) struct Rig {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) address: SocketAddr,
    pub(crate) drain: Drain,
    pub(crate) served: JoinHandle<()>,
    pub(crate) secrets: Arc<ModelSecrets>,
    pub(crate) queue: Arc<ModelQueue>,
}

impl Rig {
    pub(crate) async fn start(limits: GatewayLimits, framing: Framing, invoker: Arc<dyn Invoker>) -> Self {
        let apps = vec![app("main", true, &[("root", &["GET /", "POST /"]), ("any", &["/any/{*rest}"])])];
        Self::serving(apps, Arc::new(ModelBlob::default()), limits, framing, invoker).await
    }
    pub(crate) async fn serving(
        apps: Vec<Arc<LiveApp>>,
        blob: Arc<dyn Blob>,
        limits: GatewayLimits,
        framing: Framing,
        invoker: Arc<dyn Invoker>,
    ) -> Self {
        let (clock, rng) = (RealClock::new(), Arc::new(testkit::SeededRng::new(7)));
        let (bus, secrets) = (BusTable::new(), Arc::new(ModelSecrets::new(clock.clone())));
        let queue = Arc::new(ModelQueue::new(clock.clone()));
        let unit = Arc::new(ModelUnit::new(Arc::new(ModelKv::new(clock.clone())), queue.clone()));
        let gateway = Gateway::new(GatewaySettings {
            limits,
            framing,
            invoker,
            blob,
            bus: bus.clone(),
            unit: unit.clone(),
            secrets: secrets.clone(),
            clock,
            rng,
        });
        let snapshot = Arc::new(Snapshot { number: 1, apps });
        bus.install(&snapshot);
        gateway.install(&snapshot);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, drain) = (listener.local_addr().expect("an address"), Drain::new());
        let served = gateway.serve(listener, drain.clone());
        Self { gateway, address, drain, served, secrets, queue }
    }
    pub(crate) async fn echo() -> Self {
        Self::start(GatewayLimits::default(), Framing::Strict, Functions::echo()).await
    }
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the gateway takes connections")
    }
    /// Sends the bytes and reads until the gateway closes or says nothing more for `quiet`, as [`read`] counts it.
    pub(crate) async fn talk(&self, bytes: &[u8], quiet: Duration) -> Talk {
        let mut stream = self.connect().await;
        let _closed_already = stream.write_all(bytes).await;
        read(&mut stream, quiet).await
    }
}

/// What the gateway said, and whether it closed the connection then.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) text: String,
    pub(crate) closed: bool,
}

/// Reads until the gateway closes or says nothing more for `quiet`.
///
/// The gateway runs in this process: where the machine has other work it stands still as the test does, and what passes then is no silence.
/// So silence is many short waits, after each of which the gateway had its turn; a pause of the machine is one of them, however long.
pub(crate) async fn read(stream: &mut TcpStream, quiet: Duration) -> Talk {
    const WAITS: u32 = 50;
    let (mut bytes, mut buffer, mut waits) = (Vec::new(), [0; 4096], 0);
    let closed = loop {
        match tokio::time::timeout(quiet / WAITS, stream.read(&mut buffer)).await {
            Err(_) if waits == WAITS => break false,
            Err(_) => waits += 1,
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(length)) => {
                bytes.extend_from_slice(&buffer[..length]);
                waits = 0;
            }
        }
    };
    Talk { text: String::from_utf8_lossy(&bytes).into_owned(), closed }
}

impl Talk {
    /// The status codes of the answers, in order.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let heads = self.text.split("HTTP/1.").skip(1);
        heads.filter_map(|head| head.split([' ', '\r']).nth(1)?.parse().ok()).collect()
    }
}
