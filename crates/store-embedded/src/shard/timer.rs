//! Wakes the modules when something of theirs is due: one timer for all of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use ports::{Clock, StoreError};
use tokio::sync::Notify;

use super::commit::Sender;

/// A tick at least this often, in nanoseconds: the wall clock may be set, and records run out.
const PERIOD_NS: u64 = 60_000_000_000;
/// How long after a tick that failed the next one comes: it may have been a full disk.
const AFTER_FAILURE_NS: u64 = 5_000_000_000;

/// When the next tick comes; commits may make it earlier.
pub(super) struct Timer {
    clock: Arc<dyn Clock>,
    /// By the monotonic clock.
    wakes_ns: AtomicU64,
    earlier: Notify,
    is_closed: AtomicBool,
}

impl Timer {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let wakes_ns = AtomicU64::new(clock.monotonic_ns());
        Arc::new(Self { clock, wakes_ns, earlier: Notify::new(), is_closed: AtomicBool::new(false) })
    }

    /// Something is due at this time.
    pub(super) fn hint(&self, mono_ns: u64) {
        if self.wakes_ns.fetch_min(mono_ns, Ordering::SeqCst) > mono_ns {
            self.earlier.notify_one();
        }
    }

    /// Ticks until the store is closed or stops.
    async fn run(&self, sender: &Sender) {
        while !self.is_closed.load(Ordering::SeqCst) {
            tokio::select! {
                () = self.clock.sleep_until(self.wakes_ns.load(Ordering::SeqCst)) => {}
                () = self.earlier.notified() => continue,
            }
            // Whatever is committed from here on is either seen by the tick or hints after this.
            self.wakes_ns.store(u64::MAX, Ordering::SeqCst);
            let ticked = sender.tick().await;
            let now_ns = self.clock.monotonic_ns();
            let wait_ns = match ticked {
                Ok(tick) if tick.is_partial => 0,
                Ok(tick) => tick.next_ns.map_or(PERIOD_NS, |next_ns| next_ns.saturating_sub(now_ns).min(PERIOD_NS)),
                Err(StoreError::Full | StoreError::Failed(_) | StoreError::Damaged(_)) => AFTER_FAILURE_NS,
                Err(_) => return,
            };
            self.wakes_ns.fetch_min(now_ns.saturating_add(wait_ns), Ordering::SeqCst);
        }
    }
}

/// The timer's thread. It has a small runtime of its own, so that the store works wherever it is opened.
pub(super) struct TimerThread {
    timer: Arc<Timer>,
    thread: Option<JoinHandle<()>>,
}

impl TimerThread {
    pub(super) fn start(timer: Arc<Timer>, sender: Sender) -> Result<Self, StoreError> {
        let cannot = |error| StoreError::Failed(format!("cannot start the timer: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(cannot)?;
        let shared = timer.clone();
        let run = move || runtime.block_on(shared.run(&sender));
        let thread = std::thread::Builder::new().name("shard-timer".into()).spawn(run).map_err(cannot)?;
        Ok(Self { timer, thread: Some(thread) })
    }

    /// Ends the thread.
    pub(super) fn close(&mut self) {
        self.timer.is_closed.store(true, Ordering::SeqCst);
        self.timer.earlier.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported where it happened; what is over is still never read.
            let _ = thread.join();
        }
    }
}
