//! The shard: one SQLite file, one thread that commits, many connections that read. Everything durable that must be atomic together
//! lives in it: key-value stores, queues, streams, leases, feeds and the metadata of objects are *modules* over it.
//!
//! A piece of work is handed to the commit thread ([`commit`]), which puts all that wait into one COMMIT: so one fsync serves many
//! callers. Nobody is answered before the COMMIT is durable. [`batch`] is what work sees inside; [`reading`] is for connections that
//! read; [`timer`] wakes the modules when something is due; [`replies`] makes repeated calls harmless.
//!
//! # How a module is added
//!
//! 1. Its tables are a file of their own, named in one new line at the end of `schema::STEPS`. The file's `user_version` is the number
//!    of steps that it has; missing ones are applied at start, so a folder of an earlier version opens. A released step never changes.
//! 2. It implements [`Module`] and is named in `store.rs`, before the queues, which come last: other modules enqueue.
//! 3. Its port is a struct around `Arc<Shard>` and `Arc<TheModule>`:
//!    - writes are `shard.run(move |batch| …)`. The work may run twice (when another one of its batch failed, each is tried alone), so it
//!      borrows what it was given. The outer error fails the batch, the inner one is the caller's refusal: until there, either nothing was
//!      written, or it happened in `batch.savepoint(|batch| …)`, which undoes what is refused.
//!    - reads are `shard.reading().run(|connection, now| …).await` for those of unknown length, `.with(…)` for point reads of microseconds.
//! 4. What it keeps in memory lies behind a lock in the module, follows what the open batch did, and is thrown away and read anew after
//!    [`Module::rolled_back`]. The locks are only ever waited for by readers of it: all writing happens on the one thread.
//! 5. Whoever waits for news is told in [`Module::committed`], or by a closure given to `batch.after_commit`.

pub(crate) mod batch;
mod checkpoint;
mod commit;
pub(crate) mod reading;
pub(crate) mod replies;
mod schema;
pub(crate) mod signals;
mod timer;

use std::sync::Arc;

use ports::{Clock, StoreError};

use crate::{
    failpoint::Failpoints,
    folder::Folder,
    sqlite::{self, Readers},
    stop::Stop,
};
pub(crate) use batch::{Applied, Batch};
use checkpoint::Checkpointer;
use commit::Committer;
pub(crate) use commit::Work;
pub(crate) use reading::Reading;
use timer::{Timer, TimerThread};

/// What lives in a shard. All of it but `open` and `close` is called on the commit thread.
pub(crate) trait Module: Send + Sync {
    /// Reads what it keeps in memory: called once, before anything else.
    fn open(&self, _batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        Ok(())
    }
    /// Removes what is over, and the like. Called when something is due, and at least once a minute.
    fn tick(&self, _batch: &mut Batch<'_>) -> rusqlite::Result<Tick> {
        Ok(Tick::default())
    }
    /// Called after all work of a batch, right before COMMIT, in the order in which modules were named.
    fn finish(&self, _batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        Ok(())
    }
    /// The batch is durable: those who wait may be told.
    fn committed(&self) {}
    /// Nothing of the batch happened: what is held in memory is to be read anew.
    fn rolled_back(&self) {}
    /// The store is closed or has stopped: nobody will be told anything any more.
    fn close(&self) {}
}

/// What a module has to do yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tick {
    /// There is more to do now; others come first.
    pub(crate) is_partial: bool,
    /// When something is due next, by the monotonic clock in nanoseconds.
    pub(crate) next_ns: Option<u64>,
}

/// The open file with its threads. They end when this is dropped.
pub(crate) struct Shard {
    // Dropped in this order: the timer sends to the committer.
    timer: TimerThread,
    committer: Committer,
    reading: Arc<Reading>,
    modules: Arc<[Arc<dyn Module>]>,
    _folder: Arc<Folder>,
}

/// What the threads share.
struct Shared {
    clock: Arc<dyn Clock>,
    readers: Arc<Readers>,
    modules: Arc<[Arc<dyn Module>]>,
    timer: Arc<Timer>,
    stop: Stop,
    failpoints: Failpoints,
}

impl Shard {
    /// Opens the file, makes or amends its tables, and starts the threads.
    pub(crate) fn open(
        folder: Arc<Folder>,
        clock: Arc<dyn Clock>,
        stop: Stop,
        failpoints: Failpoints,
        modules: Vec<Arc<dyn Module>>,
    ) -> Result<Self, StoreError> {
        let path = folder.kv();
        let mut connection = sqlite::open_steps(&path, schema::STEPS)?;
        let checkpointer = Checkpointer::start(&mut connection, &path)?;
        let modules: Arc<[Arc<dyn Module>]> = modules.into();
        let mut batch = Batch::new(&connection, &*clock, &failpoints);
        let opened = modules.iter().try_for_each(|module| module.open(&mut batch));
        opened.map_err(|error| sqlite::failure(&error))?;
        // Not held by the hook: a module may hold what it is a hook of.
        let told = Arc::downgrade(&modules);
        stop.on_stop(Box::new(move |_| told.upgrade().iter().flat_map(|told| told.iter()).for_each(|module| module.close())));
        let readers = Arc::new(Readers::new(&path));
        let timer = Timer::new(clock.clone());
        let shared = Shared {
            clock: clock.clone(),
            readers: readers.clone(),
            modules: modules.clone(),
            timer: timer.clone(),
            stop: stop.clone(),
            failpoints,
        };
        let committer = Committer::start(connection, checkpointer, shared)?;
        let timer = TimerThread::start(timer, committer.sender())?;
        let reading = Arc::new(Reading::new(readers, clock, stop));
        Ok(Self { timer, committer, reading, modules, _folder: folder })
    }

    /// Runs the work in the next batch; gives what it came to once that is durable.
    ///
    /// # Cancel safety
    /// Dropped work may still happen.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Applied<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.reading.check()?;
        self.committer.run(work).await
    }

    /// Hands over work that answers by itself.
    pub(crate) async fn submit(&self, work: Box<dyn Work>) {
        match self.reading.check() {
            Ok(()) => self.committer.submit(work).await,
            Err(error) => work.answer(Err(error)),
        }
    }

    /// Connections for reading.
    pub(crate) fn reading(&self) -> &Arc<Reading> {
        &self.reading
    }

    /// The store's clock.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.reading.clock()
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.timer.close();
        self.committer.close();
        self.modules.iter().for_each(|module| module.close());
    }
}
