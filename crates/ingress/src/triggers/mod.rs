//! What starts functions beside HTTP requests: queues, streams, changes of stores, events of buses and times of schedules.
//!
//! Whatever the source, what is to be delivered lies in a queue before anything happens, so one dispatcher (`dispatch/`) delivers all
//! of it by one set of rules; streams alone are read in place, with consumer groups (`stream`). Each source has one file, which says
//! what its events look like. Two sources don't write into queues by themselves and have a forwarder: rows of databases (`sql`) and
//! schedules (`cron`).
//!
//! [`Triggers`] is a [`Plane`]: a snapshot says what is to be worked off (`wanted`), and one task starts, changes and ends workers. A
//! worker belongs to an app, a function and the place that it takes from, not to a revision: deploying changes what a worker runs, and
//! nothing that waits is touched by it. If the process dies, all that was not acknowledged comes again when its lease is over.

mod bucket;
mod cron;
mod dispatch;
mod event;
mod globs;
mod kv;
mod manager;
mod origin;
mod queue;
mod schedules;
mod settings;
mod sql;
mod stream;
mod wanted;

#[cfg(test)]
mod fake;

use std::sync::Arc;

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use ports::Plane;
use tokio::{sync::watch, task::JoinHandle};
use types::{Snapshot, kv::IdempotencyKey};

pub use event::BusTable;
pub use settings::TriggerSettings;
pub use stream::{Lag, lag};

use crate::Drain;

/// Batches that all triggers of one node have running at once; functions wait for one another in turn.
const RUNS_MAX: usize = 512;

/// All triggers of a node but HTTP.
pub struct Triggers {
    pub(crate) shared: Arc<Shared>,
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// Held while a snapshot is looked at, so that an older one never replaces a newer one.
    installing: Mutex<()>,
}

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) settings: TriggerSettings,
    /// The runs that may begin on this node. Waiting is in order, so no function with a backlog keeps others out.
    pub(crate) runs: Arc<tokio::sync::Semaphore>,
}

impl Shared {
    /// A key for one unit. The unit's own condition makes a repetition harmless, so none needs the key again.
    pub(crate) fn fresh_key(&self, what: &str) -> IdempotencyKey {
        let mut random = [0; 16];
        self.settings.rng.fill(&mut random);
        IdempotencyKey(format!("{what}/{}", HEXLOWER.encode(&random)))
    }
}

impl Triggers {
    /// Triggers that wait for nothing yet.
    #[must_use]
    pub fn new(settings: TriggerSettings) -> Arc<Self> {
        let shared = Arc::new(Shared { settings, runs: Arc::new(tokio::sync::Semaphore::new(RUNS_MAX)) });
        Arc::new(Self { shared, snapshot: watch::Sender::default(), installing: Mutex::new(()) })
    }

    /// Works off what comes until `drain` begins. Then nothing new is taken, what runs gets the drain time to end, and what is left is cut
    /// off and comes again. The task ends when nothing runs any more; aborting it cuts everything off. Dropping the triggers is a drain.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn serve(self: &Arc<Self>, drain: Drain) -> JoinHandle<()> {
        tokio::spawn(manager::run(Arc::clone(&self.shared), self.snapshot.subscribe(), drain))
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }
}

impl Plane for Triggers {
    fn install(&self, snapshot: &Arc<Snapshot>) {
        let _one_at_a_time = self.installing.lock();
        if snapshot.number >= self.snapshot.borrow().number {
            self.snapshot.send_replace(Arc::clone(snapshot));
        }
    }
}
