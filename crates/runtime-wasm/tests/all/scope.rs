//! A scope in memory: it grants nothing, keeps the time of the real clock, and remembers what it was told. The example `knobs` uses it too.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Outbound, Publish, Scope, Tape,
    outbound::OutboundRequest,
    scope::{OpenBucket, OpenKv, OpenQueue, OpenSql, OpenStream},
    secrets::SecretValue,
    tape::{Diverged, Question},
};
use tokio::{sync::oneshot, time::Instant};
use types::{
    ByteCount, Code, Timestamp,
    journal::{Answer, Failure, Level},
};

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
    pub(crate) response: Mutex<Option<oneshot::Sender<http::Response<Body>>>>,
    pub(crate) told: Mutex<Told>,
    /// Whether asking for randomness panics, as a bug in the platform would.
    random_panics: bool,
    /// The time that a guest has.
    time: Option<std::time::Duration>,
}

impl Default for World {
    #[allow(clippy::disallowed_methods, reason = "this is the clock, of tests")]
    fn default() -> Self {
        let environment = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
        Self {
            began: Instant::now(),
            environment,
            response: Mutex::default(),
            told: Mutex::default(),
            random_panics: false,
            time: None,
        }
    }
}

impl World {
    pub(crate) fn with_time(time: std::time::Duration) -> Self {
        Self { time: Some(time), ..Self::default() }
    }
    pub(crate) fn with_a_broken_generator() -> Self {
        Self { random_panics: true, ..Self::default() }
    }
}

fn not_granted(kind: &str, name: &str) -> Failure {
    Failure { code: Code::E0201, message: format!("{kind}.{name} was not granted") }
}

impl Scope for World {
    fn kv(&self, store: &str) -> Result<OpenKv, Failure> {
        Err(not_granted("kv", store))
    }
    fn queue(&self, name: &str) -> Result<OpenQueue, Failure> {
        Err(not_granted("queue", name))
    }
    fn stream(&self, name: &str) -> Result<OpenStream, Failure> {
        Err(not_granted("stream", name))
    }
    fn sql(&self, name: &str) -> Result<OpenSql, Failure> {
        Err(not_granted("sql", name))
    }
    fn bucket(&self, name: &str) -> Result<OpenBucket, Failure> {
        Err(not_granted("bucket", name))
    }
    fn bus(&self, name: &str) -> Result<Arc<dyn Publish>, Failure> {
        Err(not_granted("event", name))
    }
    fn secret(&self, name: &str) -> BoxFuture<Result<Option<SecretValue>, Failure>> {
        let failure = not_granted("secret", name);
        Box::pin(std::future::ready(Err(failure)))
    }
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
    fn source(&self) -> String {
        "/test/guest".to_owned()
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
    fn is_overdue(&self) -> bool {
        self.time.is_some_and(|time| self.began.elapsed() >= time)
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
