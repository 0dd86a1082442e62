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
    /// None of it happened: a receipt was stale, a condition failed or an epoch was old.
    Refused(String),
}

/// Commits units: all or nothing inside one namespace of stores, nothing across them.
#[async_trait]
pub trait Unit: Send + Sync {
    /// Commits the effects, durable when it returns.
    async fn commit(&self, effects: Effects, idempotency: IdempotencyKey) -> Result<UnitOutcome, StoreError>;
}
