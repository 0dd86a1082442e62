//! Queues: functions send to them, and nothing else.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ports::{Body, Queue, StoreError};
use types::{
    journal::{Operation, Reply},
    kv::IdempotencyKey,
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
};

use super::service::{Granted, Service, another_kind, not_for_functions};

/// A queue as a runtime sees it.
pub(crate) struct Front {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) name: String,
}

#[async_trait]
impl Queue for Front {
    async fn enqueue(
        &self,
        _: &QueueName,
        messages: Vec<Message>,
        _: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let operation = Operation::QueueSend { queue: self.name.clone(), messages };
        match self.service.call(operation, Body::Empty).await?.0 {
            Reply::QueueSent(sent) => Ok(sent),
            _ => another_kind(),
        }
    }
    async fn claim(&self, _: &QueueName, _: usize, _: Duration, _: Duration) -> Result<Vec<Delivery>, StoreError> {
        not_for_functions("taking messages")
    }
    async fn ack(&self, _: &QueueName, _: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        not_for_functions("acknowledging messages")
    }
    async fn extend(&self, _: &QueueName, _: &[Receipt], _: Duration) -> Result<Vec<Settled>, StoreError> {
        not_for_functions("extending leases")
    }
    async fn nack(&self, _: &QueueName, _: &[Receipt], _: Duration) -> Result<Vec<Settled>, StoreError> {
        not_for_functions("giving messages back")
    }
    async fn bury(&self, _: &QueueName, _: &[Receipt], _: &QueueName, _: &str) -> Result<Vec<Settled>, StoreError> {
        not_for_functions("burying messages")
    }
    async fn redrive(&self, _: &QueueName, _: usize) -> Result<u64, StoreError> {
        not_for_functions("redriving messages")
    }
    async fn peek(&self, _: &QueueName, _: Option<MessageId>, _: usize) -> Result<Vec<Peeked>, StoreError> {
        not_for_functions("looking into queues")
    }
    async fn purge(&self, _: &QueueName) -> Result<u64, StoreError> {
        not_for_functions("purging queues")
    }
    async fn queues(&self, _: &str, _: Option<&QueueName>, _: usize) -> Result<Vec<QueueName>, StoreError> {
        not_for_functions("listing queues")
    }
    async fn retain(&self, _: &QueueName, _: Duration) -> Result<(), StoreError> {
        not_for_functions("configuring queues")
    }
    async fn stats(&self, _: &QueueName) -> Result<QueueStats, StoreError> {
        not_for_functions("looking into queues")
    }
}

/// The real queue, under a grant.
pub(crate) struct Live(pub(crate) Granted);

#[async_trait]
impl Service for Live {
    async fn call(&self, operation: Operation, _: Body) -> Result<(Reply, Body), StoreError> {
        let Operation::QueueSend { queue, mut messages } = operation else { return another_kind() };
        let Granted { services, function, cause, held, .. } = &self.0;
        self.0.writes()?;
        messages.iter_mut().for_each(|message| message.cause = Some(*cause));
        let name = QueueName::of(&function.key.app, &function.key.env, &queue);
        let sent = match held {
            Some(held) => held.send(&name, messages)?,
            None => services.queue.enqueue(&name, messages, None).await?,
        };
        Ok((Reply::QueueSent(sent), Body::Empty))
    }
}
