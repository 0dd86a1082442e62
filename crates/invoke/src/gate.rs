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
    /// How many permits there are, taken ones included.
    concurrency: AtomicU32,
    waiting: AtomicU32,
}

impl Gate {
    fn new(concurrency: u32) -> Self {
        let permits = Arc::new(Semaphore::new(concurrency as usize));
        Self { permits, concurrency: AtomicU32::new(concurrency), waiting: AtomicU32::new(0) }
    }

    /// Makes it so many permits. Taken ones can't be withdrawn: of those the next snapshot withdraws what is free by then.
    fn resize(&self, wanted: u32) {
        let present = self.concurrency.load(Ordering::Relaxed);
        if wanted > present {
            self.permits.add_permits((wanted - present) as usize);
            self.concurrency.store(wanted, Ordering::Relaxed);
        } else {
            let withdrawn = self.permits.forget_permits((present - wanted) as usize);
            self.concurrency.fetch_sub(u32::try_from(withdrawn).unwrap_or(0), Ordering::Relaxed);
        }
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
        (before < gate.concurrency.load(Ordering::Relaxed)).then_some(place)
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
    /// Makes a gate for each function of the snapshot. A gate that is there already stays, with as many permits as the newest revision says.
    pub(crate) fn install(&self, snapshot: &Snapshot) {
        let old = self.0.load();
        let functions =
            snapshot.apps.iter().flat_map(|app| app.shares.iter()).flat_map(|(revision, _)| revision.functions.values());
        let mut gates = HashMap::new();
        for function in functions {
            let concurrency = function.function.limits.concurrency;
            let kept = || old.get(&function.gate).inspect(|gate| gate.resize(concurrency)).cloned();
            gates.entry(function.gate).or_insert_with(|| kept().unwrap_or_else(|| Arc::new(Gate::new(concurrency))));
        }
        self.0.store(Arc::new(gates));
    }

    /// A permit to run the function: at once if there is one, else after waiting for it.
    ///
    /// # Errors
    /// `E0505` if too many run and too many wait, or if the wait was too long; `E0409` if the function is served no more.
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
                // The function left the snapshot between routing and here.
                None => return Err(Problem::new(Code::E0409, "the function is not served any more")),
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

    #[tokio::test]
    async fn a_changed_limit_changes_the_permits_and_does_not_double_them() {
        let gate = Gate::new(2);
        let running = [gate.wait().await.expect("a permit"), gate.wait().await.expect("a permit")];
        gate.resize(3);
        assert_eq!(gate.permits.available_permits(), 1);
        gate.resize(1);
        assert_eq!(gate.permits.available_permits(), 0);
        drop(running);
        gate.resize(1);
        assert_eq!((gate.permits.available_permits(), gate.concurrency.load(Ordering::Relaxed)), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_the_queue_time() {
        let gate = Gate::new(1);
        let _running = gate.wait().await.expect("the first gets a permit");
        assert!(gate.wait().await.is_none());
    }
}
