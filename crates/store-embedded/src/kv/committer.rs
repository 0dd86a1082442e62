//! The commit thread: takes one request, drains what else waits, and commits all of it at once.

use std::{sync::Arc, thread::JoinHandle};

use ports::{Clock, StoreError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};
use types::{
    Timestamp,
    kv::{Committed, Namespace, Transaction},
};

use super::{
    apply::{Batch, Swept, Writer},
    signals::Signals,
    sweep::Expiry,
};
use crate::{
    failpoint::{Failpoints, Passed, Point},
    sqlite::{Readers, failure},
    stop::Stop,
};

/// Requests in one COMMIT.
const BATCH_MAX: usize = 1_024;
/// Requests that wait; more wait in their callers.
const QUEUE_MAX: usize = 2 * BATCH_MAX;

/// What the commit thread shares with the rest of the store.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) readers: Arc<Readers>,
    pub(super) signals: Arc<Signals>,
    pub(super) expiry: Arc<Expiry>,
    pub(super) stop: Stop,
    pub(super) failpoints: Failpoints,
}

pub(super) struct Committer {
    sender: Option<Sender>,
    thread: Option<JoinHandle<()>>,
}

/// The way to the commit thread. The thread ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct Sender(mpsc::Sender<Request>);

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

enum Request {
    Commit { namespace: Namespace, transaction: Transaction, reply: Reply<Committed> },
    Sweep { reply: Reply<Swept> },
}

/// What a request came to, held back until everything in the batch is durable.
enum Done {
    Commit(Reply<Committed>, Result<Committed, StoreError>),
    Sweep(Reply<Swept>, Swept),
}

impl Committer {
    pub(super) fn start(connection: Connection, shared: Shared) -> Result<Self, StoreError> {
        let (sender, requests) = mpsc::channel(QUEUE_MAX);
        let run = move || CommitThread { connection, writer: Writer::default(), shared }.run(requests);
        let thread = std::thread::Builder::new().name("kv-commit".into()).spawn(run);
        let thread = thread.map_err(|error| StoreError::Failed(format!("cannot start the commit thread: {error}")))?;
        Ok(Self { sender: Some(Sender(sender)), thread: Some(thread) })
    }

    pub(super) fn sender(&self) -> Sender {
        self.sender.clone().expect("it is taken only by close")
    }

    pub(super) async fn commit(&self, namespace: Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        let sender = self.sender.as_ref().expect("it is taken only by close");
        sender.ask(|reply| Request::Commit { namespace, transaction, reply }).await
    }

    /// Ends the thread after all that it was sent, once there is no other sender.
    pub(super) fn close(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported where it happened, and stopped the store.
            let _ = thread.join();
        }
    }
}

impl Sender {
    pub(super) async fn sweep(&self) -> Result<Swept, StoreError> {
        self.ask(|reply| Request::Sweep { reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        if self.0.send(request(reply)).await.is_err() {
            return Err(StoreError::Failed("the store is closed".into()));
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Ambiguous("the commit thread ended before it answered".into())))
    }
}

struct CommitThread {
    connection: Connection,
    writer: Writer,
    shared: Shared,
}

/// Stops the store if the thread unwinds: what it had open is then in an unknown state.
struct StopOnPanic(Stop);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop("the commit thread panicked");
        }
    }
}

impl CommitThread {
    fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let _guard = StopOnPanic(self.shared.stop.clone());
        let mut batch = Vec::new();
        while let Some(first) = requests.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX
                && let Ok(next) = requests.try_recv()
            {
                batch.push(next);
            }
            self.commit(&mut batch);
        }
    }

    /// Applies and commits the batch, then answers each of it.
    fn commit(&mut self, batch: &mut Vec<Request>) {
        if let Err(stopped) = self.shared.stop.check() {
            return refuse(batch.drain(..), &stopped);
        }
        let applied = match self.apply(batch) {
            Ok(applied) => applied,
            Err(error) => {
                let error = failure(&error);
                self.roll_back();
                return refuse(batch.drain(..), &error);
            }
        };
        let Applied { done, changed, expires_first } = applied;
        // A sweep that found nothing is no commit to anyone: tests count those that are.
        let is_idle = changed.is_empty() && done.iter().all(|done| matches!(done, Done::Sweep(..)));
        let failpoints = if is_idle { Failpoints::default() } else { self.shared.failpoints.clone() };
        if let Err(error) = self.make_durable(&failpoints) {
            return done.into_iter().for_each(|done| done.fail(&error));
        }
        changed.iter().for_each(|namespace| self.shared.signals.notify(namespace));
        if let Some(at) = expires_first {
            self.shared.expiry.hint(at);
        }
        failpoints.pass(Point::KvBeforeReply);
        done.into_iter().for_each(Done::answer);
    }

    /// Leaves the batch empty if it succeeds, and as it was if it fails.
    fn apply(&mut self, requests: &mut Vec<Request>) -> rusqlite::Result<Applied> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let Self { connection, writer, shared } = self;
        let now = shared.clock.now();
        let mut batch = Batch { connection, writer, now, failpoints: &shared.failpoints, expires_first: None };
        let mut replies = Vec::with_capacity(requests.len());
        for request in requests.iter() {
            replies.push(match request {
                Request::Commit { namespace, transaction, .. } => Outcome::Commit(batch.apply(namespace, transaction)?),
                Request::Sweep { .. } => Outcome::Sweep(batch.sweep()?),
            });
        }
        let changed = batch.finish()?;
        let expires_first = batch.expires_first;
        let done = requests.drain(..).zip(replies).map(|(request, outcome)| outcome.of(request)).collect();
        Ok(Applied { done, changed, expires_first })
    }

    /// Commits. Afterwards the batch is durable, or was rolled back, or nobody knows and the store has stopped.
    fn make_durable(&mut self, failpoints: &Failpoints) -> Result<(), StoreError> {
        let committed = match failpoints.pass(Point::KvBeforeCommit) {
            Passed::Fail => Err(None),
            Passed::On | Passed::Skip => self.commit_now().map_err(Some),
        };
        let error = match committed {
            Ok(_) if failpoints.pass(Point::KvAfterCommit) != Passed::Fail => return Ok(()),
            // SQLite ran out of room before it wrote the commit record: the transaction is undone by the rollback.
            Err(Some(error)) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                self.roll_back();
                return Err(StoreError::Full);
            }
            Ok(_) | Err(None) => "a failpoint failed the commit".to_owned(),
            Err(Some(error)) => format!("COMMIT failed: {error}"),
        };
        self.shared.stop.stop(&error);
        Err(StoreError::Ambiguous(error))
    }

    fn commit_now(&self) -> rusqlite::Result<usize> {
        self.shared.readers.committing();
        let outcome = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        self.shared.readers.committed();
        outcome
    }

    fn roll_back(&mut self) {
        self.writer.reset();
        // SQLite rolls some failures back by itself: then there is no transaction to end.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.shared.stop.stop(&format!("ROLLBACK failed: {error}"));
        }
    }
}

struct Applied {
    done: Vec<Done>,
    changed: Vec<Namespace>,
    expires_first: Option<Timestamp>,
}

enum Outcome {
    Commit(Result<Committed, StoreError>),
    Sweep(Swept),
}

impl Outcome {
    fn of(self, request: Request) -> Done {
        match (self, request) {
            (Self::Commit(outcome), Request::Commit { reply, .. }) => Done::Commit(reply, outcome),
            (Self::Sweep(swept), Request::Sweep { reply }) => Done::Sweep(reply, swept),
            _ => unreachable!("outcomes are in the order of their requests"),
        }
    }
}

// Who asked may be gone: dropping a call is allowed, so an answer that nobody takes is no error.
impl Done {
    fn answer(self) {
        match self {
            Self::Commit(reply, outcome) => drop(reply.send(outcome)),
            Self::Sweep(reply, swept) => drop(reply.send(Ok(swept))),
        }
    }

    fn fail(self, error: &StoreError) {
        match self {
            Self::Commit(reply, _) => drop(reply.send(Err(error.clone()))),
            Self::Sweep(reply, _) => drop(reply.send(Err(error.clone()))),
        }
    }
}

fn refuse(requests: impl Iterator<Item = Request>, error: &StoreError) {
    for request in requests {
        match request {
            Request::Commit { reply, .. } => drop(reply.send(Err(error.clone()))),
            Request::Sweep { reply } => drop(reply.send(Err(error.clone()))),
        }
    }
}
