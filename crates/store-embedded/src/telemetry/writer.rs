//! The one thread that writes: it takes what waits, tells followers, and makes each batch durable.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ports::{Clock, StoreError};
use tokio::sync::broadcast;
use types::{Timestamp, record::InvocationRecord};

use super::{
    codec::Encoder,
    counts::Counts,
    day::{Day, DayNumber, DayOptions, WriteError},
    queue::{Done, Queue, Taken, Waiting},
    search::Faults,
};

/// A batch is written this long after its first record, or sooner.
const COMMIT_AFTER_NS: u64 = 100_000_000;
/// How often the writer looks while nobody follows, …
const TICK: Duration = Duration::from_millis(100);
/// … and while somebody does.
const TICK_FOLLOWED: Duration = Duration::from_millis(25);
/// Without work for so many ticks, the writer sleeps until a record wakes it; it still looks now and then what has grown too old.
const IDLE_TICKS: u32 = 50;
const IDLE: Duration = Duration::from_secs(3_600);
/// Records of so many days may be written at once; around midnight there are two.
const DAYS_OPEN: usize = 2;
/// With this many records a batch is written without waiting for its time.
const BATCH_FULL: usize = 5_000;

/// A record as followers get it, with its number since the start.
pub(super) type Followed = (u64, Arc<InvocationRecord>);

/// What the writer works with.
pub(super) struct Writer {
    pub(super) dir: PathBuf,
    pub(super) queue: Arc<Queue>,
    pub(super) faults: Arc<Faults>,
    pub(super) counts: Arc<Counts>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) followers: broadcast::Sender<Followed>,
    pub(super) encoder: Encoder,
    pub(super) retention_days: u32,
    pub(super) options: DayOptions,
    /// The days that are open, the one used last at the end.
    pub(super) days: Vec<(DayNumber, Day)>,
}

/// Ends the queue when the writer's thread unwinds.
struct FailOnPanic {
    queue: Arc<Queue>,
    counts: Arc<Counts>,
}

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lost = self.queue.fail();
            self.counts.add_dropped(lost);
            tracing::error!(lost, "the telemetry writer failed: nothing is recorded until a restart");
        }
    }
}

impl Writer {
    /// Writes until the queue is stopped; what waits then is written first.
    /// Runs until it is told to stop. Should it panic, then whoever waits for it or comes later is told instead of waiting for ever.
    pub(super) fn run_guarded(self) {
        let _guard = FailOnPanic { queue: Arc::clone(&self.queue), counts: Arc::clone(&self.counts) };
        self.run();
    }

    fn run(mut self) {
        let mut today = DayNumber::of(self.clock.now());
        self.start(today);
        let (mut batch, mut spare, mut due, mut idle) = (Vec::new(), Vec::new(), 0, 0);
        loop {
            let asleep = idle >= IDLE_TICKS;
            let followed = self.followers.receiver_count() > 0;
            let tick = if asleep {
                IDLE
            } else if followed {
                TICK_FOLLOWED
            } else {
                TICK
            };
            let mut taken = self.queue.take(tick, asleep, std::mem::take(&mut spare));
            self.tell(&taken);
            idle = if taken.waiting.is_empty() && batch.is_empty() { idle.saturating_add(1) } else { 0 };
            let now_ns = self.clock.monotonic_ns();
            if batch.is_empty() {
                due = now_ns.saturating_add(COMMIT_AFTER_NS);
            }
            batch.append(&mut taken.waiting);
            spare = taken.waiting;
            let asked = !taken.flushes.is_empty() || taken.stop || !taken.retains.is_empty();
            // Without followers a tick is the time that a batch may wait.
            if !batch.is_empty() && (asked || !followed || batch.len() >= BATCH_FULL || now_ns >= due) {
                answer(taken.flushes, self.commit(&mut batch));
            } else {
                answer(taken.flushes, Ok(()));
            }
            self.retain_all(taken.retains);
            if taken.stop {
                return;
            }
            let day = DayNumber::of(self.clock.now());
            if day != today {
                today = day;
                self.retain_and_tell(self.clock.now());
            }
        }
    }

    /// Removes what is too old, and seals what an earlier run left open.
    fn start(&mut self, today: DayNumber) {
        self.retain_and_tell(self.clock.now());
        for day in DayNumber::all(&self.dir).unwrap_or_default() {
            if day != today
                && let Err(error) = self.open(day).and_then(|at| self.seal(at))
            {
                tracing::warn!(%error, day = %day.start().to_day(), "the telemetry of an earlier day can't be sealed");
            }
        }
    }

    /// Tells those who follow by now: they may have come while the records were waited for.
    fn tell(&self, taken: &Taken) {
        if self.followers.receiver_count() == 0 {
            return;
        }
        for (i, waiting) in taken.waiting.iter().enumerate() {
            // Nobody listening any more is no fault.
            let _ = self.followers.send((taken.first + i as u64, Arc::clone(&waiting.record)));
        }
    }

    /// Writes the batch, one transaction a day. What can't be written is counted as dropped.
    fn commit(&mut self, batch: &mut Vec<Waiting>) -> Result<(), StoreError> {
        let mut result = Ok(());
        // The order of arrival is kept within a day.
        batch.sort_by_key(|waiting| DayNumber::of(waiting.record.at));
        for part in batch.chunk_by(|a, b| DayNumber::of(a.record.at) == DayNumber::of(b.record.at)) {
            let day = DayNumber::of(part[0].record.at);
            match self.write(day, part) {
                Ok(()) => self.counts.add_written(part.len()),
                Err(error) => {
                    self.counts.add_dropped(part.len());
                    tracing::error!(%error, records = part.len(), "telemetry could not be written and is lost");
                    // What the file holds is read again when it is next opened.
                    self.days.retain(|(open, _)| *open != day);
                    result = Err(store_error(&error));
                }
            }
        }
        batch.clear();
        result
    }

    fn write(&mut self, day: DayNumber, part: &[Waiting]) -> Result<(), WriteError> {
        let at = self.open(day)?;
        let (_, file) = &mut self.days[at];
        file.write(part, &mut self.encoder, &self.faults)?;
        if file.is_ripe()
            && let Err(error) = self.seal(at)
        {
            // The records are durable; only their order in the file could not be improved.
            tracing::warn!(%error, "telemetry could not be sealed");
            self.days.remove(at);
        }
        Ok(())
    }

    fn seal(&mut self, at: usize) -> Result<(), WriteError> {
        self.days[at].1.seal(&mut self.encoder)
    }

    /// The place of the day among those that are open. A file that is no database any more is set aside, and a new one begun.
    fn open(&mut self, day: DayNumber) -> Result<usize, WriteError> {
        if let Some(at) = self.days.iter().position(|(open, _)| *open == day) {
            let found = self.days.remove(at);
            self.days.push(found);
            return Ok(self.days.len() - 1);
        }
        let file = match Day::open(&self.dir, day, self.options, &self.faults) {
            Err(error) if is_damage(&error) => {
                self.faults.file(day, &error);
                self.set_aside(day)?;
                Day::open(&self.dir, day, self.options, &self.faults)?
            }
            other => other?,
        };
        if self.days.len() >= DAYS_OPEN {
            let (oldest, mut closing) = self.days.remove(0);
            if let Err(error) = closing.seal(&mut self.encoder) {
                tracing::warn!(%error, day = %oldest.start().to_day(), "telemetry could not be sealed");
            }
        }
        self.days.push((day, file));
        Ok(self.days.len() - 1)
    }

    fn set_aside(&self, day: DayNumber) -> std::io::Result<()> {
        let path = day.path(&self.dir);
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(with_ending(&path, ending));
        }
        std::fs::rename(&path, with_ending(&path, &format!(".damaged-{}", self.clock.now().unix_ms())))
    }

    fn retain_all(&mut self, retains: Vec<(Timestamp, Done)>) {
        for (now, done) in retains {
            let result = self.retain(now);
            answer(vec![done], result.map_err(|error| StoreError::Failed(error.to_string())));
        }
    }

    fn retain_and_tell(&mut self, now: Timestamp) {
        if let Err(error) = self.retain(now) {
            tracing::warn!(%error, "old telemetry could not be removed");
        }
    }

    /// Removes every file of a day that lies more than the retention time back, files that were set aside included.
    fn retain(&mut self, now: Timestamp) -> std::io::Result<()> {
        let oldest = DayNumber(DayNumber::of(now).0.saturating_sub(u64::from(self.retention_days)));
        self.days.retain(|(day, _)| *day >= oldest);
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let day = name.to_str().and_then(|name| name.split_once(".sqlite")).and_then(|(day, _)| DayNumber::parse(day));
            if day.is_some_and(|day| day < oldest) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn with_ending(path: &std::path::Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn answer(waiting: Vec<Done>, result: Result<(), StoreError>) {
    for done in waiting {
        // Whoever no longer waits need not be told.
        let _ = done.send(result.clone());
    }
}

/// Whether SQLite says that the file is not what it wrote.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn store_error(error: &WriteError) -> StoreError {
    match error {
        WriteError::Db(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
        WriteError::Db(error) if is_damage(error) => StoreError::Damaged(error.to_string()),
        other => StoreError::Failed(other.to_string()),
    }
}
