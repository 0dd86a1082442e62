//! Makes repeated calls harmless: the first reply to an idempotency key is kept in the transaction that it tells of.

use ports::StoreError;
use rusqlite::{OptionalExtension as _, params};
use serde::{Serialize, de::DeserializeOwned};
use types::{Elapsed, kv::IdempotencyKey, limits};

use super::{Applied, Batch};
use crate::{
    failpoint::{Passed, Point},
    sqlite::{damaged, int},
};

/// Expired records that one tick removes.
const SWEEP_MAX: i64 = 1_000;

/// Which calls an idempotency key is about. Keys of different kinds or places have nothing to do with one another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The kind of call, and what it was about: `enqueue shop/dev/mail`.
    pub(crate) name: &'a str,
    /// The key.
    pub(crate) key: &'a IdempotencyKey,
    /// Tells two calls apart that come with the same key.
    pub(crate) hash: &'a blake3::Hash,
}

/// The hash of what a call asks for.
pub(crate) fn hash(call: &impl Serialize) -> blake3::Hash {
    blake3::hash(&postcard::to_stdvec(call).expect("plain data in memory always serializes"))
}

/// Refuses a key that is over the limit.
pub(crate) fn check_key(key: &IdempotencyKey) -> Result<(), StoreError> {
    let (measured, allowed) = (key.0.len() as u64, limits::KV_KEY.0);
    if measured > allowed { Err(StoreError::TooLarge { what: "key", measured, allowed }) } else { Ok(()) }
}

/// Does it, or gives the first reply again. What is refused is done anew each time.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    batch: &mut Batch<'_>,
    scope: Scope<'_>,
    work: impl FnOnce(&mut Batch<'_>) -> Applied<T>,
) -> Applied<T> {
    match recall(batch, scope)? {
        Ok(None) => {}
        Ok(Some(reply)) => return Ok(Ok(reply)),
        Err(conflict) => return Ok(Err(conflict)),
    }
    let outcome = work(batch)?;
    if let Ok(reply) = &outcome {
        remember(batch, scope, reply)?;
    }
    Ok(outcome)
}

/// The first reply, if this call was answered before.
///
/// # Errors
/// `Conflict` if the key came with another call.
pub(crate) fn recall<T: DeserializeOwned>(batch: &Batch<'_>, scope: Scope<'_>) -> Applied<Option<T>> {
    let mut query =
        batch.connection.prepare_cached("SELECT hash, body FROM reply WHERE scope = ?1 AND key = ?2 AND until > ?3")?;
    let found: Option<([u8; 32], Vec<u8>)> =
        query.query_one(params![scope.name, scope.key.0, batch.time()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((hash, body)) = found else { return Ok(Ok(None)) };
    if blake3::Hash::from_bytes(hash) != *scope.hash {
        return Ok(Err(StoreError::Conflict(scope.key.0.clone())));
    }
    let reply = postcard::from_bytes(&body).map_err(|error| damaged(format!("a kept reply can't be read: {error}")))?;
    Ok(Ok(Some(reply)))
}

/// Keeps the reply for `limits::KV_IDEMPOTENCY_TIME`.
pub(crate) fn remember(batch: &Batch<'_>, scope: Scope<'_>, reply: &impl Serialize) -> rusqlite::Result<()> {
    if batch.failpoints.pass(Point::ReplyRecord) == Passed::Skip {
        return Ok(());
    }
    let body = postcard::to_stdvec(reply).expect("plain data in memory always serializes");
    let until = int(batch.now.plus(Elapsed::from(limits::KV_IDEMPOTENCY_TIME)).unix_ns());
    batch
        .connection
        .prepare_cached("INSERT OR REPLACE INTO reply (scope, key, hash, body, until) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![scope.name, scope.key.0, scope.hash.as_bytes(), body, until])?;
    Ok(())
}

/// Removes records that ran out, oldest first; those behind one that has not wait for it.
pub(crate) fn sweep(batch: &Batch<'_>) -> rusqlite::Result<()> {
    // Looked at first, since a tick comes whenever anything is due: one row is cheap to see.
    let mut oldest = batch.connection.prepare_cached("SELECT until FROM reply ORDER BY n LIMIT 1")?;
    let oldest: Option<i64> = oldest.query_one([], |row| row.get(0)).optional()?;
    if oldest.is_none_or(|until| until > batch.time()) {
        return Ok(());
    }
    batch
        .connection
        .prepare_cached(
            "DELETE FROM reply WHERE n IN (SELECT n FROM (SELECT n, until FROM reply ORDER BY n LIMIT ?2) WHERE until <= ?1)",
        )?
        .execute(params![batch.time(), SWEEP_MAX])?;
    Ok(())
}
