//! The replaying scope: every answer comes from the journal, in the recorded order. No network, no store, no clock.
//!
//! A guest is one thread that asks one thing at a time, so its calls and the host's answers form one sequence, and a replay walks along
//! it: each question must be the recorded one. Only the answers to calls may have come later than the next question, so those are
//! found by the number of their call.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, BoxStream, Kv, Outbound, Publish, Scope, StoreError, Tape,
    outbound::OutboundRequest,
    scope::{OpenBucket, OpenKv, OpenQueue, OpenSql, OpenStream},
    secrets::SecretValue,
    tape::{Diverged, Question},
};
use types::{
    ByteCount, Code, Elapsed, Timestamp,
    app::{Access, ResourceKind},
    journal::{Answer, CallId, Entry, Failure, Invoke, Journal, Level, LogLine, Operation, Reply},
    kv::{self, Change, Committed, Namespace, Transaction, WatchFrom},
    object::BucketName,
    queue::QueueName,
    sql::DatabaseName,
    stream::StreamName,
};

use super::{
    bucket, bus, queue,
    random::SeedStream,
    recorded::head_of,
    service::{self, Decide, Service},
    sql, stream,
};
use crate::journal::{headers_of, mask, tally::BodyTally};

/// Why a replay goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The guest asked something else than it did then.
    Diverged {
        /// The place in the sequence, from 1.
        at: usize,
        /// What the record has there.
        expected: String,
        /// What the guest did.
        got: String,
    },
    /// The record ends here: the run was cut off then.
    EndOfRecord,
    /// The record ends here because the journal was full then: how the run went on is not known.
    Incomplete,
    /// The wanted place was reached.
    Until,
}

/// What a replayed guest did.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) steps: usize,
    calls: u32,
    pub(crate) halt: Option<Halt>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) response: Option<(u16, types::journal::Headers)>,
    pub(crate) body: BodyTally,
    pub(crate) broken: Option<String>,
    /// Secrets that were replaced.
    pub(crate) fakes: Vec<String>,
    random: Option<SeedStream>,
}

/// The world of one replay.
pub(crate) struct ReplayScope {
    journal: Journal,
    /// Indices of the entries that form the sequence.
    sequence: Vec<usize>,
    replies: HashMap<CallId, usize>,
    until: Option<usize>,
    /// Numbers the connections to databases, as they were numbered then.
    connections: Arc<AtomicU32>,
    /// Whether the run has used up what it may take, as the one that is replayed had it to itself.
    pub(crate) is_overdue: AtomicBool,
    pub(crate) seen: Mutex<Seen>,
}

impl ReplayScope {
    pub(crate) fn new(journal: Journal, until: Option<usize>) -> Arc<Self> {
        let indices = |wanted: fn(&Entry) -> bool| journal.entries.iter().enumerate().filter(move |(_, entry)| wanted(entry));
        let sequence = indices(|entry| matches!(entry, Entry::Call { .. } | Entry::Answer(_))).map(|(index, _)| index).collect();
        let reply =
            |(index, entry): (usize, &Entry)| if let Entry::Return { id, .. } = entry { Some((*id, index)) } else { None };
        let replies = journal.entries.iter().enumerate().filter_map(reply).collect();
        Arc::new(Self {
            sequence,
            replies,
            journal,
            until,
            connections: Arc::default(),
            is_overdue: AtomicBool::default(),
            seen: Mutex::default(),
        })
    }

    /// How many steps the record has.
    pub(crate) fn steps(&self) -> usize {
        self.sequence.len()
    }
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }
    /// Why the replay stopped, if it has.
    pub(crate) fn halted(&self) -> bool {
        self.seen.lock().halt.is_some()
    }

    /// One step along the sequence. `matches` gives what the caller wants of the recorded entry, or nothing if it is another.
    fn step<T>(&self, got: impl FnOnce() -> String, matches: impl FnOnce(&Entry) -> Option<T>) -> Result<T, Diverged> {
        let mut seen = self.seen.lock();
        if seen.halt.is_some() {
            return Err(Diverged);
        }
        let halt = match self.sequence.get(seen.steps) {
            None => self.past_the_end(seen.steps, got),
            Some(_) if self.until == Some(seen.steps) => Halt::Until,
            Some(index) => {
                let entry = &self.journal.entries[*index];
                if let Some(found) = matches(entry) {
                    seen.steps += 1;
                    return Ok(found);
                }
                Halt::Diverged { at: seen.steps + 1, expected: describe(entry), got: got() }
            }
        };
        seen.halt = Some(halt);
        Err(Diverged)
    }

    /// What it means that the guest asks more than the record has: cut off then, or another way now.
    fn past_the_end(&self, steps: usize, got: impl FnOnce() -> String) -> Halt {
        if self.journal.incomplete {
            return Halt::Incomplete;
        }
        let cut_off = matches!(&self.journal.end.outcome, types::Outcome::Failed { code: Code::E0502 | Code::E0511, .. });
        if cut_off {
            return Halt::EndOfRecord;
        }
        Halt::Diverged { at: steps + 1, expected: "the end".into(), got: got() }
    }

    /// The recorded reply to a call, which must be the recorded one. A call that was never answered then is not answered now: the
    /// replay has reached the end of the record.
    async fn reply(&self, operation: Operation) -> Reply {
        let asked = self.step(
            || operation.name(),
            |entry| matches!(entry, Entry::Call { operation: recorded, .. } if *recorded == operation).then_some(()),
        );
        let found = asked.ok().and_then(|()| {
            let mut seen = self.seen.lock();
            let id = CallId(seen.calls);
            seen.calls += 1;
            let reply = self.replies.get(&id).map(|index| &self.journal.entries[*index]);
            match reply {
                Some(Entry::Return { reply, .. }) => Some(reply.clone()),
                _ => {
                    seen.halt = Some(if self.journal.incomplete { Halt::Incomplete } else { Halt::EndOfRecord });
                    None
                }
            }
        });
        match found {
            Some(reply) => reply,
            // The driver sees the halt after this poll and drops the guest.
            None => std::future::pending().await,
        }
    }

    /// What stands for a secret: of its length, and never its value, which is in no record.
    async fn secret(&self, name: String) -> Result<Option<SecretValue>, Failure> {
        match self.reply(Operation::Secret { name: name.clone() }).await {
            Reply::Secret(None) => Ok(None),
            Reply::Secret(Some(secret)) => {
                let value = mask::fake(&name, secret.bytes as usize);
                let mut seen = self.seen.lock();
                if !seen.fakes.contains(&name) {
                    seen.fakes.push(name);
                }
                Ok(Some(SecretValue(value)))
            }
            Reply::Failed(failure) => Err(failure),
            _ => Err(Failure { code: Code::E0806, message: "the record has a reply of another kind".into() }),
        }
    }

    fn answer(&self, asked: &'static str, fits: impl Fn(&Answer) -> bool) -> Result<Answer, Diverged> {
        let pick = |entry: &Entry| match entry {
            Entry::Answer(answer) if fits(answer) => Some(answer.clone()),
            _ => None,
        };
        self.step(|| asked.to_owned(), pick)
    }
}

/// An entry in a few words, as a divergence shows it.
pub(crate) fn describe(entry: &Entry) -> String {
    match entry {
        Entry::Call { operation, .. } => operation.name(),
        Entry::Answer(answer) => match answer {
            Answer::Monotonic(_) => "read of the monotonic clock".into(),
            Answer::Wall(_) => "read of the wall clock".into(),
            Answer::IsReady(_) | Answer::Ready(_) => "poll".into(),
            Answer::Read(_) | Answer::Closed | Answer::Broken(_) => "read of a body".into(),
            Answer::Writable(_) => "write to a body".into(),
            Answer::Arrived(_) => "look for a response".into(),
            Answer::Trailers(_) | Answer::NoTrailersYet => "look for trailers".into(),
        },
        other => format!("{other:?}").split([' ', '(', '{']).next().unwrap_or_default().to_lowercase(),
    }
}

impl Tape for ReplayScope {
    fn recall(&self, question: Question) -> Result<Option<Answer>, Diverged> {
        let answer = match question {
            Question::IsReady => self.answer("poll", |a| matches!(a, Answer::IsReady(_))),
            Question::Poll { count } => {
                self.answer("poll", move |a| matches!(a, Answer::Ready(list) if list.iter().all(|index| *index < count)))
            }
            Question::Read { max } => self.answer("read of a body", move |a| match a {
                Answer::Read(bytes) => bytes.len() as u64 <= max,
                Answer::Closed | Answer::Broken(_) => true,
                _ => false,
            }),
            Question::Writable => {
                self.answer("write to a body", |a| matches!(a, Answer::Writable(_) | Answer::Closed | Answer::Broken(_)))
            }
            Question::Arrived => self.answer("look for a response", |a| matches!(a, Answer::Arrived(_))),
            Question::Trailers => {
                self.answer("look for trailers", |a| matches!(a, Answer::Trailers(_) | Answer::NoTrailersYet | Answer::Broken(_)))
            }
        };
        answer.map(Some)
    }
    fn keeps(&self) -> bool {
        false
    }
    fn keep(&self, _: Answer) {}
}

/// The scope as a runtime sees it.
pub(crate) struct ReplayWorld(pub(crate) Arc<ReplayScope>);

impl ReplayWorld {
    /// What was recorded of the invocation, and what its grants allowed with the resource.
    fn granted(&self, kind: ResourceKind, name: &str, decide: Decide) -> Result<(&Invoke, Access), Failure> {
        let invoke = &self.0.journal.invoke;
        Ok((invoke, decide(invoke.function.as_str(), &invoke.uses, kind, name)?))
    }
    fn service(&self) -> Arc<dyn Service> {
        Arc::new(Replayed(self.0.clone()))
    }
}

/// Stands for any service: says what the record says.
struct Replayed(Arc<ReplayScope>);

#[async_trait]
impl Service for Replayed {
    async fn call(&self, operation: Operation, body: Body) -> Result<(Reply, Body), StoreError> {
        drain(body);
        match self.0.reply(operation).await {
            Reply::Failed(failure) => Err(StoreError::from_record(failure)),
            // The bytes of a body come from the tape, read by read.
            reply => Ok((reply, Body::Empty)),
        }
    }
}

impl Scope for ReplayWorld {
    fn kv(&self, store: &str) -> Result<OpenKv, Failure> {
        let invoke = &self.0.journal.invoke;
        service::access(invoke.function.as_str(), &invoke.uses, ResourceKind::Kv, store)?;
        let namespace = Namespace::of(&invoke.app, &invoke.env, store);
        Ok(OpenKv { kv: Arc::new(ReplayedKv { world: self.0.clone(), store: store.to_owned() }), namespace })
    }
    fn queue(&self, name: &str) -> Result<OpenQueue, Failure> {
        let Invoke { app, env, .. } = self.granted(ResourceKind::Queue, name, service::send_access)?.0;
        let front = queue::Front { service: self.service(), name: name.to_owned() };
        Ok(OpenQueue { queue: Arc::new(front), name: QueueName::of(app, env, name) })
    }
    fn stream(&self, name: &str) -> Result<OpenStream, Failure> {
        let Invoke { app, env, .. } = self.granted(ResourceKind::Stream, name, service::access)?.0;
        let front = stream::Front { service: self.service(), name: name.to_owned() };
        Ok(OpenStream { log: Arc::new(front), name: StreamName::of(app, env, name) })
    }
    fn sql(&self, name: &str) -> Result<OpenSql, Failure> {
        let (Invoke { app, env, .. }, access) = self.granted(ResourceKind::Sql, name, service::access)?;
        let front = sql::Front { service: self.service(), name: name.to_owned(), connections: self.0.connections.clone() };
        Ok(OpenSql { sql: Arc::new(front), database: DatabaseName::of(app, env, name), access: sql::access_of(access) })
    }
    fn bucket(&self, name: &str) -> Result<OpenBucket, Failure> {
        let Invoke { app, env, .. } = self.granted(ResourceKind::Bucket, name, service::access)?.0;
        let bucket = BucketName::of(app, env, name);
        let front = bucket::Front { service: self.service(), name: name.to_owned(), bucket: bucket.clone() };
        Ok(OpenBucket { objects: Arc::new(front), bucket })
    }
    fn bus(&self, name: &str) -> Result<Arc<dyn Publish>, Failure> {
        self.granted(ResourceKind::Event, name, service::send_access)?;
        Ok(Arc::new(bus::Front { service: self.service(), name: name.to_owned() }))
    }
    fn secret(&self, name: &str) -> BoxFuture<Result<Option<SecretValue>, Failure>> {
        let granted = self.granted(ResourceKind::Secret, name, service::access).map(drop);
        let (world, name) = (self.0.clone(), name.to_owned());
        Box::pin(async move {
            granted?;
            world.secret(name).await
        })
    }
    fn secrets(&self) -> Vec<String> {
        service::secrets(&self.0.journal.invoke.uses)
    }
    fn source(&self) -> String {
        let Invoke { app, function, .. } = &self.0.journal.invoke;
        service::source(app, function)
    }
    fn outbound(&self) -> Arc<dyn Outbound> {
        Arc::new(ReplayedOutbound(self.0.clone()))
    }
    fn environment(&self) -> &BTreeMap<String, String> {
        &self.0.journal.invoke.environment
    }
    fn wall_now(&self) -> Timestamp {
        match self.0.answer("read of the wall clock", |a| matches!(a, Answer::Wall(_))) {
            Ok(Answer::Wall(now)) => now,
            _ => self.0.journal.invoke.at,
        }
    }
    fn monotonic_now(&self) -> u64 {
        match self.0.answer("read of the monotonic clock", |a| matches!(a, Answer::Monotonic(_))) {
            Ok(Answer::Monotonic(now)) => now,
            _ => 0,
        }
    }
    fn sleep_until(&self, _: u64) -> BoxFuture<()> {
        Box::pin(std::future::ready(()))
    }
    fn random(&self, bytes: &mut [u8]) {
        let seed = &self.0.journal.invoke.seed;
        self.0.seen.lock().random.get_or_insert_with(|| SeedStream::new(seed)).fill(bytes);
    }
    fn is_overdue(&self) -> bool {
        self.0.is_overdue.load(Ordering::Relaxed)
    }
    fn tape(&self) -> &dyn Tape {
        &*self.0
    }
    fn instantiated(&self) {}
    fn log(&self, level: Level, context: &str, text: &str) {
        let line = LogLine { at: Elapsed::ZERO, level, context: context.to_owned(), text: text.to_owned() };
        let mut seen = self.0.seen.lock();
        if seen.logs.len() < types::limits::JOURNAL_RECORDS {
            seen.logs.push(line);
        }
    }
    fn memory(&self, _: ByteCount) {}
    fn grow_denied(&self, _: u64, _: u64) {}
    fn refused(&self, failure: &Failure) {
        if failure.code == Code::E0509 {
            self.0.seen.lock().broken.get_or_insert_with(|| failure.message.clone());
        }
    }
    fn body_read(&self, _: u64) {}
    fn respond(&self, response: Response<Body>) {
        let (parts, body) = response.into_parts();
        self.0.seen.lock().response = Some((parts.status.as_u16(), headers_of(&parts.headers)));
        drain(body);
    }
    fn body_written(&self, bytes: &Bytes) {
        self.0.seen.lock().body.add(bytes);
    }
}

/// Reads a body to its end, so that the guest that writes it is never held up: then too, somebody read it.
fn drain(mut body: Body) {
    tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
}

struct ReplayedKv {
    world: Arc<ReplayScope>,
    store: String,
}

impl ReplayedKv {
    async fn ask<T>(&self, operation: Operation, pick: impl FnOnce(Reply) -> Option<T>) -> Result<T, StoreError> {
        match self.world.reply(operation).await {
            Reply::Failed(failure) => Err(StoreError::from_record(failure)),
            reply => pick(reply).ok_or_else(|| StoreError::Damaged("the record has a reply of another kind".into())),
        }
    }
}

#[async_trait]
impl Kv for ReplayedKv {
    async fn get(&self, _: &Namespace, key: &Bytes) -> Result<Option<kv::Entry>, StoreError> {
        let operation = Operation::KvGet { store: self.store.clone(), key: key.clone() };
        self.ask(operation, |reply| if let Reply::KvEntry(entry) = reply { Some(entry) } else { None }).await
    }
    async fn get_many(&self, _: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<kv::Entry>>, StoreError> {
        let operation = Operation::KvGetMany { store: self.store.clone(), keys: keys.to_vec() };
        self.ask(operation, |reply| if let Reply::KvEntries(entries) = reply { Some(entries) } else { None }).await
    }
    async fn list(
        &self,
        _: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<kv::Entry>, StoreError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let operation = Operation::KvList { store: self.store.clone(), prefix: prefix.clone(), after: after.cloned(), limit };
        self.ask(operation, |reply| if let Reply::KvPage(page) = reply { Some(page) } else { None }).await
    }
    async fn commit(&self, _: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        let operation = Operation::KvCommit { store: self.store.clone(), transaction };
        self.ask(operation, |reply| if let Reply::KvCommitted(committed) = reply { Some(committed) } else { None }).await
    }
    async fn watch(&self, _: &Namespace, _: Bytes, _: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        Err(StoreError::Denied("a replay has nothing to watch".into()))
    }
}

struct ReplayedOutbound(Arc<ReplayScope>);

#[async_trait]
impl Outbound for ReplayedOutbound {
    async fn send(&self, request: OutboundRequest) -> Result<Response<Body>, Failure> {
        let operation = Operation::Http { request: head_of(&request.request) };
        drain(request.request.into_body());
        match self.0.reply(operation).await {
            Reply::Http { status, headers } => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value.as_ref());
                }
                // The body's bytes come from the tape, read by read.
                response.body(Body::Empty).map_err(|error| Failure { code: Code::E0806, message: error.to_string() })
            }
            Reply::Failed(failure) => Err(failure),
            _ => Err(Failure { code: Code::E0806, message: "the record has a reply of another kind".into() }),
        }
    }
}
