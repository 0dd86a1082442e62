//! Key-value stores on SQLite: one file, one thread that commits, many that read.
//!
//! `commit` hands a transaction to the commit thread ([`committer`]), which puts all that wait into one COMMIT: so one fsync serves many
//! callers. [`apply`] is what happens inside; [`read`] and [`watch`] use connections of their own; [`sweep`] removes what expired.

mod apply;
mod committer;
mod range;
mod read;
mod signals;
mod sweep;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ports::{BoxStream, Clock, Kv, StoreError};
use types::{
    kv::{Change, Committed, Entry, Namespace, Transaction, WatchFrom, Write},
    limits,
};

use crate::{
    failpoint::Failpoints,
    folder::Folder,
    sqlite::{self, Readers, Schema},
    stop::Stop,
};
use committer::Committer;
use signals::Signals;
use sweep::Sweeper;

const SCHEMA: Schema = Schema { version: 1, sql: include_str!("schema.sql") };

/// The key-value stores of one node.
pub(crate) struct KvStore {
    // Dropped in this order: the sweeper sends to the committer.
    sweeper: Sweeper,
    committer: Committer,
    reading: Arc<Reading>,
    _folder: Arc<Folder>,
}

/// What reading needs; watchers keep it beyond the store's own life.
pub(crate) struct Reading {
    readers: Arc<Readers>,
    signals: Arc<Signals>,
    clock: Arc<dyn Clock>,
    stop: Stop,
}

impl KvStore {
    pub(crate) fn open(
        folder: Arc<Folder>,
        clock: Arc<dyn Clock>,
        stop: Stop,
        failpoints: Failpoints,
    ) -> Result<Self, StoreError> {
        let path = folder.kv();
        let connection = sqlite::open_writer(&path, &SCHEMA)?;
        let signals = Arc::new(Signals::default());
        let watched = signals.clone();
        stop.on_stop(Box::new(move |_| watched.close()));
        let expiry = sweep::Expiry::new(clock.clone());
        let readers = Arc::new(Readers::new(&path));
        let shared = committer::Shared {
            clock: clock.clone(),
            readers: readers.clone(),
            signals: signals.clone(),
            expiry: expiry.clone(),
            stop: stop.clone(),
            failpoints,
        };
        let committer = Committer::start(connection, shared)?;
        let sweeper = Sweeper::start(expiry, committer.sender())?;
        let reading = Arc::new(Reading { readers, signals, clock, stop });
        Ok(Self { sweeper, committer, reading, _folder: folder })
    }
}

impl Drop for KvStore {
    fn drop(&mut self) {
        self.sweeper.close();
        self.committer.close();
        self.reading.signals.close();
    }
}

#[async_trait]
impl Kv for KvStore {
    // Point reads run on the calling thread: they take microseconds from mapped pages, less than handing them to another thread.
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError> {
        self.reading.stop.check()?;
        let now = self.reading.clock.now();
        self.reading.readers.with(|connection| read::entry(connection, namespace, key, now))
    }

    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError> {
        let (measured, allowed) = (keys.len() as u64, limits::KV_TRANSACTION as u64);
        if measured > allowed {
            return Err(StoreError::TooMany { what: "keys", measured, allowed });
        }
        let (namespace, keys) = (namespace.clone(), keys.to_vec());
        let found = self.reading.run(move |connection, now| read::entries(connection, &namespace, &keys, now)).await?;
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
        self.reading.run(move |connection, now| read::list(connection, &namespace, &prefix, after.as_ref(), limit, now)).await
    }

    /// # Cancel safety
    /// A dropped call may still be applied; the same call with the same idempotency key tells.
    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        self.reading.stop.check()?;
        check_limits(&transaction)?;
        self.committer.commit(namespace.clone(), transaction).await
    }

    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        self.reading.stop.check()?;
        watch::start(self.reading.clone(), namespace.clone(), prefix, from).await
    }
}

impl Reading {
    /// Runs a reading function of unknown length on a thread that may block.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&rusqlite::Connection, types::Timestamp) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.stop.check()?;
        let _permit = self.readers.permits.acquire().await.expect("the semaphore is never closed");
        let reading = self.clone();
        let now = self.clock.now();
        let task = tokio::task::spawn_blocking(move || reading.readers.with(|connection| read(connection, now)));
        task.await.unwrap_or_else(|error| Err(StoreError::Failed(format!("a reader did not finish: {error}"))))
    }
}

fn check_limits(transaction: &Transaction) -> Result<(), StoreError> {
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
