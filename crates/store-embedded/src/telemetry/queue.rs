//! What waits to be written: one lock, one push, and no thread woken but once a batch.
//!
//! `record` stands on the path of every request, so it does as little as it can: it checks two bounds and pushes sixteen bytes into
//! a list that was allocated beforehand. The writer takes the whole list at once and leaves its own empty one.

use std::{sync::Arc, time::Duration};

use parking_lot::{Condvar, Mutex};
use ports::{StoreError, telemetry::SealedJournal};
use tokio::sync::oneshot;
use types::{Timestamp, record::InvocationRecord};

/// So many waiting records wake the writer before its time.
const WAKE_AT: usize = 5_000;
/// Heap that a record takes beside its logs, spans and journal; a rough figure for the bound.
const RECORD_BYTES: u64 = 1_024;

/// A record that waits.
pub(super) struct Waiting {
    pub(super) record: Arc<InvocationRecord>,
    /// Boxed, since few records have one and all pay for its room in the list.
    pub(super) journal: Option<Box<SealedJournal>>,
}

/// Who is told when something is done.
pub(super) type Done = oneshot::Sender<Result<(), StoreError>>;

/// The bounds of the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) records: usize,
    pub(super) bytes: u64,
}

/// All that the writer is asked to do, taken at once.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) waiting: Vec<Waiting>,
    /// The number of the first of `waiting` since the start.
    pub(super) first: u64,
    pub(super) flushes: Vec<Done>,
    pub(super) retains: Vec<(Timestamp, Done)>,
    pub(super) stop: bool,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    bytes: u64,
    pushed: u64,
    flushes: Vec<Done>,
    retains: Vec<(Timestamp, Done)>,
    stop: bool,
    /// The writer has failed.
    ended: bool,
    /// The writer has had nothing to do for so long that it does not wake by itself.
    asleep: bool,
}

impl State {
    fn is_urgent(&self) -> bool {
        self.waiting.len() >= WAKE_AT || !self.flushes.is_empty() || !self.retains.is_empty() || self.stop
    }
}

/// The queue between everyone who records and the one writer.
pub(super) struct Queue {
    bounds: Bounds,
    state: Mutex<State>,
    wake: Condvar,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        let state = State { waiting: Vec::with_capacity(bounds.records), ..State::default() };
        Self { bounds, state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Adds a record, or says that there is no room.
    pub(super) fn push(&self, record: Arc<InvocationRecord>, journal: Option<SealedJournal>) -> Result<(), Full> {
        let bytes = weight(&record) + journal.as_ref().map_or(0, |journal| journal.sealed.len() as u64);
        let waiting = Waiting { record, journal: journal.map(Box::new) };
        let mut state = self.state.lock();
        if state.ended || state.waiting.len() >= self.bounds.records || state.bytes + bytes > self.bounds.bytes {
            drop(state);
            return Err(Full);
        }
        state.bytes += bytes;
        state.pushed += 1;
        state.waiting.push(waiting);
        let wake = state.waiting.len() == WAKE_AT || std::mem::take(&mut state.asleep);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// How many were ever pushed.
    pub(super) fn pushed(&self) -> u64 {
        self.state.lock().pushed
    }
    /// Asks to be told when everything that waits now is durable.
    pub(super) fn flush(&self, done: Done) {
        let mut state = self.state.lock();
        if !state.ended {
            state.flushes.push(done);
            self.wake.notify_one();
        }
    }
    /// Asks for what is too old to be removed.
    pub(super) fn retain(&self, now: Timestamp, done: Done) {
        let mut state = self.state.lock();
        if !state.ended {
            state.retains.push((now, done));
            self.wake.notify_one();
        }
    }
    /// Asks the writer to write what waits and to end.
    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.wake.notify_one();
    }

    /// The writer has failed: nothing is taken in any more, whoever waits is told so, and what waited is lost. Gives its number.
    pub(super) fn fail(&self) -> usize {
        let mut state = self.state.lock();
        state.ended = true;
        state.flushes.clear();
        state.retains.clear();
        std::mem::take(&mut state.waiting).len()
    }

    /// Waits for `tick` at most, less if there is much to do, and takes all. `spare` is the empty list that is left behind.
    pub(super) fn take(&self, tick: Duration, sleep: bool, spare: Vec<Waiting>) -> Taken {
        let mut state = self.state.lock();
        let overslept = sleep && !state.waiting.is_empty();
        if !state.is_urgent() && !overslept {
            state.asleep = sleep;
            self.wake.wait_for(&mut state, tick);
            state.asleep = false;
        }
        let waiting = std::mem::replace(&mut state.waiting, spare);
        state.bytes = 0;
        Taken {
            first: state.pushed - waiting.len() as u64,
            waiting,
            flushes: std::mem::take(&mut state.flushes),
            retains: std::mem::take(&mut state.retains),
            stop: state.stop,
        }
    }
}

/// The queue has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// About how many bytes a record holds, without walking through its parts.
fn weight(record: &InvocationRecord) -> u64 {
    RECORD_BYTES + record.usage.log_bytes.0 + 64 * (record.spans.len() + record.logs.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_failed_leaves_nobody_waiting_and_takes_nothing_in() {
        let queue = Queue::new(Bounds { records: 10, bytes: 1 << 20 });
        let (before, mut told_before) = tokio::sync::oneshot::channel();
        let (after, mut told_after) = tokio::sync::oneshot::channel();
        queue.flush(before);
        assert!(matches!(told_before.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Empty)));
        assert_eq!(queue.fail(), 0);
        queue.flush(after);
        for told in [&mut told_before, &mut told_after] {
            assert!(matches!(told.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Closed)));
        }
    }
}
