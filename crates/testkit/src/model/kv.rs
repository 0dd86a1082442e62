//! Key-value stores in memory, and the flaws that a suite must notice.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use parking_lot::Mutex;
use ports::{BoxStream, Clock, Kv, StoreError};
use tokio::sync::watch;
use types::{
    ByteCount, Elapsed, Timestamp,
    kv::{Change, Committed, Condition, Entry, IdempotencyKey, Namespace, Rev, Transaction, WatchFrom, Write},
    limits,
};

/// What can be wrong with a key-value store. A suite that passes with a flaw is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Conditions are not checked.
    IgnoresConditions,
    /// A repeated call is done again.
    ForgetsReplies,
    /// Revisions are handed out before the commit, so they become visible out of order.
    RevsBeforeCommit,
    /// The writes of one transaction get a revision each.
    SplitsTransactions,
    /// Expired entries are not read, but no watcher hears of them.
    ExpiresInSilence,
    /// Expired entries can still be read.
    NeverExpires,
    /// A watcher that asks for compacted changes gets what is left of them.
    HidesCompaction,
    /// A prefix that ends in 0xff covers nothing.
    MissesHighKeys,
    /// Limits are not checked.
    IgnoresLimits,
}

/// Key-value stores in maps.
pub struct ModelKv {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    flaw: Option<Flaw>,
}

/// What was in all stores at one moment.
pub(super) struct Mark(BTreeMap<Namespace, Store>);

struct Shared {
    stores: Mutex<BTreeMap<Namespace, Store>>,
    news: watch::Sender<()>,
    flaw: Option<Flaw>,
}

#[derive(Clone, Default)]
struct Store {
    rev: Rev,
    trimmed: Rev,
    entries: BTreeMap<Bytes, Entry>,
    /// Changes above `trimmed`, oldest first.
    changes: Vec<Change>,
    replies: BTreeMap<String, Reply>,
}

#[derive(Clone)]
struct Reply {
    to: (Vec<Condition>, Vec<Write>),
    is: Committed,
    until: Timestamp,
}

impl ModelKv {
    /// A model without flaws.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_flaw(clock, None)
    }

    /// A model with a flaw, to try a suite on.
    #[must_use]
    pub fn with_flaw(clock: Arc<dyn Clock>, flaw: Option<Flaw>) -> Self {
        let shared = Shared { stores: Mutex::default(), news: watch::Sender::new(()), flaw };
        Self { clock, shared: Arc::new(shared), flaw }
    }

    /// All stores as they are, to go back to.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.shared.stores.lock().clone())
    }

    /// All stores as they were.
    pub(super) fn undo(&self, mark: Mark) {
        *self.shared.stores.lock() = mark.0;
    }

    /// Looks at a store as of now: what expired is gone.
    fn with<T>(&self, namespace: &Namespace, look: impl FnOnce(&mut Store) -> T) -> T {
        let mut stores = self.shared.stores.lock();
        let store = stores.entry(namespace.clone()).or_default();
        if store.expire(self.clock.now(), self.flaw) {
            self.shared.news.send_replace(());
        }
        look(store)
    }
}

impl Store {
    /// Whether anything expired.
    fn expire(&mut self, now: Timestamp, flaw: Option<Flaw>) -> bool {
        if flaw == Some(Flaw::NeverExpires) {
            return false;
        }
        let due = |entry: &&Entry| entry.expires.is_some_and(|at| at <= now);
        let due: Vec<Bytes> = self.entries.values().filter(due).map(|entry| entry.key.clone()).collect();
        for key in &due {
            self.rev.0 += 1;
            self.entries.remove(key);
            if flaw != Some(Flaw::ExpiresInSilence) {
                self.changes.push(Change::Delete { key: key.clone(), rev: self.rev });
            }
        }
        !due.is_empty()
    }

    fn failed(&self, conditions: &[Condition]) -> Option<usize> {
        conditions.iter().position(|condition| match condition {
            Condition::Absent(key) => self.entries.contains_key(key),
            Condition::At(key, rev) => self.entries.get(key).is_none_or(|entry| entry.rev != *rev),
        })
    }

    fn apply(&mut self, rev: Rev, write: &Write) {
        match write.clone() {
            Write::Put { key, value, expires } => {
                let entry = Entry { key: key.clone(), value, rev, expires };
                self.entries.insert(key, entry.clone());
                self.changes.push(Change::Put(entry));
            }
            Write::Delete { key } => {
                if self.entries.remove(&key).is_some() {
                    self.changes.push(Change::Delete { key, rev });
                }
            }
        }
    }

    /// Compacts by whole revisions, never the newest.
    fn trim(&mut self) {
        let size = |change: &Change| match change {
            Change::Put(entry) => entry.key.len() + entry.value.len(),
            Change::Delete { key, .. } => key.len(),
            _ => 0,
        };
        let mut bytes: usize = self.changes.iter().map(size).sum();
        let mut gone = 0;
        while (self.changes.len() - gone > limits::KV_CHANGES || bytes > limits::KV_CHANGE_BYTES.as_usize())
            && self.changes.get(gone).is_some_and(|oldest| rev_of(oldest) < self.rev)
        {
            let oldest = rev_of(&self.changes[gone]);
            while self.changes.get(gone).is_some_and(|change| rev_of(change) == oldest) {
                bytes -= size(&self.changes[gone]);
                gone += 1;
            }
            self.trimmed = oldest;
        }
        self.changes.drain(..gone);
    }

    fn recall(&self, key: &IdempotencyKey, now: Timestamp) -> Option<&Reply> {
        self.replies.get(&key.0).filter(|reply| reply.until > now)
    }
}

fn rev_of(change: &Change) -> Rev {
    match change {
        Change::Put(entry) => entry.rev,
        Change::Delete { rev, .. } | Change::CaughtUp(rev) => *rev,
        Change::Compacted => Rev::default(),
    }
}

fn key_of(change: &Change) -> &[u8] {
    match change {
        Change::Put(entry) => &entry.key,
        Change::Delete { key, .. } => key,
        Change::CaughtUp(_) | Change::Compacted => b"",
    }
}

#[async_trait]
impl Kv for ModelKv {
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError> {
        Ok(self.with(namespace, |store| store.entries.get(key).cloned()))
    }

    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError> {
        let (measured, allowed) = (keys.len() as u64, limits::KV_TRANSACTION as u64);
        if measured > allowed {
            return Err(StoreError::TooMany { what: "keys", measured, allowed });
        }
        let found: Vec<Option<Entry>> =
            self.with(namespace, |store| keys.iter().map(|key| store.entries.get(key).cloned()).collect());
        let measured = found.iter().flatten().map(|entry| entry.value.len() as u64).sum();
        let allowed = limits::KV_TRANSACTION_BYTES.0;
        if measured > allowed { Err(StoreError::TooLarge { what: "values", measured, allowed }) } else { Ok(found) }
    }

    async fn list(
        &self,
        namespace: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        if self.flaw == Some(Flaw::MissesHighKeys) && prefix.ends_with(&[0xff]) {
            return Ok(Vec::new());
        }
        let is_wanted = |entry: &&Entry| entry.key.starts_with(prefix) && after.is_none_or(|after| entry.key > after);
        Ok(self.with(namespace, |store| store.entries.values().filter(is_wanted).take(limit).cloned().collect()))
    }

    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        if self.flaw != Some(Flaw::IgnoresLimits) {
            check_limits(&transaction)?;
        }
        if self.flaw == Some(Flaw::RevsBeforeCommit) {
            return self.commit_late(namespace, &transaction).await;
        }
        let now = self.clock.now();
        let outcome = self.with(namespace, |store| commit(store, &transaction, now, self.flaw));
        self.shared.news.send_replace(());
        outcome
    }

    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        let news = self.shared.news.subscribe();
        let (cursor, ready) = match from {
            WatchFrom::After(rev) => (rev, Vec::new()),
            WatchFrom::Snapshot => self.with(namespace, |store| {
                let present = store.entries.values().filter(|entry| entry.key.starts_with(&prefix));
                (store.rev, present.cloned().map(Change::Put).collect())
            }),
        };
        let (clock, shared) = (self.clock.clone(), self.shared.clone());
        let ready = ready.into_iter().rev().collect();
        let watcher = Watcher {
            clock,
            shared,
            news,
            namespace: namespace.clone(),
            prefix,
            cursor,
            ready,
            is_live: false,
            has_ended: false,
        };
        Ok(Box::pin(stream::unfold(watcher, |mut watcher| async move {
            let change = watcher.next().await?;
            Some((change, watcher))
        })))
    }
}

impl ModelKv {
    /// The flaw: another commit can be seen between the moment when the revision is taken and the one when it is used.
    async fn commit_late(&self, namespace: &Namespace, transaction: &Transaction) -> Result<Committed, StoreError> {
        let rev = self.with(namespace, |store| {
            store.rev.0 += 1;
            store.rev
        });
        let turns = rev.0 % 7;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.with(namespace, |store| transaction.writes.iter().for_each(|write| store.apply(rev, write)));
        self.shared.news.send_replace(());
        Ok(Committed::At(rev))
    }
}

fn commit(store: &mut Store, transaction: &Transaction, now: Timestamp, flaw: Option<Flaw>) -> Result<Committed, StoreError> {
    let Transaction { conditions, writes, idempotency, cause: _ } = transaction;
    let idempotency = idempotency.as_ref().filter(|_| flaw != Some(Flaw::ForgetsReplies));
    if let Some(key) = idempotency
        && let Some(Reply { to, is, .. }) = store.recall(key, now)
    {
        let is_same = to.0 == *conditions && to.1 == *writes;
        return if is_same { Ok(*is) } else { Err(StoreError::Conflict(key.0.clone())) };
    }
    let failed = store.failed(conditions).filter(|_| flaw != Some(Flaw::IgnoresConditions));
    let committed = match failed {
        Some(condition) => Committed::Refused { condition },
        None => {
            store.rev.0 += 1;
            for write in writes {
                store.apply(store.rev, write);
                store.rev.0 += u64::from(flaw == Some(Flaw::SplitsTransactions));
            }
            store.trim();
            Committed::At(store.rev)
        }
    };
    if let Some(key) = idempotency {
        let until = now.plus(Elapsed::from(limits::KV_IDEMPOTENCY_TIME));
        let to = (conditions.clone(), writes.clone());
        store.replies.insert(key.0.clone(), Reply { to, is: committed, until });
    }
    Ok(committed)
}

fn check_limits(transaction: &Transaction) -> Result<(), StoreError> {
    let Transaction { conditions, writes, idempotency, cause: _ } = transaction;
    let (measured, allowed) = ((conditions.len() + writes.len()) as u64, limits::KV_TRANSACTION as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "conditions and writes", measured, allowed });
    }
    let keys = conditions.iter().map(|condition| condition.key().len()).chain(writes.iter().map(|write| write.key().len()));
    let keys = keys.chain(idempotency.iter().map(|key| key.0.len())).map(|size| ("key", size, limits::KV_KEY));
    let values = writes.iter().filter_map(|write| match write {
        Write::Put { value, .. } => Some(("value", value.len(), limits::KV_VALUE)),
        Write::Delete { .. } => None,
    });
    let parts: Vec<(&'static str, usize, ByteCount)> = keys.chain(values).collect();
    let total = ("transaction", parts.iter().map(|(_, size, _)| size).sum(), limits::KV_TRANSACTION_BYTES);
    for (what, size, allowed) in parts.into_iter().chain([total]) {
        if size > allowed.as_usize() {
            return Err(StoreError::TooLarge { what, measured: size as u64, allowed: allowed.0 });
        }
    }
    Ok(())
}

struct Watcher {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    news: watch::Receiver<()>,
    namespace: Namespace,
    prefix: Bytes,
    cursor: Rev,
    /// What comes next is last.
    ready: Vec<Change>,
    is_live: bool,
    has_ended: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<Change> {
        while !self.has_ended {
            if let Some(change) = self.ready.pop() {
                return Some(change);
            }
            let expires = self.read();
            if self.ready.is_empty() {
                self.wait(expires).await;
            }
        }
        self.ready.pop()
    }

    /// Takes all changes above the cursor; gives when the next entry expires.
    fn read(&mut self) -> Option<Timestamp> {
        self.news.mark_unchanged();
        let mut stores = self.shared.stores.lock();
        let store = stores.entry(self.namespace.clone()).or_default();
        store.expire(self.clock.now(), self.shared.flaw);
        if self.cursor < store.trimmed && self.shared.flaw != Some(Flaw::HidesCompaction) {
            (self.has_ended, self.ready) = (true, vec![Change::Compacted]);
            return None;
        }
        let is_new = |change: &&Change| rev_of(change) > self.cursor && key_of(change).starts_with(&self.prefix);
        self.ready = store.changes.iter().filter(is_new).cloned().collect();
        self.cursor = self.cursor.max(store.rev);
        if !std::mem::replace(&mut self.is_live, true) {
            self.ready.push(Change::CaughtUp(self.cursor));
        }
        self.ready.reverse();
        store.entries.values().filter_map(|entry| entry.expires).min()
    }

    async fn wait(&mut self, expires: Option<Timestamp>) {
        let until = expires.map_or(u64::MAX, |at| self.clock.monotonic_ns().saturating_add(at.since(self.clock.now()).ns()));
        tokio::select! {
            news = self.news.changed() => self.has_ended = news.is_err(),
            () = self.clock.sleep_until(until) => {}
        }
    }
}
