//! The vocabulary of key-value stores: what callers ask of them and what they answer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The place of a change in its namespace: grows in commit order, may have gaps, never repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Rev(pub u64);

/// A store's identity: one app's store in one environment. Namespaces share nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Namespace(pub String);

impl Namespace {
    /// The namespace of the store `name` of `app` in `env`.
    #[must_use]
    pub fn of(app: &crate::AppName, env: &crate::EnvName, name: &str) -> Self {
        Self(format!("{app}/{env}/{name}"))
    }
}

/// A value with the revision that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Arbitrary bytes; order is byte order.
    pub key: Bytes,
    /// Arbitrary bytes.
    pub value: Bytes,
    /// The revision of the write.
    pub rev: Rev,
    /// When it ceases to exist, if it does.
    pub expires: Option<Timestamp>,
}

/// What must hold for a transaction to be applied. A failed condition writes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// The key has no value.
    Absent(Bytes),
    /// The key's value was written at this revision.
    At(Bytes, Rev),
}

impl Condition {
    /// The key that the condition is about.
    #[must_use]
    pub fn key(&self) -> &Bytes {
        match self {
            Self::Absent(key) | Self::At(key, _) => key,
        }
    }
}

/// One write of a transaction. Writes are applied in order; all share one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Sets the value, with an expiry or without.
    Put {
        /// The key.
        key: Bytes,
        /// The new value.
        value: Bytes,
        /// When it ceases to exist.
        expires: Option<Timestamp>,
    },
    /// Removes the value; nothing happens if there is none.
    Delete {
        /// The key.
        key: Bytes,
    },
}

impl Write {
    /// The key that is written.
    #[must_use]
    pub fn key(&self) -> &Bytes {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// Names one attempt of a write, so that a repeated call after a lost reply has one effect.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdempotencyKey(pub String);

/// A transaction: all of it happens, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Transaction {
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// What is written.
    pub writes: Vec<Write>,
    /// Makes a repetition harmless. The first reply is given again.
    pub idempotency: Option<IdempotencyKey>,
    /// What wrote it: so that functions which are started by the change go on with its trace. No part of what
    /// idempotency compares or a journal keeps.
    #[serde(skip)]
    pub cause: Option<crate::trace::Cause>,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Committed {
    /// Applied and durable, at this revision.
    At(Rev),
    /// The condition with this index did not hold; nothing was written.
    Refused {
        /// The index of the first condition that failed.
        condition: usize,
    },
}

/// One change as a watcher sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A value was set.
    Put(Entry),
    /// A value was removed or expired.
    Delete {
        /// Its key.
        key: Bytes,
        /// The revision of the removal.
        rev: Rev,
    },
    /// Everything up to this revision was sent; what follows is live.
    CaughtUp(Rev),
    /// The changes asked for are gone: list again.
    Compacted,
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WatchFrom {
    /// All present values first, then changes.
    Snapshot,
    /// Changes above this revision.
    After(Rev),
}
