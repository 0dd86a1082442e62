//! Units in memory, over the models of queues and key-value stores, and the flaws that a suite must notice. Streams are left out.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    Kv as _, StoreError, Unit,
    queue::Settled,
    unit::{Effects, Refusal, RefusalKind, UnitOutcome},
};
use types::kv::{Committed, IdempotencyKey};

use super::{ModelKv, ModelQueue};

/// What can be wrong with units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitFlaw {
    /// What was done before the refusal stays.
    KeepsHalves,
    /// A repeated unit is done again.
    ForgetsKeys,
    /// Stale receipts are no reason to refuse.
    IgnoresStaleness,
}

/// Units that lock, try, and put everything back if something is refused.
pub struct ModelUnit {
    kv: Arc<ModelKv>,
    queue: Arc<ModelQueue>,
    flaw: Option<UnitFlaw>,
    committed: Mutex<HashMap<String, String>>,
}

impl ModelUnit {
    /// Units over these stores.
    #[must_use]
    pub fn new(kv: Arc<ModelKv>, queue: Arc<ModelQueue>) -> Self {
        Self::with_flaw(kv, queue, None)
    }

    /// Units with a flaw, to try a suite on.
    #[must_use]
    pub fn with_flaw(kv: Arc<ModelKv>, queue: Arc<ModelQueue>, flaw: Option<UnitFlaw>) -> Self {
        Self { kv, queue, flaw, committed: Mutex::default() }
    }

    async fn apply(&self, effects: &Effects) -> Result<Option<Refusal>, StoreError> {
        let refusal = |kind, reason: &str| Ok(Some(Refusal { kind, reason: reason.to_owned() }));
        for (queue, receipt) in &effects.acks {
            let is_stale = self.queue.ack_now(queue, &[*receipt]) == [Settled::Stale];
            if is_stale && self.flaw != Some(UnitFlaw::IgnoresStaleness) {
                return refusal(RefusalKind::Stale, "a receipt");
            }
        }
        for (namespace, transaction) in &effects.kv {
            if let Committed::Refused { .. } = self.kv.commit(namespace, transaction.clone()).await? {
                return refusal(RefusalKind::Conflict, "a key");
            }
        }
        for (queue, message) in &effects.enqueues {
            self.queue.enqueue_now(queue, std::slice::from_ref(message))?;
        }
        Ok(None)
    }
}

#[async_trait]
impl Unit for ModelUnit {
    async fn commit(&self, effects: Effects, idempotency: IdempotencyKey) -> Result<UnitOutcome, StoreError> {
        let asked = format!("{effects:?}");
        if let Some(first) = self.committed.lock().get(&idempotency.0).filter(|_| self.flaw != Some(UnitFlaw::ForgetsKeys)) {
            return if *first == asked { Ok(UnitOutcome::Committed) } else { Err(StoreError::Conflict(idempotency.0)) };
        }
        let (kv, queue) = (self.kv.mark(), self.queue.state.lock().clone());
        let outcome = self.apply(&effects).await;
        if !matches!(outcome, Ok(None)) && self.flaw != Some(UnitFlaw::KeepsHalves) {
            self.kv.undo(kv);
            *self.queue.state.lock() = queue;
        }
        match outcome? {
            Some(refusal) => Ok(UnitOutcome::Refused(refusal)),
            None => {
                self.committed.lock().insert(idempotency.0, asked);
                Ok(UnitOutcome::Committed)
            }
        }
    }
}
