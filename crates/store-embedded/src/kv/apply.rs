//! What happens inside one COMMIT: transactions are checked and applied one after another, each seeing those before it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ports::{StoreError, feeds::FeedSource};
use rusqlite::{Connection, OptionalExtension as _, params};
use types::{
    Cause, Elapsed, Timestamp,
    event::StoreChange,
    kv::{Committed, Condition, IdempotencyKey, Namespace, Rev, Transaction, Write},
    limits,
};

use super::read::{self, sum};
use crate::{
    failpoint::{Passed, Point},
    feeds::FeedsModule,
    shard::{Applied, Batch, Tick},
    sqlite::{int, uint},
};

/// Entries that one sweep removes: it must not hold up callers for long.
const SWEEP_MAX: usize = 1_000;

/// The writer's view of all namespaces: what the file says plus what the open transaction did.
#[derive(Default)]
pub(super) struct Writer {
    namespaces: BTreeMap<Namespace, State>,
    /// Those that the open batch may have changed.
    dirty: BTreeSet<Namespace>,
}

#[derive(Clone, Copy)]
struct State {
    id: i64,
    rev: Rev,
    trimmed: Rev,
    /// Changes above `trimmed`, and the bytes of their keys and values.
    kept: u64,
    kept_bytes: u64,
    is_dirty: bool,
}

/// A present row of `kv`.
struct Present {
    n: i64,
    rev: Rev,
    expires: Option<i64>,
}

/// The open batch with what this module knows.
pub(super) struct Applying<'a, 'b> {
    pub(super) batch: &'a mut Batch<'b>,
    pub(super) writer: &'a mut Writer,
    pub(super) feeds: &'a FeedsModule,
    /// What the changes are caused by.
    pub(super) cause: Option<Cause>,
}

/// What was known of some namespaces, to go back to.
pub(crate) struct Mark(Vec<(Namespace, Option<State>)>);

impl Applying<'_, '_> {
    /// Applies a transaction whose limits were checked.
    pub(super) fn apply(&mut self, namespace: &Namespace, transaction: &Transaction) -> Applied<Committed> {
        let Transaction { conditions, writes, idempotency, cause: _ } = transaction;
        let mut state = self.state(namespace)?;
        let hash = idempotency.as_ref().map(|_| hash(conditions, writes));
        if let (Some(key), Some(hash)) = (idempotency, &hash)
            && let Some((first_hash, reply)) = self.recall(&state, key)?
        {
            return Ok(if first_hash == *hash { Ok(reply) } else { Err(StoreError::Conflict(key.0.clone())) });
        }
        let committed = match self.first_failed(&state, conditions)? {
            Some(condition) => Committed::Refused { condition },
            None => Committed::At(self.write(namespace, &mut state, writes)?),
        };
        if let (Some(key), Some(hash)) = (idempotency, &hash) {
            self.remember(&state, key, hash, committed)?;
        }
        self.writer.keep(namespace, state);
        Ok(Ok(committed))
    }

    /// Removes some of what expired, each removal at a revision of its own, and idempotency records that ran out.
    pub(super) fn sweep(&mut self) -> rusqlite::Result<Tick> {
        let mut due = self.batch.connection.prepare_cached(
            "SELECT ns.name, kv.key FROM kv JOIN ns ON ns.id = kv.ns WHERE kv.expires <= ?1 ORDER BY kv.expires LIMIT ?2",
        )?;
        let rows = due.query_map(params![self.time(), SWEEP_MAX as i64], |row| Ok((Namespace(row.get(0)?), row.get(1)?)))?;
        let due: Vec<(Namespace, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
        for (namespace, key) in &due {
            let mut state = self.state(namespace)?;
            self.expire(namespace, &mut state, key)?;
            self.writer.keep(namespace, state);
        }
        self.forget_replies()?;
        let mut next = self.batch.connection.prepare_cached("SELECT min(expires) FROM kv WHERE expires IS NOT NULL")?;
        let next: Option<i64> = next.query_one([], |row| row.get(0))?;
        let next_ns = next.map(|at| self.batch.mono_of(Timestamp::from_unix_ns(uint(at))));
        Ok(Tick { is_partial: due.len() == SWEEP_MAX, next_ns })
    }

    fn forget_replies(&self) -> rusqlite::Result<()> {
        // Looked at first, since a tick comes whenever anything is due: one row is cheap to see.
        let mut oldest = self.batch.connection.prepare_cached("SELECT until FROM idem ORDER BY n LIMIT 1")?;
        let oldest: Option<i64> = oldest.query_one([], |row| row.get(0)).optional()?;
        if oldest.is_none_or(|until| until > self.time()) {
            return Ok(());
        }
        self.batch
            .connection
            .prepare_cached(
                "DELETE FROM idem WHERE n IN (SELECT n FROM (SELECT n, until FROM idem ORDER BY n LIMIT ?2) WHERE until <= ?1)",
            )?
            .execute(params![self.time(), SWEEP_MAX as i64])?;
        Ok(())
    }

    /// Compacts what is too old, then writes the namespaces' own rows. Gives the namespaces that have changes.
    pub(super) fn finish(&mut self) -> rusqlite::Result<Vec<Namespace>> {
        let mut dirty: Vec<Namespace> = std::mem::take(&mut self.writer.dirty).into_iter().collect();
        // A unit that was undone leaves some that did not change after all.
        dirty.retain(|namespace| self.writer.namespaces.get(namespace).is_some_and(|state| state.is_dirty));
        for namespace in &dirty {
            let mut state = self.state(namespace)?;
            self.trim(&mut state)?;
            self.batch.connection.prepare_cached("UPDATE ns SET rev = ?2, trimmed = ?3 WHERE id = ?1")?.execute(params![
                state.id,
                int(state.rev.0),
                int(state.trimmed.0)
            ])?;
            state.is_dirty = false;
            self.writer.namespaces.insert(namespace.clone(), state);
        }
        Ok(dirty)
    }

    fn time(&self) -> i64 {
        self.batch.time()
    }

    fn state(&mut self, namespace: &Namespace) -> rusqlite::Result<State> {
        match self.writer.namespaces.get(namespace) {
            Some(state) => Ok(*state),
            None => load(self.batch.connection, namespace),
        }
    }

    fn recall(&self, state: &State, key: &IdempotencyKey) -> rusqlite::Result<Option<(blake3::Hash, Committed)>> {
        let mut query = self
            .batch
            .connection
            .prepare_cached("SELECT hash, rev, refused FROM idem WHERE ns = ?1 AND key = ?2 AND until > ?3")?;
        let found = query.query_one(params![state.id, key.0, self.time()], |row| {
            let hash = blake3::Hash::from_bytes(row.get(0)?);
            let (rev, refused): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            let reply = match refused {
                Some(condition) => Committed::Refused { condition: usize::try_from(condition).unwrap_or(0) },
                None => Committed::At(Rev(uint(rev.unwrap_or(0)))),
            };
            Ok((hash, reply))
        });
        found.optional()
    }

    fn remember(&self, state: &State, key: &IdempotencyKey, hash: &blake3::Hash, reply: Committed) -> rusqlite::Result<()> {
        if self.batch.failpoints.pass(Point::KvIdempotency) == Passed::Skip {
            return Ok(());
        }
        let (rev, refused) = match reply {
            Committed::At(rev) => (Some(int(rev.0)), None),
            Committed::Refused { condition } => (None, Some(condition as i64)),
        };
        let until = int(self.batch.now.plus(Elapsed::from(limits::KV_IDEMPOTENCY_TIME)).unix_ns());
        self.batch
            .connection
            .prepare_cached("INSERT OR REPLACE INTO idem (ns, key, hash, rev, refused, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![state.id, key.0, hash.as_bytes(), rev, refused, until])?;
        Ok(())
    }

    fn first_failed(&self, state: &State, conditions: &[Condition]) -> rusqlite::Result<Option<usize>> {
        for (index, condition) in conditions.iter().enumerate() {
            let present = self.present(state, condition.key())?.filter(|entry| !self.is_expired(entry));
            let holds = match condition {
                Condition::Absent(_) => present.is_none(),
                Condition::At(_, rev) => present.is_some_and(|entry| entry.rev == *rev),
            };
            if !holds {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn present(&self, state: &State, key: &[u8]) -> rusqlite::Result<Option<Present>> {
        let mut query = self.batch.connection.prepare_cached("SELECT n, rev, expires FROM kv WHERE ns = ?1 AND key = ?2")?;
        let row = query.query_one(params![state.id, key], |row| {
            Ok(Present { n: row.get(0)?, rev: Rev(uint(row.get(1)?)), expires: row.get(2)? })
        });
        row.optional()
    }

    fn is_expired(&self, entry: &Present) -> bool {
        entry.expires.is_some_and(|at| at <= self.time())
    }

    fn write(&mut self, namespace: &Namespace, state: &mut State, writes: &[Write]) -> rusqlite::Result<Rev> {
        // What expired and is now written again was gone before: watchers hear of that first.
        for write in writes {
            if self.present(state, write.key())?.is_some_and(|entry| self.is_expired(&entry)) {
                self.expire(namespace, state, write.key())?;
            }
        }
        state.rev.0 += 1;
        state.is_dirty = true;
        for write in writes {
            match write {
                Write::Put { key, value, expires } => {
                    self.put(namespace, state, key, (value, expires.map(|at| int(at.unix_ns()))))?;
                    if let Some(at) = expires {
                        let due = self.batch.mono_of(*at);
                        self.batch.wake_at(due);
                    }
                }
                Write::Delete { key } => self.delete(namespace, state, key, self.cause)?,
            }
        }
        Ok(state.rev)
    }

    fn expire(&mut self, namespace: &Namespace, state: &mut State, key: &[u8]) -> rusqlite::Result<()> {
        state.rev.0 += 1;
        state.is_dirty = true;
        self.delete(namespace, state, key, None)
    }

    fn put(
        &mut self,
        namespace: &Namespace,
        state: &mut State,
        key: &[u8],
        (value, expires): (&[u8], Option<i64>),
    ) -> rusqlite::Result<()> {
        let before = self.present(state, key)?;
        self.tell(namespace, state.rev, (key, before.as_ref(), Some(value)), self.cause)?;
        let n = self.note(state, key, Some(value), expires)?;
        self.batch
            .connection
            .prepare_cached("INSERT OR REPLACE INTO kv (ns, key, n, rev, expires) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![state.id, key, n, int(state.rev.0), expires])?;
        before.map_or(Ok(()), |before| self.retire(state, &before))
    }

    fn delete(&mut self, namespace: &Namespace, state: &mut State, key: &[u8], cause: Option<Cause>) -> rusqlite::Result<()> {
        let Some(before) = self.present(state, key)? else { return Ok(()) };
        self.tell(namespace, state.rev, (key, Some(&before), None), cause)?;
        self.note(state, key, None, None)?;
        self.batch.connection.prepare_cached("DELETE FROM kv WHERE ns = ?1 AND key = ?2")?.execute(params![state.id, key])?;
        self.retire(state, &before)
    }

    /// Enqueues a change of a key from one entry to another value for those who want it.
    fn tell(
        &mut self,
        namespace: &Namespace,
        rev: Rev,
        (key, before, new): (&[u8], Option<&Present>, Option<&[u8]>),
        cause: Option<Cause>,
    ) -> rusqlite::Result<()> {
        if !self.feeds.has_any(self.batch)? {
            return Ok(());
        }
        let source = FeedSource::Kv(namespace.clone());
        let queues = self.feeds.matching(self.batch, &source, &String::from_utf8_lossy(key), new.is_some())?;
        if queues.is_empty() {
            return Ok(());
        }
        let old = before.map_or(Ok(None), |before| read::value(self.batch.connection, before.n))?;
        let (key, new) = (Bytes::copy_from_slice(key), new.map(Bytes::copy_from_slice));
        let change = StoreChange::Kv { key, old, new, rev, at: self.batch.now };
        self.feeds.enqueue(self.batch, &queues, &change, cause)
    }

    /// Adds a change at the present revision; gives its row.
    fn note(&self, state: &mut State, key: &[u8], value: Option<&[u8]>, expires: Option<i64>) -> rusqlite::Result<i64> {
        let sum = sum(state.rev, expires, key, value);
        self.batch
            .connection
            .prepare_cached("INSERT INTO change (ns, rev, expires, sum, key, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![state.id, int(state.rev.0), expires, sum, key, value])?;
        state.kept += 1;
        state.kept_bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        Ok(self.batch.connection.last_insert_rowid())
    }

    /// A value that is present no more is kept for watchers only above `trimmed`.
    fn retire(&self, state: &State, before: &Present) -> rusqlite::Result<()> {
        if before.rev <= state.trimmed {
            self.batch.connection.prepare_cached("DELETE FROM change WHERE n = ?1")?.execute([before.n])?;
        }
        Ok(())
    }

    /// Forgets the oldest changes until the namespace is within its bounds; never a part of a revision, never the newest one.
    fn trim(&self, state: &mut State) -> rusqlite::Result<()> {
        let is_over = |state: &State| state.kept > limits::KV_CHANGES as u64 || state.kept_bytes > limits::KV_CHANGE_BYTES.0;
        if !is_over(state) {
            return Ok(());
        }
        let from = state.trimmed;
        let mut oldest = self.batch.connection.prepare_cached(
            "SELECT rev, count(*), sum(length(key) + ifnull(length(value), 0)) FROM change WHERE ns = ?1 AND rev > ?2 AND rev < ?3
             GROUP BY rev ORDER BY rev",
        )?;
        let mut rows = oldest.query(params![state.id, int(from.0), int(state.rev.0)])?;
        while let Some(row) = rows.next()?.filter(|_| is_over(state)) {
            state.trimmed = Rev(uint(row.get(0)?));
            state.kept = state.kept.saturating_sub(uint(row.get(1)?));
            state.kept_bytes = state.kept_bytes.saturating_sub(uint(row.get(2)?));
        }
        self.batch
            .connection
            .prepare_cached(
                "DELETE FROM change WHERE ns = ?1 AND rev > ?2 AND rev <= ?3
                 AND NOT EXISTS (SELECT 1 FROM kv WHERE kv.ns = change.ns AND kv.key = change.key AND kv.n = change.n)",
            )?
            .execute(params![state.id, int(from.0), int(state.trimmed.0)])?;
        Ok(())
    }
}

impl Writer {
    fn keep(&mut self, namespace: &Namespace, state: State) {
        if state.is_dirty && !self.dirty.contains(namespace) {
            self.dirty.insert(namespace.clone());
        }
        match self.namespaces.get_mut(namespace) {
            Some(kept) => *kept = state,
            None => drop(self.namespaces.insert(namespace.clone(), state)),
        }
    }

    pub(super) fn mark<'a>(&self, namespaces: impl Iterator<Item = &'a Namespace>) -> Mark {
        Mark(namespaces.map(|namespace| (namespace.clone(), self.namespaces.get(namespace).copied())).collect())
    }

    pub(super) fn undo(&mut self, mark: Mark) {
        for (namespace, state) in mark.0 {
            match state {
                Some(state) => drop(self.namespaces.insert(namespace, state)),
                None => drop(self.namespaces.remove(&namespace)),
            }
        }
    }

    /// Forgets what the file has not: the batch was rolled back.
    pub(super) fn reset(&mut self) {
        self.namespaces.clear();
        self.dirty.clear();
    }
}

/// Reads a namespace's state, and makes its row if this is its first write.
fn load(connection: &Connection, namespace: &Namespace) -> rusqlite::Result<State> {
    connection.prepare_cached("INSERT OR IGNORE INTO ns (name, rev, trimmed) VALUES (?1, 0, 0)")?.execute([&namespace.0])?;
    let mut query = connection.prepare_cached("SELECT id, rev, trimmed FROM ns WHERE name = ?1")?;
    let (id, rev, trimmed): (i64, i64, i64) =
        query.query_one([&namespace.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut query = connection.prepare_cached(
        "SELECT count(*), ifnull(sum(length(key) + ifnull(length(value), 0)), 0) FROM change WHERE ns = ?1 AND rev > ?2",
    )?;
    let (kept, kept_bytes): (i64, i64) = query.query_one(params![id, trimmed], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (kept, kept_bytes) = (uint(kept), uint(kept_bytes));
    Ok(State { id, rev: Rev(uint(rev)), trimmed: Rev(uint(trimmed)), kept, kept_bytes, is_dirty: false })
}

/// Tells two transactions apart that come with the same idempotency key.
fn hash(conditions: &[Condition], writes: &[Write]) -> blake3::Hash {
    let bytes = postcard::to_stdvec(&(conditions, writes)).expect("plain data in memory always serializes");
    blake3::hash(&bytes)
}
