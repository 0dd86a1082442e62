//! Triggers on a clock that the test moves, with functions written as closures.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Response;
use ingress::{Drain, TriggerSettings, Triggers};
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Clock as _, Invocation, Invoker, Plane, Queue, Unit as _, Verdict,
    invoker::Acknowledge,
    queue::{Message, QueueName},
    unit::{Effects, UnitOutcome},
};
use serde_json::Value;
use testkit::{SeededRng, TestClock};
use tokio::task::JoinHandle;
use types::{
    AppKey, Build, Code, Digest, Function, LiveApp, LiveFunction, LiveRevision, RevisionNumber, Snapshot, TraceContext,
    kv::IdempotencyKey,
    trigger::{On, Rules, Source},
};

use super::store::Store;

/// One delivery to a function.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) function: String,
    pub(crate) revision: u32,
    pub(crate) at_ms: u64,
    pub(crate) ids: Vec<String>,
    pub(crate) attempt: u32,
    pub(crate) depth: u32,
    pub(crate) parent: Option<TraceContext>,
    pub(crate) links: usize,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    /// The bodies of a batch's messages, as text.
    pub(crate) fn bodies(&self) -> Vec<String> {
        match serde_json::from_str::<Value>(&self.body) {
            Ok(Value::Array(events)) => {
                events.iter().map(|event| event["data"].as_str().unwrap_or_default().to_owned()).collect()
            }
            _ => vec![self.body.clone()],
        }
    }
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// What a function answers.
pub(crate) enum Reply {
    Verdict(Verdict),
    Refused(Code),
    /// After so much time.
    After(Duration, Verdict),
}

pub(crate) fn done() -> Reply {
    Reply::Verdict(Verdict::Done { failed: vec![] })
}
pub(crate) fn failed(reason: &str) -> Reply {
    Reply::Verdict(Verdict::Failed { reason: reason.into() })
}

type Handler = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

pub(crate) struct Functions {
    store: Arc<Store>,
    clock: Arc<TestClock>,
    handler: Handler,
    pub(crate) seen: Mutex<Vec<Seen>>,
    pub(crate) running: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) finished: AtomicUsize,
    /// The control: events are not acknowledged.
    pub(crate) acknowledges: AtomicBool,
}

struct Running(Arc<Functions>);
impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Functions {
    async fn run(self: Arc<Self>, invocation: Invocation) -> Response<Body> {
        let running = Running(Arc::clone(&self));
        let most = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(most, Ordering::Relaxed);
        let Invocation { function, request, parent, depth, batch, .. } = invocation;
        let batch = batch.expect("a trigger's invocation has a batch");
        let (parts, body) = request.into_parts();
        let body = http_body_util::BodyExt::collect(body).await.expect("a body").to_bytes();
        let seen = Seen {
            function: function.function.name.to_string(),
            revision: function.revision.0,
            at_ms: self.clock.monotonic_ns() / 1_000_000,
            ids: batch.items.iter().map(|item| item.id.clone()).collect(),
            attempt: batch.attempt,
            links: batch.links.len(),
            depth,
            parent,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.seen.lock().push(seen.clone());
        let verdict = match (self.handler)(&seen) {
            Reply::Verdict(verdict) => verdict,
            Reply::After(time, verdict) => {
                let until = self.clock.monotonic_ns() + u64::try_from(time.as_nanos()).expect("short");
                self.clock.sleep_until(until).await;
                verdict
            }
            Reply::Refused(code) => {
                let mut response = Response::new(Body::Empty);
                response.headers_mut().insert("x-dayfly-error", code.as_str().parse().expect("a value"));
                return response;
            }
        };
        let verdict = match verdict {
            Verdict::Done { failed } if self.acknowledges.load(Ordering::Relaxed) => {
                let acknowledged = acknowledgements(&batch.items, &failed);
                let key = IdempotencyKey("unit".into());
                match self.store.commit(acknowledged, key).await {
                    Ok(UnitOutcome::Committed) => Verdict::Done { failed },
                    _ => Verdict::Superseded,
                }
            }
            other => other,
        };
        self.finished.fetch_add(1, Ordering::Relaxed);
        drop(running);
        let mut response = Response::new(Body::Empty);
        response.extensions_mut().insert(verdict);
        response
    }
}

fn acknowledgements(items: &[ports::invoker::Item], failed: &[String]) -> Effects {
    let mut effects = Effects::default();
    let mut broken = false;
    for item in items {
        let fails = failed.contains(&item.id);
        broken = broken || fails;
        match item.acknowledge.clone() {
            Acknowledge::Message(queue, receipt) if !fails => effects.acks.push((queue, receipt)),
            Acknowledge::Record { stream, group, partition, next, epoch } if !broken => {
                effects.offsets = vec![(stream, group, partition, next, epoch)];
            }
            _ => {}
        }
    }
    effects
}

struct Runs(Arc<Functions>);
impl Invoker for Runs {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<Response<Body>> {
        Box::pin(Arc::clone(&self.0).run(invocation))
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Arc<Store>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) triggers: Arc<Triggers>,
    pub(crate) drain: Drain,
    pub(crate) served: JoinHandle<()>,
    seed: u64,
}

pub(crate) fn key() -> AppKey {
    AppKey { app: "shop".parse().expect("a name"), env: "dev".parse().expect("a name") }
}
pub(crate) fn orders() -> QueueName {
    QueueName::of(&key().app, &key().env, "orders")
}
pub(crate) fn trigger_queue(function: &str) -> QueueName {
    QueueName::of_trigger(&key(), &function.parse().expect("a name"))
}
pub(crate) fn message(body: &str) -> Message {
    Message { body: body.to_owned().into(), ..Message::default() }
}
pub(crate) fn grouped(body: &str, group: &str) -> Message {
    Message { group: Some(group.to_owned().into()), ..message(body) }
}

pub(crate) fn queue_source() -> Source {
    Source::Queue { queue: "orders".into() }
}
/// A function with the defaults, changed as wanted.
pub(crate) fn function(name: &str, source: Source, change: impl FnOnce(&mut Rules)) -> Function {
    let mut rules = Rules { batch: 10, wait: Duration::ZERO, retries: 2, dead: "dead".into() };
    change(&mut rules);
    let on = Some(On { source, rules });
    Function { on, ..Function::empty(name.parse().expect("a name"), ".".into(), Build::Component) }
}
pub(crate) fn worker(change: impl FnOnce(&mut Rules)) -> Function {
    function("worker", queue_source(), change)
}

/// A snapshot with revisions that share the traffic by weight.
pub(crate) fn shared(number: u64, revisions: Vec<(u32, Vec<Function>, u32)>) -> Arc<Snapshot> {
    let live = |(number, functions, weight): (u32, Vec<Function>, u32)| {
        let number = RevisionNumber(number);
        let one = |function: Function| {
            let artifact = Digest::from_bytes([0; 32]);
            let resources = Arc::default();
            (
                function.name.clone(),
                Arc::new(LiveFunction { key: key(), revision: number, function, artifact, gate: 0, resources }),
            )
        };
        (Arc::new(LiveRevision { number, functions: functions.into_iter().map(one).collect(), site: None, events: None }), weight)
    };
    let shares: Vec<_> = revisions.into_iter().map(live).collect();
    let apps =
        if shares.is_empty() { vec![] } else { vec![Arc::new(LiveApp { key: key(), hosts: vec![], default: true, shares })] };
    Arc::new(Snapshot { number, apps })
}

impl World {
    /// Functions of one revision that all answer by one closure.
    pub(crate) async fn new(functions: Vec<Function>, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let clock = Arc::new(TestClock::new());
        let store = Store::new(&clock);
        Self::with(clock, store, 7, shared(1, vec![(1, functions, 1)]), handler).await
    }

    pub(crate) async fn with(
        clock: Arc<TestClock>,
        store: Arc<Store>,
        seed: u64,
        snapshot: Arc<Snapshot>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let functions = Arc::new(Functions {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            handler: Box::new(handler),
            seen: Mutex::default(),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            acknowledges: AtomicBool::new(true),
        });
        let (triggers, drain, served) = Self::start(&clock, &store, &functions, seed);
        triggers.install(&snapshot);
        let world = Self { clock, store, functions, triggers, drain, served, seed };
        world.settle().await;
        world
    }

    fn start(
        clock: &Arc<TestClock>,
        store: &Arc<Store>,
        functions: &Arc<Functions>,
        seed: u64,
    ) -> (Arc<Triggers>, Drain, JoinHandle<()>) {
        let triggers = Triggers::new(TriggerSettings {
            invoker: Arc::new(Runs(Arc::clone(functions))),
            queue: Arc::clone(store) as Arc<dyn Queue>,
            log: Arc::clone(store) as _,
            unit: Arc::clone(store) as _,
            kv: Arc::new(KvOf(Arc::clone(store))),
            sql: Arc::clone(store) as _,
            clock: Arc::clone(clock) as _,
            rng: Arc::new(SeededRng::new(seed)),
            member: "node".into(),
            drain_time: Duration::from_secs(20),
        });
        let drain = Drain::new();
        let served = triggers.serve(drain.clone());
        (triggers, drain, served)
    }

    /// The process dies and comes back: everything that runs is gone, the store stays.
    pub(crate) async fn crash(&mut self, snapshot: &Arc<Snapshot>) {
        self.served.abort();
        self.settle().await;
        let (triggers, drain, served) = Self::start(&self.clock, &self.store, &self.functions, self.seed);
        (self.triggers, self.drain, self.served) = (triggers, drain, served);
        self.triggers.install(snapshot);
        self.settle().await;
    }

    /// Lets every task go on until all of them wait for the clock.
    pub(crate) async fn settle(&self) {
        for _ in 0..300 {
            tokio::task::yield_now().await;
        }
    }
    /// Time passes, step by step.
    pub(crate) async fn pass(&self, time: Duration) {
        let step = (time / 200).max(Duration::from_millis(10));
        let mut left = time;
        while !left.is_zero() {
            let now = left.min(step);
            self.clock.advance(now);
            self.settle().await;
            left -= now;
        }
    }
    pub(crate) async fn send(&self, bodies: &[&str]) {
        let queue = orders();
        self.store.enqueue(&queue, bodies.iter().map(|body| message(body)).collect(), None).await.expect("it takes messages");
        self.settle().await;
    }
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.functions.seen.lock().clone()
    }
    /// What the functions got, delivery by delivery.
    pub(crate) fn told(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.bodies().join(" ")).collect()
    }
}

/// The store's key-value part.
struct KvOf(Arc<Store>);

#[async_trait::async_trait]
impl ports::Kv for KvOf {
    async fn get(&self, n: &types::kv::Namespace, key: &bytes::Bytes) -> Result<Option<types::kv::Entry>, ports::StoreError> {
        self.0.kv.get(n, key).await
    }
    async fn get_many(
        &self,
        n: &types::kv::Namespace,
        keys: &[bytes::Bytes],
    ) -> Result<Vec<Option<types::kv::Entry>>, ports::StoreError> {
        self.0.kv.get_many(n, keys).await
    }
    async fn list(
        &self,
        n: &types::kv::Namespace,
        prefix: &bytes::Bytes,
        after: Option<&bytes::Bytes>,
        limit: usize,
    ) -> Result<Vec<types::kv::Entry>, ports::StoreError> {
        self.0.kv.list(n, prefix, after, limit).await
    }
    async fn commit(
        &self,
        n: &types::kv::Namespace,
        transaction: types::kv::Transaction,
    ) -> Result<types::kv::Committed, ports::StoreError> {
        self.0.kv.commit(n, transaction).await
    }
    async fn watch(
        &self,
        n: &types::kv::Namespace,
        prefix: bytes::Bytes,
        from: types::kv::WatchFrom,
    ) -> Result<ports::BoxStream<types::kv::Change>, ports::StoreError> {
        self.0.kv.watch(n, prefix, from).await
    }
}
