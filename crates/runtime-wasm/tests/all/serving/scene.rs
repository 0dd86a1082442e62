//! A scope that grants everything, keeps what the runtime told it, and records or replays the tape.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Clock, Kv, Loaded, Outbound, Publish, Scope, Tape,
    outbound::OutboundRequest,
    runtime::{Call, Ended},
    scope::{OpenBucket, OpenKv, OpenQueue, OpenSql, OpenStream},
    secrets::SecretValue,
    tape::{Diverged, Question},
};
use testkit::{TestClock, model::kv::ModelKv};
use tokio::sync::oneshot;
use types::{
    ByteCount, Code, Limits, Timestamp,
    journal::{Answer, Failure, Level},
    kv::Namespace,
    object::BucketName,
    queue::QueueName,
    sql::{DatabaseName, SqlAccess},
    stream::StreamName,
};

use crate::state::{FakeBus, FakeObjects, Services, secrets};

/// What the tape does.
pub(crate) enum Recording {
    /// Answers are kept.
    Live(Vec<Answer>),
    /// Answers are given again.
    Replay(VecDeque<Answer>),
    /// Answers are not kept.
    Off,
}

/// The scope.
pub(crate) struct Scene {
    clock: Arc<TestClock>,
    kv: Arc<dyn Kv>,
    pub(crate) services: Arc<Services>,
    pub(crate) objects: Arc<FakeObjects>,
    pub(crate) secrets: BTreeMap<String, Option<Vec<u8>>>,
    pub(crate) environment: BTreeMap<String, String>,
    response: Mutex<Option<oneshot::Sender<http::Response<Body>>>>,
    pub(crate) recording: Mutex<Recording>,
    pub(crate) told: Mutex<Told>,
}

/// What the runtime told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) logs: Vec<(Level, String, String)>,
    pub(crate) refused: Vec<Failure>,
    pub(crate) read: u64,
    pub(crate) written: Vec<u8>,
    pub(crate) memory_peak: ByteCount,
}

fn ungranted<T>(kind: &str, name: &str) -> Result<T, Failure> {
    Err(Failure { code: Code::E0201, message: format!("{kind}.{name} was not granted") })
}

impl Scene {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(TestClock::new());
        Self {
            kv: Arc::new(ModelKv::new(clock.clone())),
            clock,
            services: Arc::default(),
            objects: Arc::default(),
            secrets: secrets(),
            environment: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
            response: Mutex::default(),
            recording: Mutex::new(Recording::Live(Vec::new())),
            told: Mutex::default(),
        }
    }

    /// A scope whose tape gives these answers.
    pub(crate) fn replaying(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { recording: Mutex::new(Recording::Replay(answers.into_iter().collect())), ..Self::new() }
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        match &*self.recording.lock() {
            Recording::Live(answers) => answers.clone(),
            Recording::Replay(rest) => rest.iter().cloned().collect(),
            Recording::Off => Vec::new(),
        }
    }

    fn answered<T>(
        &self,
        live: impl FnOnce() -> T,
        keep: impl FnOnce(&T) -> Answer,
        recall: impl FnOnce(Answer) -> Option<T>,
    ) -> T {
        match &mut *self.recording.lock() {
            Recording::Live(answers) => {
                let value = live();
                answers.push(keep(&value));
                value
            }
            Recording::Replay(rest) => rest.pop_front().and_then(recall).expect("the record has this answer here"),
            Recording::Off => live(),
        }
    }
}

/// Starts the program on a task of its own, and gives the response once it is there.
pub(crate) async fn begin(
    loaded: &Arc<dyn Loaded>,
    request: http::Request<Body>,
    scene: &Arc<Scene>,
) -> (Option<http::Response<Body>>, tokio::task::JoinHandle<Ended>) {
    let (sender, response) = oneshot::channel();
    *scene.response.lock() = Some(sender);
    let run = loaded.clone().call(Call { request, scope: scene.clone(), limits: Limits::default() });
    let waiting = scene.clone();
    let run = tokio::spawn(async move {
        let ended = run.await;
        drop(waiting.response.lock().take());
        ended
    });
    (response.await.ok(), run)
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) broken: bool,
    pub(crate) trailers: Option<http::HeaderMap>,
    pub(crate) ended: Ended,
}

impl Answered {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub(crate) fn code(&self) -> Option<Code> {
        match &self.ended {
            Ended::Stopped(fault) => Some(fault.code),
            Ended::Returned => None,
        }
    }
}

/// Calls the program and reads all of its answer.
pub(crate) async fn send(loaded: &Arc<dyn Loaded>, request: http::Request<Body>, scene: &Arc<Scene>) -> Answered {
    let (response, run) = begin(loaded, request, scene).await;
    let (mut status, mut headers, mut bytes, mut broken, mut trailers) = (0, Vec::new(), Vec::new(), false, None);
    if let Some(response) = response {
        let (head, mut body) = response.into_parts();
        status = head.status.as_u16();
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => bytes.extend_from_slice(&data),
                Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                Err(_) => broken = true,
            }
        }
    }
    Answered { status, headers, body: bytes.into(), broken, trailers, ended: run.await.expect("a run does not panic") }
}

/// A GET of this path.
pub(crate) fn get(target: &str) -> http::Request<Body> {
    http::Request::get(format!("http://test.localhost{target}")).body(Body::Empty).expect("a request")
}

/// A POST of this path whose body comes in these frames, with a pause before each.
pub(crate) fn post(target: &str, frames: Vec<http_body::Frame<Bytes>>) -> http::Request<Body> {
    let frames = futures_util::stream::unfold(frames.into_iter(), |mut frames| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok(frames.next()?), frames))
    });
    http::Request::post(format!("http://test.localhost{target}"))
        .body(Body::stream(StreamBody::new(Box::pin(frames))))
        .expect("a request")
}

impl Scope for Scene {
    fn kv(&self, store: &str) -> Result<OpenKv, Failure> {
        match store {
            "things" | "default" => Ok(OpenKv { kv: self.kv.clone(), namespace: Namespace("test".into()) }),
            other => ungranted("kv", other),
        }
    }
    fn queue(&self, name: &str) -> Result<OpenQueue, Failure> {
        match name {
            "secret" => ungranted("queue", name),
            "reading" => Err(Failure { code: Code::E0202, message: "queue.reading is granted for reading only".into() }),
            _ => Ok(OpenQueue { queue: self.services.clone(), name: QueueName(format!("app/dev/{name}")) }),
        }
    }
    fn stream(&self, name: &str) -> Result<OpenStream, Failure> {
        match name {
            "secret" => ungranted("stream", name),
            _ => Ok(OpenStream { log: self.services.clone(), name: StreamName(format!("app/dev/{name}")) }),
        }
    }
    fn sql(&self, name: &str) -> Result<OpenSql, Failure> {
        let access = if name == "reading" { SqlAccess::Read } else { SqlAccess::ReadWrite };
        match name {
            "secret" => ungranted("sql", name),
            _ => Ok(OpenSql { sql: self.services.clone(), database: DatabaseName(format!("app/dev/{name}")), access }),
        }
    }
    fn bucket(&self, name: &str) -> Result<OpenBucket, Failure> {
        match name {
            "secret" => ungranted("bucket", name),
            _ => Ok(OpenBucket { objects: self.objects.clone(), bucket: BucketName(format!("app/dev/{name}")) }),
        }
    }
    fn bus(&self, name: &str) -> Result<Arc<dyn Publish>, Failure> {
        match name {
            "secret" => ungranted("event", name),
            _ => Ok(Arc::new(FakeBus(self.services.clone(), name.to_owned()))),
        }
    }
    fn secret(&self, name: &str) -> BoxFuture<Result<Option<SecretValue>, Failure>> {
        let found = self.secrets.get(name).cloned().ok_or(());
        let found = found.map(|value| value.map(SecretValue)).or_else(|()| ungranted("secret", name));
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            found
        })
    }
    fn secrets(&self) -> Vec<String> {
        self.secrets.keys().cloned().collect()
    }
    fn source(&self) -> String {
        "/app/function".into()
    }
    fn outbound(&self) -> Arc<dyn Outbound> {
        Arc::new(Outside)
    }
    fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    fn wall_now(&self) -> Timestamp {
        let recall = |answer| if let Answer::Wall(now) = answer { Some(now) } else { None };
        self.answered(|| self.clock.now(), |now| Answer::Wall(*now), recall)
    }
    fn monotonic_now(&self) -> u64 {
        let recall = |answer| if let Answer::Monotonic(now) = answer { Some(now) } else { None };
        self.clock.advance(Duration::from_millis(1));
        self.answered(|| self.clock.monotonic_ns(), |now| Answer::Monotonic(*now), recall)
    }
    /// Time passes as soon as somebody waits for it.
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        let clock = self.clock.clone();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let missing = monotonic_ns.saturating_sub(clock.monotonic_ns());
            clock.advance(Duration::from_nanos(missing));
        })
    }
    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
    fn tape(&self) -> &dyn Tape {
        self
    }
    fn instantiated(&self) {}
    fn log(&self, level: Level, context: &str, text: &str) {
        self.told.lock().logs.push((level, context.to_owned(), text.to_owned()));
    }
    fn memory(&self, bytes: ByteCount) {
        let mut told = self.told.lock();
        told.memory_peak = told.memory_peak.max(bytes);
    }
    fn grow_denied(&self, _: u64, _: u64) {}
    fn refused(&self, failure: &Failure) {
        self.told.lock().refused.push(failure.clone());
    }
    fn body_read(&self, bytes: u64) {
        self.told.lock().read += bytes;
    }
    fn respond(&self, response: http::Response<Body>) {
        let sender = self.response.lock().take().expect("a guest responds once");
        let _ = sender.send(response);
    }
    fn body_written(&self, bytes: &Bytes) {
        self.told.lock().written.extend_from_slice(bytes);
    }
}

impl Tape for Scene {
    fn recall(&self, question: Question) -> Result<Option<Answer>, Diverged> {
        let Recording::Replay(rest) = &mut *self.recording.lock() else { return Ok(None) };
        let answer = rest.pop_front().ok_or(Diverged)?;
        let fits = match question {
            Question::IsReady => matches!(answer, Answer::IsReady(_)),
            Question::Poll { .. } => matches!(answer, Answer::Ready(_)),
            Question::Read { .. } => matches!(answer, Answer::Read(_) | Answer::Closed | Answer::Broken(_)),
            Question::Writable => matches!(answer, Answer::Writable(_) | Answer::Closed),
            Question::Arrived => matches!(answer, Answer::Arrived(_)),
            Question::Trailers => matches!(answer, Answer::Trailers(_) | Answer::NoTrailersYet | Answer::Broken(_)),
        };
        if fits { Ok(Some(answer)) } else { Err(Diverged) }
    }
    fn keeps(&self) -> bool {
        matches!(*self.recording.lock(), Recording::Live(_))
    }
    fn keep(&self, answer: Answer) {
        if let Recording::Live(answers) = &mut *self.recording.lock() {
            answers.push(answer);
        }
    }
}

/// The outside: `http://after.test/MS` answers after so many milliseconds, in two chunks; every other host fails.
struct Outside;

#[async_trait]
impl Outbound for Outside {
    async fn send(&self, request: OutboundRequest) -> Result<http::Response<Body>, Failure> {
        let uri = request.request.uri().clone();
        let failure = |code, message: &str| Err(Failure { code, message: message.to_owned() });
        match uri.host() {
            Some("after.test") => {}
            Some("refused.test") => return failure(Code::E0209, "connection refused by 10.0.0.1:80"),
            _ => return failure(Code::E0207, "may not reach"),
        }
        let ms = uri.path().trim_start_matches('/').parse().expect("the path is a number");
        tokio::time::sleep(Duration::from_millis(ms)).await;
        let chunks = ["from ", "outside"].map(|chunk| Ok(http_body::Frame::data(Bytes::from_static(chunk.as_bytes()))));
        Ok(http::Response::new(Body::stream(StreamBody::new(futures_util::stream::iter(chunks)))))
    }
}
