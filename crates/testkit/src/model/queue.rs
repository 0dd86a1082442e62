//! Queues in memory, and the flaws that a suite must notice.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use ports::{
    Clock, Queue, StoreError,
    queue::{DeadLetter, Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
};
use tokio::sync::watch;
use types::{Elapsed, Timestamp, kv::IdempotencyKey, limits};

/// What can be wrong with a queue. A suite that passes with a flaw is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueFlaw {
    /// Every message is new.
    IgnoresDedup,
    /// Deduplication keys go with their messages.
    DedupEndsWithAck,
    /// Any receipt of a message is good.
    UnfencedAcks,
    /// A repeated call is done again.
    ForgetsReplies,
    /// A group is delivered to several consumers at once.
    BreaksGroups,
    /// Delays run by the wall clock.
    DelaysByTheWall,
    /// A dead letter forgets how often it was delivered.
    ForgetsAttempts,
}

/// Queues in maps.
pub struct ModelQueue {
    clock: Arc<dyn Clock>,
    flaw: Option<QueueFlaw>,
    pub(super) state: Mutex<State>,
    news: watch::Sender<()>,
}

#[derive(Clone, Default)]
pub(super) struct State {
    next: u64,
    queues: BTreeMap<QueueName, Line>,
}

#[derive(Clone, Default)]
struct Line {
    messages: BTreeMap<u64, Held>,
    keys: HashMap<Bytes, (u64, Bytes, Timestamp)>,
    replies: HashMap<String, (Vec<Message>, Vec<Enqueued>)>,
    retention: Option<Duration>,
    /// Whether it holds or held anything: others are not listed.
    is_known: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Free,
    Held,
    Late,
}

#[derive(Clone)]
struct Held {
    message: Message,
    enqueued: Timestamp,
    /// Delayed or held until then, by the monotonic clock.
    due_ns: u64,
    attempts: u32,
    hold: Hold,
    dead: Option<(DeadLetter, u32)>,
    died: Option<Timestamp>,
}

impl Held {
    fn is_ready(&self) -> bool {
        self.hold != Hold::Held && self.due_ns == 0
    }
}

impl ModelQueue {
    /// A model without flaws.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_flaw(clock, None)
    }

    /// A model with a flaw, to try a suite on.
    #[must_use]
    pub fn with_flaw(clock: Arc<dyn Clock>, flaw: Option<QueueFlaw>) -> Self {
        Self { clock, flaw, state: Mutex::default(), news: watch::Sender::new(()) }
    }

    fn now_ns(&self) -> u64 {
        if self.flaw == Some(QueueFlaw::DelaysByTheWall) { self.clock.now().unix_ns() } else { self.clock.monotonic_ns() }
    }

    /// Looks at a queue as of now.
    fn with<T>(&self, queue: &QueueName, look: impl FnOnce(&mut Line, &mut u64, u64) -> T) -> T {
        let mut state = self.state.lock();
        let State { next, queues } = &mut *state;
        let line = queues.entry(queue.clone()).or_default();
        let now_ns = self.now_ns();
        line.pass(now_ns, self.clock.now());
        look(line, next, now_ns)
    }

    fn settle(&self, queue: &QueueName, receipts: &[Receipt], mut how: impl FnMut(&mut Line, u64, u64)) -> Vec<Settled> {
        let settled = self.with(queue, |line, _, now_ns| {
            let settle = |receipt: &Receipt| {
                let found = line.messages.get(&receipt.id.0);
                let is_good = found.is_some_and(|held| match self.flaw {
                    Some(QueueFlaw::UnfencedAcks) => held.attempts > 0,
                    _ => held.hold != Hold::Free && held.attempts == receipt.attempt,
                });
                if is_good {
                    how(line, receipt.id.0, now_ns);
                }
                if is_good { Settled::Done } else { Settled::Stale }
            };
            receipts.iter().map(settle).collect()
        });
        self.news.send_replace(());
        settled
    }

    /// Acknowledges; for units too.
    pub(super) fn ack_now(&self, queue: &QueueName, receipts: &[Receipt]) -> Vec<Settled> {
        self.settle(queue, receipts, |line, id, _| {
            line.messages.remove(&id);
            if self.flaw == Some(QueueFlaw::DedupEndsWithAck) {
                line.keys.retain(|_, (of, _, _)| *of != id);
            }
        })
    }

    /// Enqueues; for units too.
    pub(super) fn enqueue_now(&self, queue: &QueueName, messages: &[Message]) -> Result<Vec<Enqueued>, StoreError> {
        let now = self.clock.now();
        let enqueued = self.with(queue, |line, next, now_ns| {
            let before = line.clone();
            let mut enqueued = Vec::new();
            for message in messages {
                match line.enqueue(message, next, (now, now_ns), self.flaw) {
                    Ok(one) => enqueued.push(one),
                    Err(error) => {
                        *line = before;
                        return Err(error);
                    }
                }
            }
            Ok(enqueued)
        });
        self.news.send_replace(());
        enqueued
    }
}

impl Line {
    /// Time has passed.
    fn pass(&mut self, now_ns: u64, now: Timestamp) {
        let retention = Elapsed::from(self.retention.unwrap_or(limits::RETENTION_TIME));
        self.messages.retain(|_, held| held.died.unwrap_or(held.enqueued).plus(retention) > now);
        for held in self.messages.values_mut().filter(|held| held.due_ns > 0 && held.due_ns <= now_ns) {
            held.due_ns = 0;
            if held.hold == Hold::Held {
                held.hold = Hold::Late;
            }
        }
    }

    fn enqueue(
        &mut self,
        message: &Message,
        next: &mut u64,
        (now, now_ns): (Timestamp, u64),
        flaw: Option<QueueFlaw>,
    ) -> Result<Enqueued, StoreError> {
        if let Some(key) = message.dedup.as_ref().filter(|_| flaw != Some(QueueFlaw::IgnoresDedup))
            && let Some((id, body, _)) = self.keys.get(key).filter(|(_, _, until)| *until > now)
        {
            let is_same = *body == message.body;
            let conflict = || StoreError::Conflict(String::from_utf8_lossy(key).into_owned());
            return if is_same { Ok(Enqueued::Duplicate(MessageId(*id))) } else { Err(conflict()) };
        }
        *next += 1;
        self.is_known = true;
        if let Some(key) = &message.dedup {
            let until = now.plus(limits::QUEUE_DEDUP_TIME.into());
            self.keys.insert(key.clone(), (*next, message.body.clone(), until));
        }
        let due_ns = if message.delay.is_zero() { 0 } else { now_ns + Elapsed::from(message.delay).ns() };
        let message = Message { delay: Duration::ZERO, dedup: None, ..message.clone() };
        let held = Held { message, enqueued: now, due_ns, attempts: 0, hold: Hold::Free, dead: None, died: None };
        self.messages.insert(*next, held);
        Ok(Enqueued::New(MessageId(*next)))
    }

    /// The next message, or run of a group.
    fn next(&self, max: usize, flaw: Option<QueueFlaw>) -> Vec<u64> {
        for (id, held) in &self.messages {
            let Some(group) = held.message.group.as_ref().filter(|_| flaw != Some(QueueFlaw::BreaksGroups)) else {
                if held.is_ready() {
                    return vec![*id];
                }
                continue;
            };
            let members = || self.messages.iter().filter(|(_, other)| other.message.group.as_ref() == Some(group));
            let is_first = members().next().is_some_and(|(first, _)| first == id);
            if !is_first || members().any(|(_, other)| other.hold == Hold::Held) {
                continue;
            }
            let is_alike = |other: &Held| other.is_ready() && (other.attempts > 0) == (held.attempts > 0);
            let run: Vec<u64> = members().take_while(|(_, other)| is_alike(other)).map(|(id, _)| *id).take(max).collect();
            if !run.is_empty() {
                return run;
            }
        }
        Vec::new()
    }

    fn claim(&mut self, max: usize, until_ns: u64, flaw: Option<QueueFlaw>) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        while deliveries.len() < max {
            let ids = self.next(max - deliveries.len(), flaw);
            if ids.is_empty() {
                break;
            }
            for id in ids {
                let Some(held) = self.messages.get_mut(&id) else { continue };
                (held.attempts, held.hold, held.due_ns) = (held.attempts + 1, Hold::Held, until_ns);
                let receipt = Receipt { id: MessageId(id), attempt: held.attempts };
                deliveries.push(Delivery { receipt, enqueued: held.enqueued, message: held.message.clone() });
            }
        }
        deliveries
    }
}

fn check(messages: &[Message]) -> Result<(), StoreError> {
    let (measured, allowed) = (messages.len() as u64, limits::EVENT_BATCH as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "messages", measured, allowed });
    }
    for message in messages {
        let attributes: usize = message.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        let (measured, allowed) = ((message.body.len() + attributes) as u64, limits::EVENT.0);
        if measured > allowed {
            return Err(StoreError::TooLarge { what: "event", measured, allowed });
        }
        for key in message.dedup.iter().chain(&message.group) {
            let (measured, allowed) = (key.len() as u64, limits::KV_KEY.0);
            if measured > allowed {
                return Err(StoreError::TooLarge { what: "key", measured, allowed });
            }
        }
        if message.delay > limits::QUEUE_DELAY || (message.group.is_some() && !message.delay.is_zero()) {
            return Err(StoreError::Denied("the delay".into()));
        }
    }
    Ok(())
}

#[async_trait]
impl Queue for ModelQueue {
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        check(&messages)?;
        let Some(key) = idempotency.filter(|_| self.flaw != Some(QueueFlaw::ForgetsReplies)) else {
            return self.enqueue_now(queue, &messages);
        };
        if let Some((first, reply)) = self.with(queue, |line, _, _| line.replies.get(&key.0).cloned()) {
            return if first == messages { Ok(reply) } else { Err(StoreError::Conflict(key.0)) };
        }
        let enqueued = self.enqueue_now(queue, &messages)?;
        self.with(queue, |line, _, _| line.replies.insert(key.0, (messages, enqueued.clone())));
        Ok(enqueued)
    }

    async fn claim(&self, queue: &QueueName, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, StoreError> {
        let until_ns = self.clock.monotonic_ns().saturating_add(Elapsed::from(wait).ns());
        let mut news = self.news.subscribe();
        loop {
            news.mark_unchanged();
            let (deliveries, next_ns) = self.with(queue, |line, _, now_ns| {
                let deliveries = line.claim(max, now_ns.saturating_add(Elapsed::from(lease).ns()), self.flaw);
                (deliveries, line.messages.values().map(|held| held.due_ns).filter(|due_ns| *due_ns > 0).min())
            });
            if !deliveries.is_empty() || self.clock.monotonic_ns() >= until_ns {
                return Ok(deliveries);
            }
            tokio::select! {
                _ = news.changed() => {}
                () = self.clock.sleep_until(until_ns.min(next_ns.unwrap_or(u64::MAX))) => {}
            }
        }
    }

    async fn ack(&self, queue: &QueueName, receipts: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        Ok(self.ack_now(queue, receipts))
    }

    async fn extend(&self, queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Result<Vec<Settled>, StoreError> {
        let lease_ns = Elapsed::from(lease).ns();
        Ok(self.settle(queue, receipts, |line, id, now_ns| {
            if let Some(held) = line.messages.get_mut(&id) {
                (held.hold, held.due_ns) = (Hold::Held, now_ns.saturating_add(lease_ns));
            }
        }))
    }

    async fn nack(&self, queue: &QueueName, receipts: &[Receipt], delay: Duration) -> Result<Vec<Settled>, StoreError> {
        let delay_ns = Elapsed::from(delay).ns();
        Ok(self.settle(queue, receipts, |line, id, now_ns| {
            if let Some(held) = line.messages.get_mut(&id) {
                (held.hold, held.due_ns) = (Hold::Free, if delay_ns == 0 { 0 } else { now_ns + delay_ns });
            }
        }))
    }

    async fn bury(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Result<Vec<Settled>, StoreError> {
        if queue == dead {
            return Err(StoreError::Denied("itself".into()));
        }
        let mut buried = Vec::new();
        let settled = self.settle(queue, receipts, |line, id, _| buried.extend(line.messages.remove(&id).map(|held| (id, held))));
        let died = Some(self.clock.now());
        self.with(dead, |line, _, _| {
            line.is_known |= !buried.is_empty();
            for (id, held) in buried {
                let attempts = if self.flaw == Some(QueueFlaw::ForgetsAttempts) { 0 } else { held.attempts };
                let letter = DeadLetter { from: queue.clone(), reason: reason.to_owned() };
                let dead = Some((letter, attempts));
                line.messages.insert(id, Held { due_ns: 0, attempts: 0, hold: Hold::Free, dead, died, ..held });
            }
        });
        Ok(settled)
    }

    async fn redrive(&self, dead: &QueueName, max: usize) -> Result<u64, StoreError> {
        let letters = self.with(dead, |line, _, _| {
            let dead = line.messages.iter().filter(|(_, held)| held.dead.is_some()).take(max);
            let free: Vec<u64> = dead.filter(|(_, held)| held.hold != Hold::Held).map(|(id, _)| *id).collect();
            free.into_iter().filter_map(|id| line.messages.remove(&id)).collect::<Vec<_>>()
        });
        let now = self.clock.now();
        for letter in &letters {
            let Some((DeadLetter { from, .. }, _)) = &letter.dead else { continue };
            self.with(from, |line, next, now_ns| line.enqueue(&letter.message, next, (now, now_ns), None))?;
        }
        self.news.send_replace(());
        Ok(letters.len() as u64)
    }

    async fn peek(&self, queue: &QueueName, after: Option<MessageId>, max: usize) -> Result<Vec<Peeked>, StoreError> {
        let now = self.clock.now();
        Ok(self.with(queue, |line, _, now_ns| {
            let from = after.map_or(0, |after| after.0 + 1);
            let peeked = line.messages.range(from..).take(max).map(|(id, held)| {
                let Held { message, enqueued, due_ns, attempts, dead, .. } = held.clone();
                let due = if due_ns > now_ns { now.plus(Elapsed::from_ns(due_ns - now_ns)) } else { enqueued };
                let (dead, before) = dead.map_or((None, 0), |(dead, attempts)| (Some(dead), attempts));
                Peeked { id: MessageId(*id), enqueued, due, attempts: attempts + before, dead, message }
            });
            peeked.collect()
        }))
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, StoreError> {
        Ok(self.with(queue, |line, _, _| std::mem::take(&mut line.messages).len() as u64))
    }

    async fn queues(&self, prefix: &str, after: Option<&QueueName>, max: usize) -> Result<Vec<QueueName>, StoreError> {
        let state = self.state.lock();
        let known = state.queues.iter().filter(|(_, line)| line.is_known).map(|(name, _)| name);
        let names = known.filter(|name| name.0.starts_with(prefix) && after.is_none_or(|after| *name > after));
        Ok(names.take(max).cloned().collect())
    }

    async fn retain(&self, queue: &QueueName, retention: Duration) -> Result<(), StoreError> {
        self.with(queue, |line, _, _| (line.retention, line.is_known) = (Some(retention), true));
        Ok(())
    }

    async fn stats(&self, queue: &QueueName) -> Result<QueueStats, StoreError> {
        let now = self.clock.now();
        Ok(self.with(queue, |line, _, _| {
            let count = |is: &dyn Fn(&Held) -> bool| line.messages.values().filter(|held| is(held)).count() as u64;
            let oldest = line.messages.values().find(|held| held.is_ready()).map(|held| held.enqueued);
            QueueStats {
                ready: count(&Held::is_ready),
                delayed: count(&|held| held.hold != Hold::Held && held.due_ns > 0),
                claimed: count(&|held| held.hold == Hold::Held),
                oldest: oldest.map_or(Duration::ZERO, |at| now.since(at).into()),
            }
        }))
    }
}
