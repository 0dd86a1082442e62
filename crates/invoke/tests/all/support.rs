//! A runtime whose guests are Rust futures, and an engine around it.

use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use invoke::{Engine, Parts, SealKey};
use parking_lot::Mutex;
use ports::{
    Batch, Blob, Body, BoxFuture, BoxStream, Invocation, Invoker as _, Kv, Loaded, Objects, Outbound, Plane as _, Runtime, Scope,
    StoreError, Telemetry, Verdict,
    invoker::{Acknowledge, Item},
    outbound::OutboundRequest,
    runtime::{ArtifactSource, Call, Ended, Prepared, Run},
    telemetry::{Filter, Health, LogRecord, SealedJournal, UsageRow},
};
use types::{
    AppKey, Digest, Function, InvocationId, LiveApp, LiveFunction, LiveRevision, Problem, RevisionNumber, Snapshot, SpanId,
    StartClass, Timestamp, TraceContext, TraceId,
    journal::Failure,
    kv::Transaction,
    queue::{MessageId, QueueName, Receipt},
    record::InvocationRecord,
    settings::{KvSettings, Resources},
};

use super::fakes::{FakeSql, Platform};

/// A guest: what it does with its request and its scope.
pub(crate) type Guest = Arc<dyn Fn(Request<Body>, Arc<dyn Scope>, Arc<AtomicBool>) -> BoxFuture<Ended> + Send + Sync>;

/// Makes a guest of an async closure that is given the request, the scope, and a flag that says it is busy.
pub(crate) fn guest<F>(run: impl Fn(Request<Body>, Arc<dyn Scope>, Arc<AtomicBool>) -> F + Send + Sync + 'static) -> Guest
where
    F: Future<Output = Ended> + Send + 'static,
{
    Arc::new(move |request, scope, busy| Box::pin(run(request, scope, busy)))
}

pub(crate) struct FakeRuntime(pub(crate) Guest);

#[async_trait]
impl Runtime for FakeRuntime {
    fn engine(&self) -> &str {
        "futures"
    }
    async fn prepare(&self, _: &Digest, artifact: &[u8]) -> Result<Prepared, Problem> {
        let artifact_bytes = artifact.len() as u64;
        Ok(Prepared { artifact_bytes, compiled_bytes: 0, cached: true, imports: Vec::new(), logs: Vec::new() })
    }
    fn resident(&self, _: &Digest) -> Option<Arc<dyn Loaded>> {
        Some(Arc::new(FakeCode(self.0.clone())))
    }
    async fn load(&self, _: &Digest, _: &dyn ArtifactSource) -> Result<(Arc<dyn Loaded>, StartClass), Problem> {
        Ok((Arc::new(FakeCode(self.0.clone())), StartClass::Loaded))
    }
}

pub(crate) struct FakeCode(pub(crate) Guest);

impl Loaded for FakeCode {
    fn call(self: Arc<Self>, call: Call) -> Pin<Box<dyn Run>> {
        let busy = Arc::new(AtomicBool::new(false));
        Box::pin(FakeRun { future: (self.0)(call.request, call.scope, busy.clone()), busy })
    }
}

struct FakeRun {
    future: BoxFuture<Ended>,
    busy: Arc<AtomicBool>,
}

impl Future for FakeRun {
    type Output = Ended;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        self.future.as_mut().poll(cx)
    }
}
impl Run for FakeRun {
    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }
    fn could_go_on(&self) -> bool {
        self.is_busy()
    }
}

/// A telemetry store that keeps what it is given.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) records: Mutex<Vec<Arc<InvocationRecord>>>,
    pub(crate) journals: Mutex<HashMap<InvocationId, SealedJournal>>,
}

#[async_trait]
impl Telemetry for Kept {
    fn record(&self, record: Arc<InvocationRecord>, journal: Option<SealedJournal>) {
        self.records.lock().push(record);
        self.journals.lock().extend(journal.map(|journal| (journal.id, journal)));
    }
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
    fn follow(&self) -> BoxStream<Arc<InvocationRecord>> {
        Box::pin(futures_util::stream::empty())
    }
    async fn invocations(&self, _: Filter) -> Result<Vec<InvocationRecord>, StoreError> {
        Ok(self.records.lock().iter().map(|record| (**record).clone()).collect())
    }
    async fn invocation(&self, id: InvocationId) -> Result<Option<InvocationRecord>, StoreError> {
        Ok(self.records.lock().iter().find(|record| record.id == id).map(|record| (**record).clone()))
    }
    async fn logs(&self, _: Filter) -> Result<Vec<LogRecord>, StoreError> {
        Ok(Vec::new())
    }
    async fn usage(&self, _: Filter) -> Result<Vec<UsageRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn journal(&self, id: InvocationId) -> Result<Option<SealedJournal>, StoreError> {
        Ok(self.journals.lock().get(&id).cloned())
    }
    fn health(&self) -> Health {
        Health::default()
    }
    async fn retain(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A way out that answers everything with the path it was asked for.
pub(crate) struct Echo;

#[async_trait]
impl Outbound for Echo {
    async fn send(&self, request: OutboundRequest) -> Result<Response<Body>, Failure> {
        tokio::task::yield_now().await;
        Ok(Response::new(Body::from(format!("you asked {}", request.request.uri()))))
    }
}

/// An engine with one function, `api` of `shop/dev`.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) function: Arc<LiveFunction>,
    pub(crate) telemetry: Arc<Kept>,
    pub(crate) platform: Arc<Platform>,
    _busy: Busy,
}

struct Busy(Option<tokio::runtime::Runtime>);
impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn key() -> AppKey {
    AppKey { app: "shop".parse().expect("a name"), env: "dev".parse().expect("a name") }
}

pub(crate) fn function(change: impl FnOnce(&mut Function)) -> Arc<LiveFunction> {
    let mut function = Function {
        uses: vec!["kv.cache".parse().expect("a grant")],
        reach: vec!["http://example.com".parse().expect("a reach")],
        env: BTreeMap::from([("COLOUR".to_owned(), "blue".to_owned())]),
        record: types::RecordMode::All,
        ..Function::empty("api".parse().expect("a name"), "api.wasm".into(), types::Build::Component)
    };
    change(&mut function);
    let (revision, artifact) = (RevisionNumber(1), Digest::from_bytes([1; 32]));
    Arc::new(LiveFunction { key: key(), revision, function, artifact, gate: 7, resources: Arc::new(resources()) })
}

/// Entries of `kv.brief` live for a minute.
fn resources() -> Resources {
    let brief = KvSettings { expire: Some(std::time::Duration::from_secs(60)) };
    Resources { kv: BTreeMap::from([("brief".to_owned(), brief)]), ..Resources::default() }
}

impl World {
    pub(crate) fn new(guest: Guest, change: impl FnOnce(&mut Function)) -> Self {
        Self::over(guest, Arc::new(testkit::model::ModelKv::new(Arc::new(system::SystemClock::new()))), change)
    }

    pub(crate) fn over(guest: Guest, kv: Arc<dyn Kv>, change: impl FnOnce(&mut Function)) -> Self {
        Self::with_neighbour(guest, kv, change, |_| {})
    }

    /// The function and beside it `mail`, which runs the same guest.
    pub(crate) fn with_neighbour(
        guest: Guest,
        kv: Arc<dyn Kv>,
        change: impl FnOnce(&mut Function),
        neighbour: impl FnOnce(&mut Function),
    ) -> Self {
        let clock: Arc<dyn ports::Clock> = Arc::new(system::SystemClock::new());
        let objects: Arc<dyn Objects> = Arc::new(testkit::model::ModelObjects::new(clock));
        Self::made(
            guest,
            kv,
            objects,
            [
                function(change),
                function(|function| {
                    function.name = "mail".parse().expect("a name");
                    neighbour(function);
                }),
            ],
        )
    }

    pub(crate) fn made(guest: Guest, kv: Arc<dyn Kv>, objects: Arc<dyn Objects>, both: [Arc<LiveFunction>; 2]) -> Self {
        let [function, mail] = both;
        let platform = Platform::new(kv.clone());
        let telemetry = Arc::new(Kept::default());
        let clock = Arc::new(system::SystemClock::new());
        let blob: Arc<dyn Blob> = Arc::new(testkit::model::ModelBlob::default());
        let busy = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let engine = Engine::new(Parts {
            runtime: Arc::new(FakeRuntime(guest)),
            kv,
            queue: platform.clone(),
            log: platform.clone(),
            unit: platform.clone(),
            sql: Arc::new(FakeSql(platform.clone())),
            objects,
            secrets: platform.clone(),
            bus: platform.clone(),
            outbound: Arc::new(Echo),
            telemetry: telemetry.clone(),
            blob,
            clock,
            rng: Arc::new(system::SystemRng),
            seal_key: SealKey::from_bytes([9; 32]),
            busy_lane: busy.handle().clone(),
        });
        let functions = BTreeMap::from([&function, &mail].map(|live| (live.function.name.clone(), live.clone())));
        let revision = Arc::new(LiveRevision { number: RevisionNumber(1), functions, site: None, events: None });
        let app = LiveApp { key: key(), hosts: Vec::new(), default: true, shares: vec![(revision, 1)] };
        engine.install(&Arc::new(Snapshot { number: 1, apps: vec![Arc::new(app)] }));
        Self { engine, function, telemetry, platform, _busy: Busy(Some(busy)) }
    }

    pub(crate) fn invoke(&self, path: &str) -> BoxFuture<Response<Body>> {
        self.invoke_with(path, Body::Empty)
    }

    pub(crate) fn invoke_with(&self, path: &str, body: Body) -> BoxFuture<Response<Body>> {
        let request = Request::get(format!("http://shop.localhost{path}")).header("cookie", "secret").body(body);
        let request = request.expect("a request");
        let received_ns = ports::Clock::monotonic_ns(&system::SystemClock::new());
        self.engine.invoke(Invocation {
            function: self.function.clone(),
            request,
            parent: None,
            received_ns,
            depth: 0,
            batch: None,
        })
    }

    /// Gives the function a batch of these messages, by id and number.
    pub(crate) fn deliver(&self, ids: &[(&str, u64)], attempt: u32) -> BoxFuture<Response<Body>> {
        let item = |(id, number): &(&str, u64)| {
            let receipt = Receipt { id: MessageId(*number), attempt };
            Item { id: (*id).to_owned(), acknowledge: Acknowledge::Message(QueueName("shop/dev/orders".into()), receipt) }
        };
        self.deliver_items(ids.iter().map(item).collect(), attempt, 1)
    }

    pub(crate) fn deliver_items(&self, items: Vec<Item>, attempt: u32, depth: u32) -> BoxFuture<Response<Body>> {
        let request = Request::post("http://shop.localhost/").body(Body::from("{}")).expect("a request");
        let received_ns = ports::Clock::monotonic_ns(&system::SystemClock::new());
        let batch = Some(Batch { cause: "queue orders".into(), items, attempt, links: Vec::new(), is_single: false });
        let function = self.function.clone();
        self.engine.invoke(Invocation { function, request, parent: Some(parent()), received_ns, depth, batch })
    }

    pub(crate) fn records(&self) -> Vec<Arc<InvocationRecord>> {
        self.telemetry.records.lock().clone()
    }

    /// Waits until so many invocations are settled; a flight that was moved settles a little later than its response.
    pub(crate) async fn settled(&self, count: usize) -> Vec<Arc<InvocationRecord>> {
        let all = async {
            while self.telemetry.records.lock().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), all).await.expect("every invocation is settled");
        self.records()
    }

    pub(crate) async fn journal(&self, id: InvocationId) -> Result<types::journal::Journal, Problem> {
        let key = SealKey::from_bytes([9; 32]);
        let blob = Arc::new(testkit::model::ModelBlob::default());
        invoke::JournalReader::new(self.telemetry.clone(), blob, key).read(id).await
    }
}

/// The place in a trace of what caused a delivery.
pub(crate) fn parent() -> TraceContext {
    let (trace, span) = (TraceId::from_bytes([3; 16]).expect("not zero"), SpanId::from_bytes([4; 8]).expect("not zero"));
    TraceContext { trace, span, sampled: true }
}

/// What became of a batch.
pub(crate) fn verdict(response: &Response<Body>) -> Verdict {
    response.extensions().get::<Verdict>().cloned().expect("a batch has a verdict")
}

pub(crate) async fn text(response: Response<Body>) -> (u16, String) {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("the body is whole").to_bytes();
    (parts.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
}

/// Answers with a text, as a guest does it: the head, then the body.
pub(crate) fn answer(scope: &Arc<dyn Scope>, status: u16, body: impl Into<String>) -> Ended {
    let body = Bytes::from(body.into());
    let response = Response::builder().status(status).body(Body::from(body.clone())).expect("a response");
    scope.respond(response);
    scope.body_written(&body);
    Ended::Returned
}

pub(crate) fn put(key: &'static str, value: &'static str) -> Transaction {
    let (key, value) = (Bytes::from_static(key.as_bytes()), Bytes::from_static(value.as_bytes()));
    Transaction { writes: vec![types::kv::Write::Put { key, value, expires: None }], ..Transaction::default() }
}
