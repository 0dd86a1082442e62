//! Queues: at least once for the consumer, with receipts that go stale.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use types::kv::IdempotencyKey;

use crate::StoreError;

/// A queue's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueName(pub String);

/// The number of a message within its store; grows in the order of enqueueing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// A message to enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The body.
    pub body: Bytes,
    /// Not delivered before this has passed; never early. Refused inside a group.
    pub delay: Duration,
    /// Messages of one queue with the same key within five minutes are one.
    pub dedup: Option<Bytes>,
    /// Messages of one group are delivered in order, one batch at a time.
    pub group: Option<Bytes>,
    /// Names and values that travel along.
    pub attributes: Vec<(String, String)>,
}

/// What became of an enqueued message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored.
    New(MessageId),
    /// The same deduplication key was stored before, as this message.
    Duplicate(MessageId),
}

/// One delivery of one message. A receipt of an earlier delivery is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The message.
    pub id: MessageId,
    /// The delivery's number, from 1; stored before the delivery leaves the store.
    pub attempt: u32,
}

/// A message as a consumer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What to acknowledge it with.
    pub receipt: Receipt,
    /// The message.
    pub message: Message,
}

/// Whether a receipt was still good. A stale one changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was.
    Done,
    /// The message was delivered again since, or is gone.
    Stale,
}

/// How a queue is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Messages that can be claimed now.
    pub ready: u64,
    /// Messages that wait for their delay.
    pub delayed: u64,
    /// Messages that a consumer holds.
    pub claimed: u64,
    /// How long the oldest ready message has waited.
    pub oldest: Duration,
}

/// Queues with leases, delays, deduplication, groups and dead letters.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Stores all messages or none.
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError>;
    /// Takes at most `max` messages for `lease`, waiting at most `wait` for the first.
    async fn claim(&self, queue: &QueueName, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, StoreError>;
    /// Removes messages that were worked off.
    async fn ack(&self, queue: &QueueName, receipts: &[Receipt]) -> Result<Vec<Settled>, StoreError>;
    /// Holds messages for `lease` from now on.
    async fn extend(&self, queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Result<Vec<Settled>, StoreError>;
    /// Gives messages back, to be delivered again after `delay`.
    async fn nack(&self, queue: &QueueName, receipts: &[Receipt], delay: Duration) -> Result<Vec<Settled>, StoreError>;
    /// Moves messages to the dead-letter queue, each atomically, with its id, attempts and the reason.
    async fn bury(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Result<Vec<Settled>, StoreError>;
    /// Moves at most `max` messages from a dead-letter queue to where they came from, each atomically; gives their number.
    async fn redrive(&self, dead: &QueueName, max: usize) -> Result<u64, StoreError>;
    /// How the queue is doing.
    async fn stats(&self, queue: &QueueName) -> Result<QueueStats, StoreError>;
}
