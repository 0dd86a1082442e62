//! Concurrency permits: one gate a function, shared by all its revisions.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{Code, LiveFunction, Problem, Snapshot, limits};

/// The right to run; giving it back is dropping it.
pub(crate) type Permit = OwnedSemaphorePermit;

/// One function's permits.
struct Gate {
    permits: Arc<Semaphore>,
    concurrency: u32,
    waiting: AtomicU32,
}

impl Gate {
    fn new(concurrency: u32) -> Self {
        Self { permits: Arc::new(Semaphore::new(concurrency as usize)), concurrency, waiting: AtomicU32::new(0) }
    }

    /// Waits for a permit, not longer than the queue time, and with no more others than may run at once.
    async fn wait(&self) -> Option<Permit> {
        let place = Waiting::take(self)?;
        let permit = tokio::time::timeout(limits::QUEUE_TIME, self.permits.clone().acquire_owned()).await;
        drop(place);
        permit.ok()?.ok()
    }
}

/// A place in the queue; leaving it is dropping it, also when the waiter is cancelled.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn take(gate: &'a Gate) -> Option<Self> {
        let before = gate.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(&gate.waiting);
        (before < gate.concurrency).then_some(place)
    }
}
impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The gates of all functions that are served.
#[derive(Default)]
pub(crate) struct Gates(ArcSwap<HashMap<u64, Arc<Gate>>>);

impl Gates {
    /// Makes a gate for each function of the snapshot. A gate whose limit did not change stays; a changed one is made anew, and what
    /// runs under the old one ends there.
    pub(crate) fn install(&self, snapshot: &Snapshot) {
        let old = self.0.load();
        let functions =
            snapshot.apps.iter().flat_map(|app| app.shares.iter()).flat_map(|(revision, _)| revision.functions.values());
        let mut gates = HashMap::new();
        for function in functions {
            let concurrency = function.function.limits.concurrency;
            let kept = old.get(&function.gate).filter(|gate| gate.concurrency == concurrency).cloned();
            gates.entry(function.gate).or_insert_with(|| kept.unwrap_or_else(|| Arc::new(Gate::new(concurrency))));
        }
        self.0.store(Arc::new(gates));
    }

    /// A permit to run the function: at once if there is one, else after waiting for it.
    ///
    /// # Errors
    /// `E0505` if too many run and too many wait, or if the wait was too long.
    pub(crate) async fn admit(&self, function: &LiveFunction) -> Result<Permit, Problem> {
        let full = || {
            let allowed = function.function.limits.concurrency;
            Problem::limit(Code::E0505, "concurrency", format!("{allowed} running and more waiting"), allowed).help(format!(
                "[fn.{}] limits = {{ concurrency = {} }}",
                function.function.name,
                allowed.saturating_mul(2)
            ))
        };
        let gate = {
            let gates = self.0.load();
            match gates.get(&function.gate) {
                Some(gate) => match gate.permits.clone().try_acquire_owned() {
                    Ok(permit) => return Ok(permit),
                    Err(_) => gate.clone(),
                },
                // The function left the snapshot between routing and here: it may still run, alone.
                None => Arc::new(Gate::new(1)),
            }
        };
        gate.wait().await.ok_or_else(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sheds_load_when_as_many_wait_as_may_run() {
        let gate = Gate::new(1);
        let running = gate.wait().await.expect("the first gets a permit");
        let second = gate.wait();
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(gate.wait().await.is_none(), "the queue holds one");
        drop(running);
        assert!(second.await.is_some());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_the_queue_time() {
        let gate = Gate::new(1);
        let _running = gate.wait().await.expect("the first gets a permit");
        assert!(gate.wait().await.is_none());
    }
}
