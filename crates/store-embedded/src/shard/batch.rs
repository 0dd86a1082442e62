//! One open transaction of the shard, as work and modules see it.

use ports::{Clock, StoreError};
use rusqlite::Connection;
use types::Timestamp;

use crate::failpoint::Failpoints;

/// The outer result fails all of the batch, the inner one a single caller.
pub(crate) type Applied<T> = rusqlite::Result<Result<T, StoreError>>;

pub(super) type After = Box<dyn FnOnce() + Send>;

/// One open transaction. All that is read through it sees what it wrote.
pub(crate) struct Batch<'a> {
    /// The only connection that writes.
    pub(crate) connection: &'a Connection,
    /// The wall clock: one moment for the whole batch.
    pub(crate) now: Timestamp,
    /// The monotonic clock at that moment.
    pub(crate) mono_ns: u64,
    /// Where tests make it fail.
    pub(crate) failpoints: &'a Failpoints,
    pub(super) wakes_ns: Option<u64>,
    pub(super) after: Vec<After>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(connection: &'a Connection, clock: &dyn Clock, failpoints: &'a Failpoints) -> Self {
        let (now, mono_ns) = (clock.now(), clock.monotonic_ns());
        Self { connection, now, mono_ns, failpoints, wakes_ns: None, after: Vec::new() }
    }

    /// The wall clock as the file has it.
    pub(crate) fn time(&self) -> i64 {
        crate::sqlite::int(self.now.unix_ns())
    }

    /// Something is due at this time of the monotonic clock: modules are called then.
    pub(crate) fn wake_at(&mut self, mono_ns: u64) {
        self.wakes_ns = self.wakes_ns.into_iter().chain([mono_ns]).min();
    }

    /// When the wall clock will show this time if nobody sets it, by the monotonic clock.
    pub(crate) fn mono_of(&self, wall: Timestamp) -> u64 {
        self.mono_ns.saturating_add(wall.since(self.now).ns())
    }

    /// Calls this on the commit thread when the batch is durable, and never if it fails.
    pub(crate) fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(then));
    }

    /// Runs the work so that all it wrote is undone if it refuses. What modules hold in memory is theirs to undo.
    pub(crate) fn savepoint<T, E>(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<Result<T, E>>,
    ) -> rusqlite::Result<Result<T, E>> {
        self.connection.prepare_cached("SAVEPOINT work")?.execute([])?;
        let after = self.after.len();
        let outcome = work(self)?;
        if outcome.is_err() {
            self.after.truncate(after);
            self.connection.prepare_cached("ROLLBACK TO work")?.execute([])?;
        }
        self.connection.prepare_cached("RELEASE work")?.execute([])?;
        Ok(outcome)
    }
}
