//! The dispatcher: what waits in a queue becomes invocations, and what becomes of them decides about the messages.
//!
//! One *lane* works at one queue for one function: it claims, cuts what it got into strands (`plan`) and runs each strand on a task of
//! its own (`run`). An idle lane is one claim that waits. With a backlog a lane claims more each time and has more runs at once, up to
//! the function's concurrency and [`LANE_RUNS_MAX`], and fewer while they conflict (`pace`); each run takes one of the node's permits, for
//! which lanes wait in turn.
//!
//! If the process dies before, during or after an invocation, the claimed messages come again when their lease is over. They are removed
//! only by `invoke`, in the unit of the invocation's effects, or moved to the dead-letter queue here.

pub(crate) mod ask;
mod pace;
mod plan;
pub(crate) mod reader;
pub(crate) mod request;
pub(crate) mod retry;
mod run;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use ports::StoreError;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
};
use types::{
    Elapsed,
    queue::{Delivery, QueueName, Receipt},
};

use self::{
    pace::Pace,
    reader::Readers,
    retry::{Excuses, jitter},
    run::{Runner, Strand},
};
use super::{Shared, manager::Start, wanted::Candidates};
use crate::Drain;

/// How long a claimed message is held before it comes again; renewed while its invocation runs. Also how long messages rest after a crash.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
/// When a lease is renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(3);
/// How long one claim waits. The store wakes it; this only bounds what a store must remember of a waiter.
const CLAIM_WAIT: Duration = Duration::from_secs(10 * 60);
/// Runs that one lane has at once.
pub(crate) const LANE_RUNS_MAX: usize = 128;
/// Batches that a claim asks for when there was no backlog: what comes in one burst begins at once.
const APPETITE_MIN: usize = 4;
/// Messages of one claim, unless one batch alone may have more.
const CLAIM_MAX: usize = 1_000;
/// The longest pause after the store failed.
const STORE_PAUSE_MAX: Duration = Duration::from_secs(10);

/// Works at one queue for one function until it is stopped; ends when nothing that it claimed runs any more.
pub(crate) async fn lane(queue: QueueName, start: Start) {
    let Start { shared, candidates, stop } = start;
    let readers = Readers::of(&candidates.borrow());
    let mut lane = Lane {
        shared,
        queue,
        candidates,
        stop,
        readers,
        runs: JoinSet::new(),
        excuses: Arc::new(Mutex::new(Excuses::default())),
        pace: Arc::new(Pace::new(LANE_RUNS_MAX)),
        appetite: APPETITE_MIN,
        store_failures: 0,
    };
    while lane.turn().await {}
    while let Some(ended) = lane.runs.join_next().await {
        report(ended);
    }
}

struct Lane {
    shared: Arc<Shared>,
    queue: QueueName,
    candidates: watch::Receiver<Candidates>,
    stop: Drain,
    readers: Readers,
    runs: JoinSet<()>,
    excuses: Arc<Mutex<Excuses>>,
    pace: Arc<Pace>,
    /// Batches that the next claim asks for: doubled by each claim that came back full, few again after one that didn't.
    appetite: usize,
    store_failures: u32,
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a run of a trigger broke; its messages come again when their lease is over");
    }
}

impl Lane {
    /// One claim and the start of what it gave. False when the lane is to end.
    async fn turn(&mut self) -> bool {
        if self.candidates.has_changed().unwrap_or(false) {
            self.readers = Readers::of(&self.candidates.borrow_and_update());
        }
        let Some(rules) = self.readers.heaviest().map(|reader| reader.rules().clone()) else { return false };
        let batch = (rules.batch as usize).max(1);
        if self.stop.has_begun() || !self.room(1).await {
            return false;
        }
        let free = self.runs_max().saturating_sub(self.runs.len()).max(1);
        let max = batch.saturating_mul(self.appetite.min(free)).min(CLAIM_MAX.max(batch));
        let claimed = tokio::select! {
            biased;
            () = self.stop.clone().begun() => return false,
            claimed = self.shared.settings.queue.claim(&self.queue, max, LEASE, CLAIM_WAIT) => claimed,
        };
        let mut deliveries = match claimed {
            Ok(deliveries) => deliveries,
            Err(error) => return self.rest(&error).await,
        };
        self.store_failures = 0;
        if deliveries.is_empty() {
            self.appetite = APPETITE_MIN;
            return true;
        }
        self.appetite = if deliveries.len() >= max { self.appetite.saturating_mul(2).min(LANE_RUNS_MAX) } else { APPETITE_MIN };
        if deliveries.len() < batch && !rules.wait.is_zero() {
            deliveries = self.fill(deliveries, batch, rules.wait).await;
        }
        self.notice_deployments();
        self.start(deliveries).await
    }

    /// A claim may have waited for long: what it gave goes to the revisions that are served now.
    fn notice_deployments(&mut self) {
        if self.candidates.has_changed().unwrap_or(false) {
            let readers = Readers::of(&self.candidates.borrow_and_update());
            // Without any the lane is about to be stopped; the ones it knows take what it has.
            if readers.heaviest().is_some() {
                self.readers = readers;
            }
        }
    }

    fn runs_max(&self) -> usize {
        self.readers.heaviest().map_or(1, |reader| self.pace.width(reader.runs_max()))
    }

    /// Waits until so many runs may begin. False if the lane was stopped meanwhile.
    async fn room(&mut self, count: usize) -> bool {
        let max = self.runs_max().max(count);
        while let Some(ended) = self.runs.try_join_next() {
            report(ended);
        }
        while self.runs.len() + count > max {
            tokio::select! {
                () = self.stop.clone().begun() => return false,
                Some(ended) = self.runs.join_next() => report(ended),
            }
        }
        true
    }

    /// Pauses after the store failed: longer each time, and never in step with others.
    async fn rest(&mut self, error: &StoreError) -> bool {
        let settings = &self.shared.settings;
        tracing::warn!(queue = %self.queue.0, %error, "a queue can't be read");
        self.store_failures = self.store_failures.saturating_add(1);
        let longest = Duration::from_millis(100).saturating_mul(1 << self.store_failures.min(10)).min(STORE_PAUSE_MAX);
        let until = settings.clock.monotonic_ns().saturating_add(Elapsed::from(jitter(&*settings.rng, longest)).ns());
        tokio::select! {
            () = self.stop.clone().begun() => false,
            () = settings.clock.sleep_until(until) => true,
        }
    }

    /// Waits for more messages until the batch is full or the time is over.
    async fn fill(&self, mut deliveries: Vec<Delivery>, batch: usize, wait: Duration) -> Vec<Delivery> {
        let settings = &self.shared.settings;
        let end = settings.clock.monotonic_ns().saturating_add(Elapsed::from(wait).ns());
        while deliveries.len() < batch {
            let left = Duration::from_nanos(end.saturating_sub(settings.clock.monotonic_ns()));
            if left.is_zero() {
                break;
            }
            let receipts = receipts(&deliveries);
            let more = tokio::select! {
                () = self.stop.clone().begun() => break,
                () = self.hold(&receipts) => break,
                more = settings.queue.claim(&self.queue, batch - deliveries.len(), LEASE, left) => more,
            };
            match more {
                Ok(more) if more.is_empty() => break,
                Ok(more) => deliveries.extend(more),
                Err(_) => break,
            }
        }
        deliveries
    }

    /// Renews leases while something else is waited for. Ends when one is lost.
    async fn hold(&self, receipts: &[Receipt]) {
        run::keep(&self.shared, &self.queue, receipts).await;
    }

    /// Starts what was claimed. False if the lane was stopped meanwhile: what did not begin is given back.
    async fn start(&mut self, deliveries: Vec<Delivery>) -> bool {
        let reader = self.readers.draw(&*self.shared.settings.rng);
        let mut strands = {
            let excuses = self.excuses.lock();
            plan::plan(deliveries, reader.rules().batch, |delivery| excuses.attempt(&delivery.receipt))
        };
        // Popped from the end, so that the first comes first.
        strands.reverse();
        while let Some(strand) = strands.pop() {
            let Some(permit) = self.permit(&strand, &strands).await else {
                for strand in strands.iter().chain([&strand]) {
                    self.give_back(strand).await;
                }
                return false;
            };
            let runner = Runner {
                shared: Arc::clone(&self.shared),
                queue: self.queue.clone(),
                reader: Arc::clone(&reader),
                excuses: Arc::clone(&self.excuses),
                pace: Arc::clone(&self.pace),
                stop: self.stop.clone(),
            };
            self.runs.spawn(async move {
                runner.run(strand).await;
                drop(permit);
            });
        }
        true
    }

    /// The right to begin one run: room in this lane, and one of the node's permits. `None` when the lane is stopped.
    /// What waits meanwhile is renewed.
    async fn permit(&mut self, strand: &Strand, behind: &[Strand]) -> Option<OwnedSemaphorePermit> {
        while let Some(ended) = self.runs.try_join_next() {
            report(ended);
        }
        if self.runs.len() < self.runs_max()
            && let Ok(permit) = Arc::clone(&self.shared.runs).try_acquire_owned()
        {
            return Some(permit);
        }
        let (shared, queue) = (Arc::clone(&self.shared), self.queue.clone());
        let waiting: Vec<Receipt> = behind.iter().chain([strand]).flat_map(Strand::receipts).collect();
        let renewing = async {
            run::keep(&shared, &queue, &waiting).await;
            // One that was lost is noticed by its run.
            std::future::pending::<()>().await;
        };
        tokio::pin!(renewing);
        tokio::select! {
            () = &mut renewing => return None,
            room = self.room(1) => if !room { return None },
        }
        tokio::select! {
            () = &mut renewing => None,
            () = self.stop.clone().begun() => None,
            permit = Arc::clone(&shared.runs).acquire_owned() => permit.ok(),
        }
    }

    async fn give_back(&self, strand: &Strand) {
        let receipts: Vec<Receipt> = strand.receipts().collect();
        if let Err(error) = self.shared.settings.queue.nack(&self.queue, &receipts, Duration::ZERO).await {
            tracing::warn!(queue = %self.queue.0, %error, "messages could not be given back; they come again when their lease is over");
        }
    }
}

fn receipts(deliveries: &[Delivery]) -> Vec<Receipt> {
    deliveries.iter().map(|delivery| delivery.receipt).collect()
}
