//! The telemetry port on these files.

use std::{path::PathBuf, sync::Arc, thread::JoinHandle};

use async_trait::async_trait;
use futures_util::stream;
use parking_lot::Mutex;
use ports::{
    BoxStream, Clock, StoreError, Telemetry,
    telemetry::{Filter, Health, LogRecord, SealedJournal, UsageRow},
};
use tokio::sync::{Semaphore, broadcast, oneshot};
use types::{Code, InvocationId, Problem, Timestamp, limits, record::InvocationRecord};

use super::{
    codec::Encoder,
    counts::Counts,
    day::{DayNumber, DayOptions},
    newest::Newest,
    queue::{Bounds, Queue},
    search::{Faults, Reader},
    writer::{Followed, Writer, is_damage},
};

/// Records that a slow follower may lag behind before it misses some.
const FOLLOW_BUFFER: usize = 4_096;
/// Searches that run at once; more wait, so that a search never takes every core.
const SEARCHES: usize = 2;
/// Log lines are found with their invocation's day; the longest invocation writes its last line this many days later at most.
const LOG_DAYS: u64 = 1;

/// For how many days telemetry is kept beside the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionDays(pub u32);

impl Default for RetentionDays {
    fn default() -> Self {
        Self(limits::RETENTION_DAYS)
    }
}

/// What tests change to see the store at its bounds and without its protections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) bounds: Bounds,
    pub(super) verify: bool,
    pub(super) day: DayOptions,
}

impl Default for Options {
    fn default() -> Self {
        let bounds = Bounds { records: limits::TELEMETRY_QUEUE, bytes: limits::TELEMETRY_QUEUE_BYTES.0 };
        Self { bounds, verify: true, day: DayOptions { pages_max: None } }
    }
}

/// The telemetry store: one SQLite file a day in one folder. Dropping it writes what waits and ends its thread.
pub struct TelemetryStore {
    dir: PathBuf,
    queue: Arc<Queue>,
    faults: Arc<Faults>,
    counts: Arc<Counts>,
    followers: broadcast::Sender<Followed>,
    searches: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl TelemetryStore {
    /// Opens the store in a folder, which is made if there is none, and starts its writer thread. Files are opened by that thread, so
    /// that the start waits for none. Nobody else may write to the folder.
    ///
    /// # Errors
    /// `E0601` if the folder can't be made or the thread not started.
    pub fn open(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>, keep: RetentionDays) -> Result<Arc<Self>, Problem> {
        Self::open_with(dir.into(), clock, keep, Options::default())
    }

    pub(super) fn open_with(
        dir: PathBuf,
        clock: Arc<dyn Clock>,
        keep: RetentionDays,
        options: Options,
    ) -> Result<Arc<Self>, Problem> {
        let failed = |error: std::io::Error| {
            Problem::new(Code::E0601, format!("the telemetry store in {} can't be opened: {error}", dir.display()))
        };
        std::fs::create_dir_all(&dir).map_err(failed)?;
        let (queue, faults) = (Arc::new(Queue::new(options.bounds)), Arc::new(Faults::new(options.verify)));
        let (counts, followers) = (Arc::new(Counts::default()), broadcast::Sender::new(FOLLOW_BUFFER));
        let writer = Writer {
            dir: dir.clone(),
            queue: Arc::clone(&queue),
            faults: Arc::clone(&faults),
            counts: Arc::clone(&counts),
            clock,
            followers: followers.clone(),
            encoder: Encoder::new().map_err(failed)?,
            retention_days: keep.0,
            options: options.day,
            days: Vec::new(),
        };
        let thread = std::thread::Builder::new().name("telemetry".into()).spawn(|| writer.run_guarded()).map_err(failed)?;
        let searches = Arc::new(Semaphore::new(SEARCHES));
        Ok(Arc::new(Self { dir, queue, faults, counts, followers, searches, writer: Mutex::new(Some(thread)) }))
    }

    /// Runs `look` on each day, newest first, until it says that it has seen enough. It runs where blocking is allowed.
    async fn search<T: Send + 'static>(
        &self,
        days: impl Fn(DayNumber) -> bool + Send + 'static,
        mut into: T,
        mut look: impl FnMut(&Reader<'_>, &mut T) -> rusqlite::Result<Enough> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.searches).acquire_owned().await;
        let (dir, faults) = (self.dir.clone(), Arc::clone(&self.faults));
        let work = move || {
            let _permit = permit;
            let mut all = DayNumber::all(&dir).map_err(|error| StoreError::Failed(error.to_string()))?;
            all.retain(|day| days(*day));
            for day in all.into_iter().rev() {
                let seen = Reader::open(&dir, day, &faults).and_then(|reader| reader.map(|r| look(&r, &mut into)).transpose());
                match seen {
                    Ok(Some(Enough::Yes)) => break,
                    Ok(_) => {}
                    Err(error) if is_damage(&error) => faults.file(day, &error),
                    // The day went away while it was looked for.
                    Err(_) if !day.path(&dir).exists() => {}
                    Err(error) => return Err(StoreError::Failed(error.to_string())),
                }
            }
            Ok(into)
        };
        let joined = tokio::task::spawn_blocking(work).await;
        joined.unwrap_or_else(|error| Err(StoreError::Failed(format!("a search of telemetry ended early: {error}"))))
    }

    async fn ask(&self, ask: impl FnOnce(&Queue, oneshot::Sender<Result<(), StoreError>>)) -> Result<(), StoreError> {
        let (done, told) = oneshot::channel();
        ask(&self.queue, done);
        told.await.unwrap_or_else(|_| Err(StoreError::Failed("the telemetry store has ended".into())))
    }
}

/// Whether a search may stop.
enum Enough {
    Yes,
    No,
}

/// The days whose records a search by time may want; `before` widens the range into the past.
fn days_of(filter: &Filter, before: u64) -> impl Fn(DayNumber) -> bool + Send + 'static {
    let (first, last) = (DayNumber::of(filter.from).0.saturating_sub(before), DayNumber::of(filter.until));
    move |day| day.0 >= first && day <= last
}

#[async_trait]
impl Telemetry for TelemetryStore {
    fn record(&self, record: Arc<InvocationRecord>, journal: Option<SealedJournal>) {
        if self.queue.push(record, journal).is_err() {
            self.counts.add_dropped(1);
        }
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.ask(|queue, done| queue.flush(done)).await
    }

    fn follow(&self) -> BoxStream<Arc<InvocationRecord>> {
        let (receiver, first) = (self.followers.subscribe(), self.queue.pushed());
        Box::pin(stream::unfold(receiver, move |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok((number, record)) if number >= first => return Some((record, receiver)),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }

    async fn invocations(&self, filter: Filter) -> Result<Vec<InvocationRecord>, StoreError> {
        let (days, found) = (days_of(&filter, 0), Newest::new(filter.limit));
        let look = move |reader: &Reader<'_>, newest: &mut Newest<InvocationRecord>| {
            reader.invocations(&filter, newest)?;
            Ok(if newest.is_full() { Enough::Yes } else { Enough::No })
        };
        Ok(self.search(days, found, look).await?.into_oldest_first().rev().collect())
    }

    async fn invocation(&self, id: InvocationId) -> Result<Option<InvocationRecord>, StoreError> {
        let look = move |reader: &Reader<'_>, found: &mut Option<InvocationRecord>| {
            *found = reader.invocation(id)?;
            Ok(if found.is_some() { Enough::Yes } else { Enough::No })
        };
        self.search(|_| true, None, look).await
    }

    async fn logs(&self, filter: Filter) -> Result<Vec<LogRecord>, StoreError> {
        let (days, found) = (days_of(&filter, LOG_DAYS), Newest::new(filter.limit));
        let look = move |reader: &Reader<'_>, newest: &mut Newest<LogRecord>| {
            // A line of the day before may be newer than one of this day, so every day is looked at.
            reader.logs(&filter, newest).map(|()| Enough::No)
        };
        Ok(self.search(days, found, look).await?.into_oldest_first().collect())
    }

    async fn usage(&self, filter: Filter) -> Result<Vec<UsageRow>, StoreError> {
        let days = days_of(&filter, 0);
        let look = move |reader: &Reader<'_>, rows: &mut Vec<UsageRow>| reader.usage(&filter, rows).map(|()| Enough::No);
        let mut rows = self.search(days, Vec::new(), look).await?;
        rows.sort_by(|a, b| (&a.app, &a.env, &a.function, a.hour).cmp(&(&b.app, &b.env, &b.function, b.hour)));
        Ok(rows)
    }

    async fn journal(&self, id: InvocationId) -> Result<Option<SealedJournal>, StoreError> {
        let look = move |reader: &Reader<'_>, found: &mut Option<SealedJournal>| {
            *found = reader.journal(id)?;
            Ok(if found.is_some() { Enough::Yes } else { Enough::No })
        };
        self.search(|_| true, None, look).await
    }

    fn health(&self) -> Health {
        Health { written: self.counts.written(), dropped: self.counts.dropped(), damaged: self.faults.count() }
    }

    async fn retain(&self, now: Timestamp) -> Result<(), StoreError> {
        self.ask(|queue, done| queue.retain(now, done)).await
    }
}

impl Drop for TelemetryStore {
    fn drop(&mut self) {
        self.queue.stop();
        if let Some(thread) = self.writer.lock().take() {
            // A writer that panicked has told why; there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}
