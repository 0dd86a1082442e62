//! The commit thread: takes one piece of work, drains what else waits, and commits all of it at once.

use std::{sync::Arc, thread::JoinHandle};

use ports::StoreError;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::{Applied, Batch, Module, Shared, Tick, checkpoint::Checkpointer};
use crate::{
    failpoint::{Failpoints, Passed, Point},
    sqlite::failure,
    stop::Stop,
};

/// Pieces of work in one COMMIT.
const BATCH_MAX: usize = 1_024;
/// How often the thread looks again for callers that it has just answered, letting them run in between: some microseconds in all.
const GATHER_YIELDS: u32 = 64;
/// Pieces that wait; more wait in their callers.
const QUEUE_MAX: usize = 2 * BATCH_MAX;

/// What the commit thread is given to do.
pub(crate) trait Work: Send {
    /// Does it inside the batch, and keeps what it came to. Called again if the batch failed and this is tried alone.
    fn apply(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()>;
    /// Answers. `Ok` once it is durable.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

pub(super) struct Committer {
    sender: Option<Sender>,
    thread: Option<JoinHandle<()>>,
}

/// The way to the commit thread. The thread ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct Sender {
    work: mpsc::Sender<Box<dyn Work>>,
    modules: Arc<[Arc<dyn Module>]>,
}

impl Committer {
    pub(super) fn start(connection: Connection, checkpointer: Checkpointer, shared: Shared) -> Result<Self, StoreError> {
        let (sender, work) = mpsc::channel(QUEUE_MAX);
        let modules = shared.modules.clone();
        let run = move || CommitThread { connection, _checkpointer: checkpointer, shared }.run(work);
        let thread = std::thread::Builder::new().name("shard-commit".into()).spawn(run);
        let thread = thread.map_err(|error| StoreError::Failed(format!("cannot start the commit thread: {error}")))?;
        Ok(Self { sender: Some(Sender { work: sender, modules }), thread: Some(thread) })
    }

    pub(super) fn sender(&self) -> Sender {
        self.sender.clone().expect("it is taken only by close")
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Applied<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.sender.as_ref().expect("it is taken only by close").run(work).await
    }

    pub(super) async fn submit(&self, work: Box<dyn Work>) {
        self.sender.as_ref().expect("it is taken only by close").submit(work).await;
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
    /// Calls all modules.
    pub(super) async fn tick(&self) -> Result<Tick, StoreError> {
        let modules = self.modules.clone();
        self.run(move |batch| {
            super::replies::sweep(batch)?;
            let mut all = Tick::default();
            for module in modules.iter() {
                let tick = module.tick(batch)?;
                all.is_partial |= tick.is_partial;
                all.next_ns = all.next_ns.into_iter().chain(tick.next_ns).min();
            }
            Ok(Ok(all))
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Applied<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Box::new(Call { work, outcome: None, reply })).await;
        answer.await.unwrap_or_else(|_| Err(StoreError::Ambiguous("the commit thread ended before it answered".into())))
    }

    async fn submit(&self, work: Box<dyn Work>) {
        if let Err(mpsc::error::SendError(work)) = self.work.send(work).await {
            work.answer(Err(StoreError::Failed("the store is closed".into())));
        }
    }
}

/// A call of a function, with the one who waits for what it gives.
struct Call<F, T> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&mut Batch<'_>) -> Applied<T> + Send> Work for Call<F, T> {
    fn apply(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        self.outcome = Some((self.work)(batch)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { work: _, outcome: own, reply } = *self;
        let answer = outcome.and_then(|()| own.expect("it was applied before it became durable"));
        // Who asked may be gone: dropping a call is allowed, so an answer that nobody takes is no error.
        drop(reply.send(answer));
    }
}

struct CommitThread {
    // Closed before the checkpointer is waited for.
    connection: Connection,
    _checkpointer: Checkpointer,
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
    fn run(mut self, mut work: mpsc::Receiver<Box<dyn Work>>) {
        let _guard = StopOnPanic(self.shared.stop.clone());
        let mut answered = 0;
        while let Some(first) = work.blocking_recv() {
            let mut batch = vec![first];
            // Callers that were just answered are about to come again: to begin without them would cost each of them one more fsync.
            let mut patience = GATHER_YIELDS;
            while batch.len() < BATCH_MAX {
                match work.try_recv() {
                    Ok(next) => batch.push(next),
                    Err(_) if batch.len() < answered && patience > 0 => {
                        patience -= 1;
                        std::thread::yield_now();
                    }
                    Err(_) => break,
                }
            }
            answered = batch.len();
            self.commit(batch);
        }
    }

    /// Applies and commits the work, then answers each of it.
    fn commit(&mut self, mut work: Vec<Box<dyn Work>>) {
        if let Err(stopped) = self.shared.stop.check() {
            return answer(work, Err(stopped));
        }
        let changes = self.connection.total_changes();
        let Applying { wakes_ns, after, error } = self.apply(&mut work);
        if let Some(error) = error {
            self.roll_back();
            let error = failure(&error);
            // One damaged page is no reason to refuse the others.
            if work.len() > 1 && !matches!(error, StoreError::Full) {
                return work.into_iter().for_each(|alone| self.commit(vec![alone]));
            }
            return answer(work, Err(error));
        }
        // What wrote nothing is no commit to anyone: tests count those that are.
        let has_changed = self.connection.total_changes() != changes;
        let failpoints = if has_changed { self.shared.failpoints.clone() } else { Failpoints::default() };
        let outcome = self.make_durable(&failpoints, has_changed);
        if outcome.is_ok() {
            self.shared.modules.iter().for_each(|module| module.committed());
            wakes_ns.into_iter().for_each(|at| self.shared.timer.hint(at));
            after.into_iter().for_each(|then| then());
            failpoints.pass(Point::ShardBeforeReply);
        }
        answer(work, outcome);
    }

    fn apply(&self, work: &mut [Box<dyn Work>]) -> Applying {
        let Self { connection, shared, .. } = self;
        let mut batch = Batch::new(connection, &*shared.clock, &shared.failpoints);
        let run = || -> rusqlite::Result<()> {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for one in work {
                one.apply(&mut batch)?;
            }
            shared.modules.iter().try_for_each(|module| module.finish(&mut batch))
        };
        let error = run().err();
        let Batch { wakes_ns, after, .. } = batch;
        Applying { wakes_ns, after, error }
    }

    /// Commits. Afterwards the batch is durable, or was rolled back, or nobody knows and the store has stopped.
    fn make_durable(&mut self, failpoints: &Failpoints, has_changed: bool) -> Result<(), StoreError> {
        let committed = match failpoints.pass(Point::ShardBeforeCommit) {
            Passed::Fail => Err(None),
            Passed::On | Passed::Skip => self.commit_now(has_changed).map_err(Some),
        };
        let error = match committed {
            Ok(_) if failpoints.pass(Point::ShardAfterCommit) != Passed::Fail => return Ok(()),
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

    fn commit_now(&self, has_changed: bool) -> rusqlite::Result<usize> {
        let commit = || self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if !has_changed {
            return commit();
        }
        self.shared.readers.committing();
        let outcome = commit();
        self.shared.readers.committed();
        outcome
    }

    fn roll_back(&mut self) {
        self.shared.modules.iter().for_each(|module| module.rolled_back());
        // SQLite rolls some failures back by itself: then there is no transaction to end.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.shared.stop.stop(&format!("ROLLBACK failed: {error}"));
        }
    }
}

/// What came of a batch before its COMMIT.
struct Applying {
    wakes_ns: Option<u64>,
    after: Vec<super::batch::After>,
    error: Option<rusqlite::Error>,
}

fn answer(work: Vec<Box<dyn Work>>, outcome: Result<(), StoreError>) {
    work.into_iter().for_each(|one| one.answer(outcome.clone()));
}
