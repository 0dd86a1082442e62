//! Enqueueing: limits at the door, deduplication, and the messages themselves.

use std::collections::HashMap;

use ports::{
    StoreError,
    queue::{Enqueued, Message, MessageId, QueueName},
};
use rusqlite::{OptionalExtension as _, params};
use types::{Elapsed, limits};

use super::{
    line::{Hold, Known},
    memory::Memory,
    module::{QueueModule, next_id, rooted},
    retention, row,
};
use crate::{
    failpoint::{Passed, Point},
    shard::{Applied, Batch},
    sqlite::{int, uint},
};

/// Refuses what is over a limit.
pub(crate) fn check_limits(messages: &[Message]) -> Result<(), StoreError> {
    let (measured, allowed) = (messages.len() as u64, limits::EVENT_BATCH as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "messages", measured, allowed });
    }
    messages.iter().try_for_each(check_message)
}

/// Refuses one that is over a limit.
pub(crate) fn check_message(message: &Message) -> Result<(), StoreError> {
    let Message { body, delay, dedup, group, attributes, cause: _ } = message;
    let measured = (body.len() + attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()) as u64;
    if measured > limits::EVENT.0 {
        return Err(StoreError::TooLarge { what: "event", measured, allowed: limits::EVENT.0 });
    }
    let longest = dedup.iter().chain(group).map(|key| key.len() as u64).max().unwrap_or(0);
    if longest > limits::KV_KEY.0 {
        return Err(StoreError::TooLarge { what: "key", measured: longest, allowed: limits::KV_KEY.0 });
    }
    if *delay > limits::QUEUE_DELAY {
        let (measured, allowed) = (Elapsed::from(*delay), Elapsed::from(limits::QUEUE_DELAY));
        return Err(StoreError::Denied(format!("a delay of {measured}, allowed {allowed}")));
    }
    if group.is_some() && !delay.is_zero() {
        return Err(StoreError::Denied("a message of a group can't have a delay: those behind it would overtake it".into()));
    }
    Ok(())
}

/// What deduplication says of a message.
enum Fate {
    New,
    /// Stored before, under this number.
    Stored(u64),
    /// The same as an earlier one of this call.
    Same(usize),
}

impl QueueModule {
    /// Stores all of the messages, whose limits were checked, or refuses before it has written anything.
    pub(crate) fn enqueue(&self, batch: &mut Batch<'_>, queue: &QueueName, messages: &[Message]) -> Applied<Vec<Enqueued>> {
        let mut memory = self.memory(batch)?;
        let fates = match fates(batch, &memory, queue, messages)? {
            Ok(fates) => fates,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut enqueued: Vec<Enqueued> = Vec::with_capacity(messages.len());
        for (message, fate) in messages.iter().zip(fates) {
            enqueued.push(match fate {
                Fate::New => Enqueued::New(MessageId(store(batch, &mut memory, queue, message)?)),
                Fate::Stored(id) => Enqueued::Duplicate(MessageId(id)),
                Fate::Same(index) => match enqueued[index] {
                    Enqueued::New(id) | Enqueued::Duplicate(id) => Enqueued::Duplicate(id),
                },
            });
        }
        batch.failpoints.pass(Point::QueueEnqueued);
        Ok(Ok(enqueued))
    }
}

fn fates(batch: &Batch<'_>, memory: &Memory, queue: &QueueName, messages: &[Message]) -> Applied<Vec<Fate>> {
    let mut seen: HashMap<&[u8], usize> = HashMap::new();
    let mut fates = Vec::with_capacity(messages.len());
    let row = memory.find(queue).and_then(|at| memory.row(at));
    for (index, message) in messages.iter().enumerate() {
        let Some(key) = message.dedup.as_deref() else {
            fates.push(Fate::New);
            continue;
        };
        if let Some(first) = seen.get(key) {
            if messages[*first].body != message.body {
                return Ok(Err(conflict(key)));
            }
            fates.push(Fate::Same(*first));
            continue;
        }
        seen.insert(key, index);
        let stored = row.map_or(Ok(None), |row| stored(batch, row, key))?;
        fates.push(match stored {
            None => Fate::New,
            Some((_, hash)) if hash != hash_of(message) => return Ok(Err(conflict(key))),
            Some((id, _)) => Fate::Stored(id),
        });
    }
    Ok(Ok(fates))
}

fn stored(batch: &Batch<'_>, row: i64, key: &[u8]) -> rusqlite::Result<Option<(u64, [u8; 16])>> {
    if batch.failpoints.pass(Point::QueueDedup) == Passed::Skip {
        return Ok(None);
    }
    let mut query = batch.connection.prepare_cached("SELECT id, hash FROM dedup WHERE queue = ?1 AND key = ?2 AND until > ?3")?;
    query.query_one(params![row, key, batch.time()], |row| Ok((uint(row.get(0)?), row.get(1)?))).optional()
}

fn store(batch: &mut Batch<'_>, memory: &mut Memory, queue: &QueueName, message: &Message) -> rusqlite::Result<u64> {
    let (at, row) = rooted(batch, memory, queue)?;
    let id = next_id(batch, memory)?;
    row::insert(batch, row, id, message)?;
    if let Some(key) = message.dedup.as_deref() {
        let until = int(batch.now.plus(limits::QUEUE_DEDUP_TIME.into()).unix_ns());
        batch
            .connection
            .prepare_cached("INSERT OR REPLACE INTO dedup (queue, key, id, hash, until) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row, key, int(id), hash_of(message), until])?;
    }
    let line = memory.line(at);
    line.expires_ns = line.expires_ns.min(batch.now.unix_ns().saturating_add(retention::of(line)));
    let mut due_ns = 0;
    if !message.delay.is_zero() {
        due_ns = batch.mono_ns.saturating_add(Elapsed::from(message.delay).ns());
        batch.wake_at(due_ns);
    }
    memory.touched.push((at, id));
    let known = Known { group: message.group.clone(), due_ns, attempts: 0, hold: Hold::Free };
    memory.put(at, id, known, batch.mono_ns);
    Ok(id)
}

/// Half of BLAKE3 is plenty to tell two bodies apart.
fn hash_of(message: &Message) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(&message.body).as_bytes()[..16]);
    half
}

fn conflict(key: &[u8]) -> StoreError {
    StoreError::Conflict(String::from_utf8_lossy(key).into_owned())
}
