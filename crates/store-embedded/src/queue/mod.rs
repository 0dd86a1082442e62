//! Queues: a module of the shard.
//!
//! [`memory`] and [`line`] know where each message is; [`write`] enqueues; [`deliver`] serves those who wait ([`waiter`]) inside the batch
//! that makes something ready; [`settle`] is what consumers do with what they hold; [`retention`] removes what is over; [`admin`] and
//! [`look`] are for people. The rules:
//!
//! - Delays and leases run by the monotonic clock, so setting the wall clock makes nothing early. A restart takes them from the wall clock.
//! - A message goes from memory to a consumer only with its count of deliveries written in the same COMMIT.
//! - A group's messages are delivered in order, one batch at a time. Those that came back come alone: what is behind them in their group
//!   waits until they are done or dead.
//! - A dead letter keeps its number; sent back, it gets a new one and its count begins anew, so that no old receipt fits it.

mod admin;
mod deliver;
mod line;
mod look;
mod memory;
mod module;
mod retention;
mod row;
mod settle;
mod waiter;
mod write;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ports::{
    Queue, StoreError,
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
};
use types::{Elapsed, kv::IdempotencyKey, limits};

use crate::shard::{
    Shard,
    replies::{self, Scope},
};
pub(crate) use module::QueueModule;
use waiter::Waiter;
pub(crate) use write::{check_limits, check_message};

/// Bytes of a peek's bodies are bounded by this many messages at once.
const PEEK_MAX: usize = 100;

/// The queues of one node.
pub(crate) struct QueueStore {
    shard: Arc<Shard>,
    module: Arc<QueueModule>,
}

impl QueueStore {
    pub(crate) fn new(shard: Arc<Shard>, module: Arc<QueueModule>) -> Self {
        Self { shard, module }
    }
}

/// Leaves the list of those who wait when the call is dropped.
struct Leave(Arc<Waiter>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[async_trait]
impl Queue for QueueStore {
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        self.shard.reading().check()?;
        check_limits(&messages)?;
        let (module, queue) = (self.module.clone(), queue.clone());
        let Some(key) = idempotency else {
            return self.shard.run(move |batch| module.enqueue(batch, &queue, &messages)).await;
        };
        replies::check_key(&key)?;
        let name = format!("enqueue {}", queue.0);
        let hash = replies::hash(&messages.iter().map(what_matters).collect::<Vec<_>>());
        let work = move |batch: &mut crate::shard::Batch<'_>| {
            let scope = Scope { name: &name, key: &key, hash: &hash };
            replies::once(batch, scope, |batch| module.enqueue(batch, &queue, &messages))
        };
        self.shard.run(work).await
    }

    async fn claim(&self, queue: &QueueName, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, StoreError> {
        self.shard.reading().check()?;
        if max == 0 {
            return Ok(Vec::new());
        }
        let max = max.min(limits::BATCH_MAX as usize);
        let (waiter, mut answer) = Waiter::new(max, lease, !wait.is_zero());
        let leave = Leave(Arc::new(waiter));
        let until_ns = self.shard.clock().monotonic_ns().saturating_add(Elapsed::from(wait).ns());
        let claim = deliver::Claim { module: self.module.clone(), queue: queue.clone(), waiter: leave.0.clone() };
        self.shard.submit(Box::new(claim)).await;
        let gone = |_| Err(StoreError::Ambiguous("the commit thread ended before it answered".into()));
        if wait.is_zero() {
            return answer.await.unwrap_or_else(gone);
        }
        tokio::select! {
            biased;
            answer = &mut answer => return answer.unwrap_or_else(gone),
            () = self.shard.clock().sleep_until(until_ns) => {}
        }
        // Time is up, unless messages are on their way.
        if leave.0.leave() { Ok(Vec::new()) } else { answer.await.unwrap_or_else(gone) }
    }

    async fn ack(&self, queue: &QueueName, receipts: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        let (module, queue, receipts) = (self.module.clone(), queue.clone(), receipts.to_vec());
        self.shard.run(move |batch| module.ack(batch, &queue, &receipts)).await
    }

    async fn extend(&self, queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Result<Vec<Settled>, StoreError> {
        let (module, queue, receipts) = (self.module.clone(), queue.clone(), receipts.to_vec());
        self.shard.run(move |batch| module.extend(batch, &queue, &receipts, lease.into())).await
    }

    async fn nack(&self, queue: &QueueName, receipts: &[Receipt], delay: Duration) -> Result<Vec<Settled>, StoreError> {
        let (module, queue, receipts) = (self.module.clone(), queue.clone(), receipts.to_vec());
        let delay = Elapsed::from(delay.min(limits::QUEUE_DELAY));
        self.shard.run(move |batch| module.nack(batch, &queue, &receipts, delay)).await
    }

    async fn bury(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Result<Vec<Settled>, StoreError> {
        let (module, queue, receipts) = (self.module.clone(), queue.clone(), receipts.to_vec());
        let (dead, reason) = (dead.clone(), reason.to_owned());
        self.shard.run(move |batch| module.bury(batch, &queue, &receipts, &dead, &reason)).await
    }

    async fn redrive(&self, dead: &QueueName, max: usize) -> Result<u64, StoreError> {
        let (mut count, mut after, mut looked) = (0, MessageId(0), 0);
        while looked < max {
            let (module, dead, from, left) = (self.module.clone(), dead.clone(), after.0, max - looked);
            let piece = self.shard.run(move |batch| module.redrive(batch, &dead, from, left)).await?;
            count += piece.count;
            looked += admin::REDRIVE_MAX;
            let Some(next) = piece.after else { break };
            after = next;
        }
        Ok(count)
    }

    async fn peek(&self, queue: &QueueName, after: Option<MessageId>, max: usize) -> Result<Vec<Peeked>, StoreError> {
        let (mut peeked, mut after): (Vec<Peeked>, _) = (Vec::new(), after);
        while peeked.len() < max {
            let wanted = (max - peeked.len()).min(PEEK_MAX);
            let places = self.module.places(self.shard.reading(), queue, after, wanted)?;
            let Some(last) = places.last() else { break };
            after = Some(MessageId(last.id));
            peeked.extend(self.shard.reading().run(move |connection, _| look::peek(connection, &places)).await?);
        }
        Ok(peeked)
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, StoreError> {
        let (mut count, mut upto) = (0, None);
        loop {
            let (module, queue) = (self.module.clone(), queue.clone());
            let piece = self.shard.run(move |batch| module.purge(batch, &queue, upto)).await?;
            count += piece.count;
            upto = piece.after;
            if upto.is_none() {
                return Ok(count);
            }
        }
    }

    async fn queues(&self, prefix: &str, after: Option<&QueueName>, max: usize) -> Result<Vec<QueueName>, StoreError> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        self.shard.reading().run(move |connection, _| look::queues(connection, &prefix, after.as_ref(), max)).await
    }

    async fn retain(&self, queue: &QueueName, retention: Duration) -> Result<(), StoreError> {
        let (module, queue, retention_ns) = (self.module.clone(), queue.clone(), Elapsed::from(retention).ns());
        self.shard.run(move |batch| module.retain(batch, &queue, retention_ns)).await
    }

    async fn stats(&self, queue: &QueueName) -> Result<QueueStats, StoreError> {
        self.module.stats(self.shard.reading(), queue)
    }
}

/// All of a message but its cause, which is no part of what a caller asks for.
pub(crate) fn what_matters(message: &Message) -> Message {
    Message { cause: None, ..message.clone() }
}
