//! The vocabulary of queues.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName, FunctionName},
    revision::AppKey,
    time::Timestamp,
    trace::Cause,
};

/// A queue's identity: one app's queue in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueueName(pub String);

impl QueueName {
    /// The queue `name` of `app` in `env`.
    #[must_use]
    pub fn of(app: &AppName, env: &EnvName, name: &str) -> Self {
        Self(format!("{app}/{env}/{name}"))
    }
    /// The platform's own queue in which what starts a function waits: changes, events and times. People see it as `~function`.
    #[must_use]
    pub fn of_trigger(key: &AppKey, function: &FunctionName) -> Self {
        Self(format!("{}/{}/~{function}", key.app, key.env))
    }
    /// What all queues of an app begin with.
    #[must_use]
    pub fn prefix(key: &AppKey) -> String {
        format!("{}/{}/", key.app, key.env)
    }
    /// The name within its app.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

/// The number of a message within its store; grows in the order of enqueueing. People see it as `msg_` and the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId(pub u64);

impl MessageId {
    /// What a message is told to have that is held until its sender succeeds: it has no number yet. Stores give numbers from 1.
    pub const HELD: Self = Self(0);
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("msg_{}", self.0))
    }
}

/// A message to enqueue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// The body.
    pub body: Bytes,
    /// Not delivered before this has passed; never early. Refused inside a group.
    pub delay: Duration,
    /// Messages of one queue with the same key within `limits::QUEUE_DEDUP_TIME` are one.
    pub dedup: Option<Bytes>,
    /// Messages of one group are delivered in order, one batch at a time.
    pub group: Option<Bytes>,
    /// Names and values that travel along.
    pub attributes: Vec<(String, String)>,
    /// What sent it: so a trace goes on, and a loop is noticed.
    pub cause: Option<Cause>,
}

/// What became of an enqueued message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Enqueued {
    /// It is stored.
    New(MessageId),
    /// The same deduplication key was stored before, as this message.
    Duplicate(MessageId),
}

/// One delivery of one message. A receipt of an earlier delivery is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// When it was enqueued.
    pub enqueued: Timestamp,
    /// The message; its delay and its deduplication key are not kept.
    pub message: Message,
}

/// Whether a receipt was still good. A stale one changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settled {
    /// It was.
    Done,
    /// The message was delivered again since, or is gone.
    Stale,
}

/// How a queue is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Messages that wait for nothing but a consumer, or for their group's turn.
    pub ready: u64,
    /// Messages that wait for their delay.
    pub delayed: u64,
    /// Messages that a consumer holds.
    pub claimed: u64,
    /// How long the oldest ready message has waited.
    pub oldest: Duration,
}

/// A message as people look at it, without taking it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The message's number.
    pub id: MessageId,
    /// When it was enqueued.
    pub enqueued: Timestamp,
    /// When it can be delivered: after its delay, or after the consumer that holds it gave it back.
    pub due: Timestamp,
    /// How often it was delivered.
    pub attempts: u32,
    /// Where it came from and why, if this is a dead letter.
    pub dead: Option<DeadLetter>,
    /// The message.
    pub message: Message,
}

/// How a message became a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The queue that it was in.
    pub from: QueueName,
    /// Why it was given up.
    pub reason: String,
}
