//! Queues: at least once for the consumer, with receipts that go stale.

use std::time::Duration;

use async_trait::async_trait;
use types::kv::IdempotencyKey;
pub use types::queue::{DeadLetter, Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled};

use crate::StoreError;

/// Queues with leases, delays, deduplication, groups and dead letters.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Stores all messages or none.
    ///
    /// # Errors
    /// `TooLarge` and `TooMany` by `types::limits`; `Conflict` if a deduplication key came with another body before; `Denied` for a
    /// delay within a group.
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError>;
    /// Takes at most `max` messages for `lease`, waiting at most `wait` for the first. Whoever waits costs nothing until there is one.
    ///
    /// # Cancel safety
    /// A dropped call may have taken messages; they come again when the lease has run out.
    async fn claim(&self, queue: &QueueName, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, StoreError>;
    /// Removes messages that were worked off. A lease that ran out is no matter as long as nobody else got the message.
    async fn ack(&self, queue: &QueueName, receipts: &[Receipt]) -> Result<Vec<Settled>, StoreError>;
    /// Holds messages for `lease` from now on.
    async fn extend(&self, queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Result<Vec<Settled>, StoreError>;
    /// Gives messages back, to be delivered again after `delay`. Messages behind one in its group wait until it is done or dead, and what
    /// was given back is delivered without them.
    async fn nack(&self, queue: &QueueName, receipts: &[Receipt], delay: Duration) -> Result<Vec<Settled>, StoreError>;
    /// Moves messages to the dead-letter queue, each atomically, with its id, attempts and the reason. There, deliveries are counted from
    /// the beginning.
    ///
    /// # Errors
    /// `Denied` if both are the same queue.
    async fn bury(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Result<Vec<Settled>, StoreError>;
    /// Moves at most `max` messages from a dead-letter queue to where they came from, each atomically; gives how many. They get new numbers
    /// there and their deliveries are counted from the beginning, so that no receipt of their first life fits them. What a consumer of
    /// the dead-letter queue holds, and what nobody buried there, stays.
    async fn redrive(&self, dead: &QueueName, max: usize) -> Result<u64, StoreError>;
    /// Messages without taking them, oldest first, after a number.
    async fn peek(&self, queue: &QueueName, after: Option<MessageId>, max: usize) -> Result<Vec<Peeked>, StoreError>;
    /// Removes every message, claimed ones too, and gives their number.
    async fn purge(&self, queue: &QueueName) -> Result<u64, StoreError>;
    /// The queues that hold or held messages and whose names begin with `prefix`, by name, after a name.
    async fn queues(&self, prefix: &str, after: Option<&QueueName>, max: usize) -> Result<Vec<QueueName>, StoreError>;
    /// How long messages of the queue are kept, from when they were enqueued, or buried in it. Older ones become dead letters nowhere: they are gone.
    async fn retain(&self, queue: &QueueName, retention: Duration) -> Result<(), StoreError>;
    /// How the queue is doing.
    async fn stats(&self, queue: &QueueName) -> Result<QueueStats, StoreError>;
}
