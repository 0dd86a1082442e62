//! The unit: what one invocation does to the platform's state, committed as one.

use async_trait::async_trait;
use types::kv::{IdempotencyKey, Namespace, Transaction};

use crate::{
    StoreError,
    log::{Epoch, GroupName, Partition, Record, Sequence, StreamName},
    queue::{Message, QueueName, Receipt},
};

/// All effects of one invocation inside one namespace of stores.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Messages that were worked off.
    pub acks: Vec<(QueueName, Receipt)>,
    /// Messages to send.
    pub enqueues: Vec<(QueueName, Message)>,
    /// Records to append.
    pub appends: Vec<(StreamName, Record)>,
    /// Key-value transactions.
    pub kv: Vec<(Namespace, Transaction)>,
    /// Stream offsets.
    pub offsets: Vec<(StreamName, GroupName, Partition, Sequence, Epoch)>,
}

/// What a unit became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitOutcome {
    /// All of it happened.
    Committed,
    /// None of it happened.
    Refused(Refusal),
}

/// Why nothing of a unit happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it was about.
    pub kind: RefusalKind,
    /// Which part of the unit, for people.
    pub reason: String,
}

/// What a refusal was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// A condition of a key-value transaction did not hold: somebody was faster. Worth another run at once.
    Conflict,
    /// A receipt is not the newest: the messages are somebody else's by now, or are done. Not worth another run.
    Stale,
    /// An epoch is not the newest: the partition is somebody else's by now. Not worth another run.
    Fenced,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Commits units: all or nothing inside one namespace of stores, nothing across them.
#[async_trait]
pub trait Unit: Send + Sync {
    /// Commits the effects, durable when it returns. Receipts are looked at first; then key-value transactions are applied in order, each
    /// seeing those before it; then offsets, messages and records.
    ///
    /// The same call with the same key has one effect. A refusal is not remembered: nothing happened, so the key is free for another try.
    ///
    /// # Errors
    /// `TooMany` and `TooLarge` by `types::limits`; `Conflict` if the key committed another unit before, or a deduplication key came with
    /// another body.
    async fn commit(&self, effects: Effects, idempotency: IdempotencyKey) -> Result<UnitOutcome, StoreError>;
}
