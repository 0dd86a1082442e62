//! Key-value stores: a module of the shard.
//!
//! [`apply`] is what happens inside a batch; [`read`] and [`watch`] use connections of their own.

mod apply;
mod module;
pub(crate) mod range;
mod read;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ports::{BoxStream, Kv, StoreError};
use types::{
    kv::{Change, Committed, Entry, Namespace, Transaction, WatchFrom, Write},
    limits,
};

use crate::shard::Shard;
pub(crate) use module::KvModule;

/// The key-value stores of one node.
pub(crate) struct KvStore {
    shard: Arc<Shard>,
    module: Arc<KvModule>,
}

impl KvStore {
    pub(crate) fn new(shard: Arc<Shard>, module: Arc<KvModule>) -> Self {
        Self { shard, module }
    }
}

#[async_trait]
impl Kv for KvStore {
    // Point reads run on the calling thread: they take microseconds from mapped pages, less than handing them to another thread.
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError> {
        self.shard.reading().with(|connection, now| read::entry(connection, namespace, key, now))
    }

    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError> {
        let (measured, allowed) = (keys.len() as u64, limits::KV_TRANSACTION as u64);
        if measured > allowed {
            return Err(StoreError::TooMany { what: "keys", measured, allowed });
        }
        let (namespace, keys) = (namespace.clone(), keys.to_vec());
        let found = self.shard.reading().run(move |connection, now| read::entries(connection, &namespace, &keys, now)).await?;
        let allowed = limits::KV_TRANSACTION_BYTES.0;
        found.map_err(|read::Over(measured)| StoreError::TooLarge { what: "values", measured, allowed })
    }

    async fn list(
        &self,
        namespace: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let (namespace, prefix, after) = (namespace.clone(), prefix.clone(), after.cloned());
        self.shard
            .reading()
            .run(move |connection, now| read::list(connection, &namespace, &prefix, after.as_ref(), limit, now))
            .await
    }

    /// # Cancel safety
    /// A dropped call may still be applied; the same call with the same idempotency key tells.
    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        self.shard.reading().check()?;
        check_limits(&transaction)?;
        let (module, namespace) = (self.module.clone(), namespace.clone());
        self.shard.run(move |batch| module.apply(batch, &namespace, &transaction)).await
    }

    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        self.shard.reading().check()?;
        watch::start(self.shard.reading().clone(), self.module.signals(), namespace.clone(), prefix, from).await
    }
}

/// Refuses what is over a limit.
pub(crate) fn check_limits(transaction: &Transaction) -> Result<(), StoreError> {
    let Transaction { conditions, writes, idempotency, cause: _ } = transaction;
    let count = conditions.len() + writes.len();
    if count > limits::KV_TRANSACTION {
        let (measured, allowed) = (count as u64, limits::KV_TRANSACTION as u64);
        return Err(StoreError::TooMany { what: "conditions and writes", measured, allowed });
    }
    let within = |what, bytes: usize, allowed: types::ByteCount| {
        let (measured, allowed) = (bytes as u64, allowed.0);
        if measured > allowed { Err(StoreError::TooLarge { what, measured, allowed }) } else { Ok(()) }
    };
    let idempotency = idempotency.as_ref().map_or(0, |key| key.0.len());
    within("key", idempotency, limits::KV_KEY)?;
    let mut total = idempotency;
    for condition in conditions {
        within("key", condition.key().len(), limits::KV_KEY)?;
        total += condition.key().len();
    }
    for write in writes {
        within("key", write.key().len(), limits::KV_KEY)?;
        let value = if let Write::Put { value, .. } = write { value.len() } else { 0 };
        within("value", value, limits::KV_VALUE)?;
        total += write.key().len() + value;
    }
    within("transaction", total, limits::KV_TRANSACTION_BYTES)
}
