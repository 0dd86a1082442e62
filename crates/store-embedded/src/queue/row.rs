//! A message in the file: how its row is written, read and checked. A flipped bit is an error, never a wrong message.

use bytes::Bytes;
use ports::queue::{Message, MessageId, QueueName};
use rusqlite::{CachedStatement, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use types::{Cause, Timestamp};

use crate::{
    shard::Batch,
    sqlite::{damaged, int, uint},
};

/// What few messages have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Extras {
    attributes: Vec<(String, String)>,
    cause: Option<Cause>,
}

/// A message as it lies in the file.
pub(super) struct Stored {
    pub(super) enqueued: Timestamp,
    pub(super) message: Message,
}

fn sum(id: u64, at: i64, group: Option<&[u8]>, extras: Option<&[u8]>, body: &[u8]) -> u32 {
    let mut sum = crc32c::crc32c(&id.to_le_bytes());
    sum = crc32c::crc32c_append(sum, &at.to_le_bytes());
    for part in [group, extras] {
        sum = crc32c::crc32c_append(sum, &part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        sum = crc32c::crc32c_append(sum, part.unwrap_or_default());
    }
    crc32c::crc32c_append(sum, body)
}

/// Writes a message that is new.
pub(super) fn insert(batch: &Batch<'_>, row: i64, id: u64, message: &Message) -> rusqlite::Result<()> {
    let Message { body, delay, dedup: _, group, attributes, cause } = message;
    let extras = (!attributes.is_empty() || cause.is_some()).then(|| {
        let extras = Extras { attributes: attributes.clone(), cause: *cause };
        postcard::to_stdvec(&extras).expect("plain data in memory always serializes")
    });
    let (at, group) = (batch.time(), group.as_deref());
    let due = (!delay.is_zero()).then(|| int(batch.now.plus((*delay).into()).unix_ns()));
    let sum = sum(id, at, group, extras.as_deref(), body);
    batch
        .connection
        .prepare_cached("INSERT INTO msg (id, queue, at, due, grp, sum, extras, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![int(id), row, at, due, group, sum, extras, &body[..]])?;
    Ok(())
}

const SELECT: &str = "SELECT id, at, grp, sum, extras, body FROM msg WHERE id = ?1";

/// Reads messages by number.
pub(super) fn reader(connection: &rusqlite::Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(SELECT)
}

/// Reads one; `None` if it is gone.
///
/// # Errors
/// The row does not match its sum.
pub(super) fn read(reader: &mut CachedStatement<'_>, id: u64) -> rusqlite::Result<Option<Stored>> {
    reader.query_one([int(id)], stored).optional()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
    let (group, extras) = (row.get_ref(2)?.as_blob_or_null()?, row.get_ref(4)?.as_blob_or_null()?);
    let body = row.get_ref(5)?.as_blob()?;
    let broken = |why: &dyn std::fmt::Display| damaged(format!("message {}: {why}", MessageId(uint(id))));
    if sum(uint(id), at, group, extras, body) != row.get::<_, u32>(3)? {
        return Err(broken(&"it does not match its sum"));
    }
    let extras = extras.map(postcard::from_bytes).transpose().map_err(|error| broken(&error))?;
    let Extras { attributes, cause } = extras.unwrap_or_default();
    let (body, group) = (Bytes::copy_from_slice(body), group.map(Bytes::copy_from_slice));
    let message = Message { body, delay: std::time::Duration::ZERO, dedup: None, group, attributes, cause };
    Ok(Stored { enqueued: Timestamp::from_unix_ns(uint(at)), message })
}

/// The row of a queue, which is made if there is none.
pub(super) fn of_queue(batch: &Batch<'_>, name: &QueueName) -> rusqlite::Result<i64> {
    batch.connection.prepare_cached("INSERT INTO queue (name) VALUES (?1)")?.execute([&name.0])?;
    Ok(batch.connection.last_insert_rowid())
}
