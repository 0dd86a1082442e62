//! Removes what expired, so that watchers hear of it. Readers don't depend on it: they never see an expired entry.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use ports::{Clock, StoreError};
use tokio::sync::Notify;
use types::Timestamp;

use super::committer::Sender;

/// A sweep at least this often, in nanoseconds: the wall clock may be set, and idempotency records run out.
const PERIOD_NS: u64 = 60_000_000_000;

/// When the sweeper wakes next; commits may make it earlier.
pub(super) struct Expiry {
    clock: Arc<dyn Clock>,
    /// Wall clock, in nanoseconds since 1970.
    wakes: AtomicU64,
    earlier: Notify,
    is_closed: AtomicBool,
}

impl Expiry {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, wakes: AtomicU64::new(0), earlier: Notify::new(), is_closed: AtomicBool::new(false) })
    }

    /// Something expires at this time.
    pub(super) fn hint(&self, at: Timestamp) {
        if self.wakes.fetch_min(at.unix_ns(), Ordering::SeqCst) > at.unix_ns() {
            self.earlier.notify_one();
        }
    }

    /// Sweeps until the store is closed or stops.
    async fn run(&self, sender: &Sender) {
        while !self.is_closed.load(Ordering::SeqCst) {
            // Whatever is committed from here on is either seen by the sweep or hints after this.
            self.wakes.store(u64::MAX, Ordering::SeqCst);
            let swept = sender.sweep().await;
            let (wall_ns, mono_ns) = (self.clock.now().unix_ns(), self.clock.monotonic_ns());
            let wait_ns = match swept {
                Ok(swept) if swept.is_partial => continue,
                Ok(swept) => swept.next.map_or(PERIOD_NS, |at| at.unix_ns().saturating_sub(wall_ns).min(PERIOD_NS)),
                // No room now: removals need a little of it too, so try again later.
                Err(StoreError::Full | StoreError::Failed(_)) => PERIOD_NS,
                Err(_) => return,
            };
            let planned = wall_ns.saturating_add(wait_ns);
            if self.wakes.fetch_min(planned, Ordering::SeqCst) < planned {
                continue;
            }
            tokio::select! {
                () = self.clock.sleep_until(mono_ns.saturating_add(wait_ns)) => {}
                () = self.earlier.notified() => {}
            }
        }
    }
}

/// The sweeper's thread. It has a small runtime of its own, so that the store works wherever it is opened.
pub(super) struct Sweeper {
    expiry: Arc<Expiry>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    pub(super) fn start(expiry: Arc<Expiry>, sender: Sender) -> Result<Self, StoreError> {
        let cannot = |error| StoreError::Failed(format!("cannot start the sweeper: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(cannot)?;
        let shared = expiry.clone();
        let run = move || runtime.block_on(shared.run(&sender));
        let thread = std::thread::Builder::new().name("kv-sweep".into()).spawn(run).map_err(cannot)?;
        Ok(Self { expiry, thread: Some(thread) })
    }

    /// Ends the thread.
    pub(super) fn close(&mut self) {
        self.expiry.is_closed.store(true, Ordering::SeqCst);
        self.expiry.earlier.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported where it happened; expired entries are still never read.
            let _ = thread.join();
        }
    }
}
