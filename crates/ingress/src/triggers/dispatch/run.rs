//! One strand: its sets of messages are given to the function one after another, and each verdict decides about its set.
//!
//! | verdict | messages |
//! |---|---|
//! | done | gone, with the invocation's effects; those that the function named as failed come again, or are dead letters |
//! | failed | all come again; one that was alone and has no retries left is a dead letter |
//! | conflict | at once again, without giving the messages back, so that it is no delivery; after `limits::UNIT_CONFLICTS` a failure |
//! | superseded | nothing: somebody else has them |
//! | unknown | nothing: they come again when their lease is over |
//! | no permit (`E0505`, `E0512`) | again soon, without giving them back: no failure of the function |

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use ports::{
    Verdict,
    invoker::{Acknowledge, Item},
};
use types::{
    Code, Elapsed, Problem, limits,
    queue::{Delivery, QueueName, Receipt, Settled},
};

use super::{
    LEASE, RENEW,
    ask::{Asked, ask},
    pace::Pace,
    reader::{Read, Reader},
    request::Ready,
    retry::{Excuses, UNFINISHED_MAX, pause},
};
use crate::{Drain, triggers::Shared};

/// A delivery with its number among those that count.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) delivery: Delivery,
    pub(crate) attempt: u32,
}

/// Sets of messages, each for one invocation, which follow one another.
#[derive(Debug)]
pub(crate) struct Strand(pub(crate) Vec<Vec<Tried>>);

impl Strand {
    pub(crate) fn receipts(&self) -> impl Iterator<Item = Receipt> {
        self.0.iter().flatten().map(|tried| tried.delivery.receipt)
    }
}

/// What a strand needs to run.
pub(crate) struct Runner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: QueueName,
    pub(crate) reader: Arc<Reader>,
    pub(crate) excuses: Arc<Mutex<Excuses>>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) stop: Drain,
}

/// Renews leases. Ends when one of them is lost.
pub(crate) async fn keep(shared: &Shared, queue: &QueueName, receipts: &[Receipt]) {
    let settings = &shared.settings;
    loop {
        settings.clock.sleep_until(settings.clock.monotonic_ns().saturating_add(Elapsed::from(RENEW).ns())).await;
        match settings.queue.extend(queue, receipts, LEASE).await {
            Ok(settled) if settled.contains(&Settled::Stale) => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(queue = %queue.0, %error, "a lease could not be renewed"),
        }
    }
}

impl Runner {
    /// Runs the strand to its end. All of its messages are renewed until their own set is through.
    pub(crate) async fn run(&self, strand: Strand) {
        let Strand(sets) = strand;
        let mut sets = sets.into_iter();
        while let Some(set) = sets.next() {
            let later: Vec<Receipt> = sets.as_slice().iter().flatten().map(|tried| tried.delivery.receipt).collect();
            // First, so that what is taken out here is not renewed: it would look like a lost lease.
            let (ready, tried) = self.sort_out(set).await;
            if ready.is_empty() {
                continue;
            }
            let held: Vec<Receipt> = tried.iter().map(|tried| tried.delivery.receipt).chain(later.iter().copied()).collect();
            let paused = tokio::select! {
                // The set is abandoned: nothing that it does could be committed any more.
                () = keep(&self.shared, &self.queue, &held) => {
                    tracing::warn!(queue = %self.queue.0, "the lease of a running batch was lost; the run is ended");
                    self.give_back(&held, Duration::ZERO).await;
                    return;
                }
                paused = self.set(&ready, tried) => paused,
            };
            // The rest waits for what came before it: order holds, and its own deliveries don't count.
            if let Some(pause) = paused.filter(|_| !later.is_empty()) {
                self.give_back(&later, pause).await;
                return;
            }
        }
    }

    /// Gives back messages that did nothing wrong.
    async fn give_back(&self, receipts: &[Receipt], delay: Duration) {
        {
            let mut excuses = self.excuses.lock();
            receipts.iter().for_each(|receipt| excuses.excuse(receipt.id));
        }
        self.nack(receipts, delay).await;
    }

    async fn nack(&self, receipts: &[Receipt], delay: Duration) {
        if receipts.is_empty() {
            return;
        }
        if let Err(error) = self.shared.settings.queue.nack(&self.queue, receipts, delay).await {
            tracing::warn!(queue = %self.queue.0, %error, "messages could not be given back; they come again when their lease is over");
        }
    }

    async fn bury(&self, receipts: &[Receipt], reason: &str) {
        if receipts.is_empty() {
            return;
        }
        let key = &self.reader.function.key;
        let dead = QueueName::of(&key.app, &key.env, &self.reader.rules().dead);
        for receipt in receipts {
            tracing::warn!(queue = %self.queue.0, message = %receipt.id, attempt = receipt.attempt, reason, "a message became a dead letter");
            self.excuses.lock().forget(receipt.id);
        }
        if let Err(error) = self.shared.settings.queue.bury(&self.queue, receipts, &dead, reason).await {
            tracing::warn!(queue = %self.queue.0, %error, "dead letters could not be moved; they come again when their lease is over");
        }
    }

    /// Runs one set. Gives the pause if something of it comes again, for what must wait behind it.
    async fn set(&self, ready: &[Ready], tried: Vec<Tried>) -> Option<Duration> {
        let attempt = tried.iter().map(|tried| tried.attempt).max().unwrap_or(1);
        let ran = |is_conflict| self.pace.ran(is_conflict, self.reader.runs_max());
        match ask(&self.shared, &self.reader, ready, attempt, &self.stop, ran).await {
            Asked::Stopped => {
                let receipts: Vec<Receipt> = tried.iter().map(|tried| tried.delivery.receipt).collect();
                self.give_back(&receipts, Duration::ZERO).await;
                Some(Duration::ZERO)
            }
            Asked::Verdict(Verdict::Done { failed }) => self.done(ready, tried, &failed).await,
            Asked::Verdict(Verdict::Failed { reason }) => {
                let alone = tried.len() == 1;
                self.failed(tried, &reason, alone).await
            }
            Asked::Verdict(Verdict::Conflict) => {
                let alone = tried.len() == 1;
                self.failed(tried, "others kept changing what the function reads", alone).await
            }
            Asked::Verdict(Verdict::Superseded) => {
                tracing::debug!(queue = %self.queue.0, "a batch was taken over by somebody else");
                // What follows it must not overtake it there.
                Some(Duration::ZERO)
            }
            Asked::Verdict(Verdict::Unknown { reason }) => {
                tracing::warn!(queue = %self.queue.0, reason, "it is not known what became of a batch; it comes again when its lease is over");
                Some(LEASE)
            }
        }
    }

    /// Takes out what is not to be delivered: loops, what can't be read, what this revision does not ask for.
    async fn sort_out(&self, set: Vec<Tried>) -> (Vec<Ready>, Vec<Tried>) {
        let (mut ready, mut kept) = (Vec::with_capacity(set.len()), Vec::with_capacity(set.len()));
        let mut unwanted = Vec::new();
        for tried in set {
            let receipt = tried.delivery.receipt;
            let cause = tried.delivery.message.cause;
            if let Some(depth) = cause.map(|cause| cause.depth).filter(|depth| *depth >= limits::CAUSAL_DEPTH) {
                let problem = Problem::limit(Code::E0516, "causal depth", depth + 1, limits::CAUSAL_DEPTH);
                self.bury(&[receipt], &problem.to_string()).await;
                continue;
            }
            if tried.attempt > self.reader.rules().retries.saturating_add(UNFINISHED_MAX) {
                self.bury(&[receipt], &format!("delivered {} times without coming to an end", receipt.attempt)).await;
                continue;
            }
            match self.reader.read(&tried.delivery) {
                Read::Event(event) => {
                    let acknowledge = Acknowledge::Message(self.queue.clone(), receipt);
                    ready.push(Ready { item: Item { id: event.id.clone(), acknowledge }, event: *event, cause });
                    kept.push(tried);
                }
                Read::Damaged(reason) => self.bury(&[receipt], &reason).await,
                Read::Unwanted => unwanted.push(receipt),
            }
        }
        if !unwanted.is_empty() {
            tracing::debug!(queue = %self.queue.0, count = unwanted.len(), "events are not what the function asks for now");
            if let Err(error) = self.shared.settings.queue.ack(&self.queue, &unwanted).await {
                tracing::warn!(queue = %self.queue.0, %error, "events that nobody asks for could not be removed");
            }
        }
        (ready, kept)
    }

    async fn done(&self, ready: &[Ready], tried: Vec<Tried>, failed: &[String]) -> Option<Duration> {
        let mut again = Vec::new();
        for (ready, tried) in ready.iter().zip(tried) {
            if failed.contains(&ready.item.id) {
                again.push(tried);
            } else {
                self.excuses.lock().forget(tried.delivery.receipt.id);
            }
        }
        // Each was named by the function, so each stands for itself.
        self.failed(again, "the function said that it failed", true).await
    }

    /// Has each come again after a pause of its own, or moves it to the dead letters. `judged`: whether it is known that each of them
    /// failed by itself; one of a batch that failed as a whole is delivered alone before it is given up.
    async fn failed(&self, tried: Vec<Tried>, reason: &str, judged: bool) -> Option<Duration> {
        let rules = self.reader.rules();
        let mut given_up = Vec::new();
        // Events with the same number of attempts share a pause, so that each costs the store one call.
        let mut again: BTreeMap<u32, Vec<Receipt>> = BTreeMap::new();
        for Tried { delivery, attempt } in tried {
            if judged && attempt > rules.retries {
                given_up.push(delivery.receipt);
            } else {
                again.entry(attempt).or_default().push(delivery.receipt);
            }
        }
        self.bury(&given_up, reason).await;
        let mut longest = None;
        for (attempt, receipts) in again {
            let pause = pause(&*self.shared.settings.rng, attempt);
            longest = longest.max(Some(pause));
            self.nack(&receipts, pause).await;
        }
        longest
    }
}
