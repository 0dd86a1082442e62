//! Key-value writes that are held: laid over the store for the function's own reads, checked as the store would check them.
//!
//! A condition on a key that the function has written is decided here. One on any other key is looked at in the store at once, so that the
//! function learns what it would learn, and is kept as a condition of the unit with the revision that held: a value that was read, counted
//! up and swapped makes the unit fail if somebody else changed it before the commit.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{BoxStream, Clock, Kv, StoreError};
use types::{
    Cause, Timestamp,
    kv::{Change, Committed, Condition, Entry, Namespace, Transaction, WatchFrom, Write},
    limits,
};

use super::Held;

/// What is held for one store.
#[derive(Default)]
pub(super) struct Overlay {
    writes: BTreeMap<Bytes, HeldWrite>,
    conditions: BTreeMap<Bytes, Condition>,
}

/// The last write of a key.
#[derive(Clone)]
enum HeldWrite {
    Put(Entry),
    Delete,
}

impl HeldWrite {
    /// What the function reads now.
    fn entry(&self, now: Timestamp) -> Option<Entry> {
        match self {
            Self::Put(entry) if entry.expires.is_none_or(|at| at > now) => Some(entry.clone()),
            Self::Put(_) | Self::Delete => None,
        }
    }
}

impl Overlay {
    fn read(&self, key: &Bytes, now: Timestamp) -> Option<Option<Entry>> {
        self.writes.get(key).map(|write| write.entry(now))
    }

    /// The transactions that do all of it, each within the limits of one; a key's condition and write stay together.
    pub(super) fn into_transactions(self, cause: Cause) -> Vec<Transaction> {
        let Self { writes, mut conditions } = self;
        let mut all = Chunks { cause, done: Vec::new(), open: Transaction::default(), bytes: 0 };
        for (key, write) in writes {
            let condition = conditions.remove(&key);
            let write = match write {
                HeldWrite::Put(Entry { value, expires, .. }) => Write::Put { key, value, expires },
                HeldWrite::Delete => Write::Delete { key },
            };
            all.add(condition, Some(write));
        }
        conditions.into_values().for_each(|condition| all.add(Some(condition), None));
        all.finish()
    }
}

/// Transactions that are being filled.
struct Chunks {
    cause: Cause,
    done: Vec<Transaction>,
    open: Transaction,
    bytes: u64,
}

impl Chunks {
    fn add(&mut self, condition: Option<Condition>, write: Option<Write>) {
        let bytes =
            write.as_ref().map_or(0, write_bytes) + condition.as_ref().map_or(0, |condition| condition.key().len() as u64);
        let count = self.open.conditions.len() + self.open.writes.len() + 2;
        if count > limits::KV_TRANSACTION || self.bytes + bytes > limits::KV_TRANSACTION_BYTES.0 {
            self.close();
        }
        self.bytes += bytes;
        self.open.conditions.extend(condition);
        self.open.writes.extend(write);
    }
    fn close(&mut self) {
        let mut full = std::mem::take(&mut self.open);
        self.bytes = 0;
        if !full.conditions.is_empty() || !full.writes.is_empty() {
            full.cause = Some(self.cause);
            self.done.push(full);
        }
    }
    fn finish(mut self) -> Vec<Transaction> {
        self.close();
        self.done
    }
}

/// A key-value store whose writes are held.
pub(crate) struct HeldKv {
    pub(crate) inner: Arc<dyn Kv>,
    pub(crate) held: Arc<Held>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl HeldKv {
    /// What is held for the keys: nothing for those that the function has not written.
    fn own(&self, namespace: &Namespace, keys: &[Bytes]) -> Vec<Option<Option<Entry>>> {
        let now = self.clock.now();
        let state = self.held.0.lock();
        let overlay = state.stores.get(namespace);
        keys.iter().map(|key| overlay.and_then(|overlay| overlay.read(key, now))).collect()
    }

    /// The index of the first condition that does not hold, as of now.
    async fn failed(&self, namespace: &Namespace, conditions: &[Condition]) -> Result<Option<usize>, StoreError> {
        let keys: Vec<Bytes> = conditions.iter().map(|condition| condition.key().clone()).collect();
        let present = self.get_many(namespace, &keys).await?;
        Ok(conditions.iter().zip(present).position(|(condition, present)| !holds(condition, present.as_ref())))
    }

    /// Lays the writes over, and keeps the conditions on keys that were not written. Those on keys that were are looked at once more:
    /// another call of the function may have written them while this one asked the store.
    fn hold(&self, namespace: &Namespace, conditions: Vec<Condition>, writes: Vec<Write>) -> Result<Committed, StoreError> {
        let now = self.clock.now();
        let mut state = self.held.0.lock();
        let state = state.open()?;
        if let Some(overlay) = state.stores.get(namespace) {
            let own = |condition: &Condition| overlay.read(condition.key(), now);
            let fails = |condition: &Condition| own(condition).is_some_and(|own| !holds(condition, own.as_ref()));
            if let Some(condition) = conditions.iter().position(fails) {
                return Ok(Committed::Refused { condition });
            }
        }
        let bytes = writes.iter().map(write_bytes).sum();
        state.weight.add(conditions.len() + writes.len(), bytes)?;
        let rev = state.next_rev();
        let overlay = state.stores.entry(namespace.clone()).or_default();
        for condition in conditions {
            let key = condition.key().clone();
            if !overlay.writes.contains_key(&key) {
                overlay.conditions.entry(key).or_insert(condition);
            }
        }
        for write in writes {
            let (key, held) = match write {
                Write::Put { key, value, expires } => (key.clone(), HeldWrite::Put(Entry { key, value, rev, expires })),
                Write::Delete { key } => (key, HeldWrite::Delete),
            };
            overlay.writes.insert(key, held);
        }
        Ok(Committed::At(rev))
    }

    /// A page of the store with what is held laid over it. `page` begins after `after` and ends the listing if it is the last.
    fn merged(&self, namespace: &Namespace, prefix: &Bytes, after: Option<&Bytes>, page: Vec<Entry>, last: bool) -> Vec<Entry> {
        let now = self.clock.now();
        let end = if last { None } else { page.last().map(|entry| entry.key.clone()) };
        let mut merged: BTreeMap<Bytes, Entry> = page.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let state = self.held.0.lock();
        let Some(overlay) = state.stores.get(namespace) else { return merged.into_values().collect() };
        let begin = std::ops::Bound::Included(prefix.clone());
        let own = overlay.writes.range((begin, std::ops::Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        let within = |key: &Bytes| after.is_none_or(|after| key > after) && end.as_ref().is_none_or(|end| key <= end);
        for (key, write) in own.filter(|(key, _)| within(key)) {
            match write.entry(now) {
                Some(entry) => merged.insert(key.clone(), entry),
                None => merged.remove(key),
            };
        }
        merged.into_values().collect()
    }
}

#[async_trait]
impl Kv for HeldKv {
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError> {
        match self.own(namespace, std::slice::from_ref(key)).pop().flatten() {
            Some(own) => Ok(own),
            None => self.inner.get(namespace, key).await,
        }
    }

    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError> {
        let own = self.own(namespace, keys);
        let others: Vec<Bytes> = keys.iter().zip(&own).filter(|(_, own)| own.is_none()).map(|(key, _)| key.clone()).collect();
        let mut stored = if others.is_empty() { Vec::new() } else { self.inner.get_many(namespace, &others).await? }.into_iter();
        Ok(own.into_iter().map(|own| own.unwrap_or_else(|| stored.next().flatten())).collect())
    }

    async fn list(
        &self,
        namespace: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        let mut after = after.cloned();
        // Pages of the store, until enough is left of them: what is held may have removed all of a page.
        while found.len() < limit {
            let page = self.inner.list(namespace, prefix, after.as_ref(), limit).await?;
            let last = page.len() < limit;
            let next = page.last().map(|entry| entry.key.clone());
            found.extend(self.merged(namespace, prefix, after.as_ref(), page, last));
            if last {
                break;
            }
            after = next;
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        check(&transaction)?;
        let Transaction { conditions, writes, idempotency: _, cause: _ } = transaction;
        if !conditions.is_empty()
            && let Some(condition) = self.failed(namespace, &conditions).await?
        {
            return Ok(Committed::Refused { condition });
        }
        self.hold(namespace, conditions, writes)
    }

    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        self.inner.watch(namespace, prefix, from).await
    }
}

fn holds(condition: &Condition, present: Option<&Entry>) -> bool {
    match condition {
        Condition::Absent(_) => present.is_none(),
        Condition::At(_, rev) => present.is_some_and(|entry| entry.rev == *rev),
    }
}

fn write_bytes(write: &Write) -> u64 {
    match write {
        Write::Put { key, value, .. } => (key.len() + value.len()) as u64,
        Write::Delete { key } => key.len() as u64,
    }
}

/// # Errors
/// What the store would say of a transaction that is over the limits: better now than at the commit.
fn check(transaction: &Transaction) -> Result<(), StoreError> {
    let too_large = |what, measured: u64, allowed: u64| {
        if measured > allowed { Err(StoreError::TooLarge { what, measured, allowed }) } else { Ok(()) }
    };
    let Transaction { conditions, writes, .. } = transaction;
    let (measured, allowed) = ((conditions.len() + writes.len()) as u64, limits::KV_TRANSACTION as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "writes and conditions", measured, allowed });
    }
    let keys = conditions.iter().map(Condition::key).chain(writes.iter().map(Write::key));
    for key in keys {
        too_large("key", key.len() as u64, limits::KV_KEY.0)?;
    }
    for write in writes {
        if let Write::Put { value, .. } = write {
            too_large("value", value.len() as u64, limits::KV_VALUE.0)?;
        }
    }
    too_large("transaction", writes.iter().map(write_bytes).sum(), limits::KV_TRANSACTION_BYTES.0)
}
