//! A message in the file: how its row is written, read and checked. A flipped bit is an error, never a wrong message.

use std::cell::RefCell;

use bytes::Bytes;
use ports::queue::{Message, MessageId, QueueName};
use rusqlite::{CachedStatement, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use types::{Cause, Timestamp};
use zstd::bulk::{Compressor, Decompressor};

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

fn sum(id: u64, at: i64, group: Option<&[u8]>, extras: Option<&[u8]>, (size, body): (Option<u32>, &[u8])) -> u32 {
    let mut sum = crc32c::crc32c(&id.to_le_bytes());
    sum = crc32c::crc32c_append(sum, &at.to_le_bytes());
    for part in [group, extras] {
        sum = crc32c::crc32c_append(sum, &part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        sum = crc32c::crc32c_append(sum, part.unwrap_or_default());
    }
    sum = crc32c::crc32c_append(sum, &size.unwrap_or(0).to_le_bytes());
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
    let packed = pack(body);
    let size = packed.as_ref().and_then(|_| u32::try_from(body.len()).ok());
    let body = packed.as_deref().unwrap_or(body);
    let sum = sum(id, at, group, extras.as_deref(), (size, body));
    batch
        .connection
        .prepare_cached(
            "INSERT INTO msg (id, queue, at, due, grp, sum, extras, size, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![int(id), row, at, due, group, sum, extras, size, body])?;
    Ok(())
}

/// Bodies from this size on are packed if that helps: what is not written is not synced either.
const PACKED_FROM: usize = 512;

thread_local! {
    /// To make one takes longer than to pack a message with it. `None` if there is no memory for it: then nothing is packed.
    static PACKER: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(1).ok());
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

/// The body in less space, if that saves an eighth.
fn pack(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < PACKED_FROM {
        return None;
    }
    let packed = PACKER.with_borrow_mut(|packer| packer.as_mut()?.compress(body).ok())?;
    (packed.len() < body.len() - body.len() / 8).then_some(packed)
}

fn unpack(packed: &[u8], size: usize) -> std::io::Result<Bytes> {
    let unpack = |unpacker: &mut Option<Decompressor<'static>>| match unpacker {
        Some(unpacker) => unpacker.decompress(packed, size),
        None => zstd::bulk::decompress(packed, size),
    };
    UNPACKER.with_borrow_mut(unpack).map(Bytes::from)
}

const SELECT: &str = "SELECT id, at, grp, sum, extras, size, body FROM msg WHERE id = ?1";

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
    let (size, body): (Option<u32>, _) = (row.get(5)?, row.get_ref(6)?.as_blob()?);
    let broken = |why: &dyn std::fmt::Display| damaged(format!("message {}: {why}", MessageId(uint(id))));
    if sum(uint(id), at, group, extras, (size, body)) != row.get::<_, u32>(3)? {
        return Err(broken(&"it does not match its sum"));
    }
    let extras = extras.map(postcard::from_bytes).transpose().map_err(|error| broken(&error))?;
    let Extras { attributes, cause } = extras.unwrap_or_default();
    let body = match size {
        None => Bytes::copy_from_slice(body),
        Some(size) => unpack(body, size as usize).map_err(|error| broken(&error))?,
    };
    let group = group.map(Bytes::copy_from_slice);
    let message = Message { body, delay: std::time::Duration::ZERO, dedup: None, group, attributes, cause };
    Ok(Stored { enqueued: Timestamp::from_unix_ns(uint(at)), message })
}

/// The row of a queue, which is made if there is none.
pub(super) fn of_queue(batch: &Batch<'_>, name: &QueueName) -> rusqlite::Result<i64> {
    batch.connection.prepare_cached("INSERT INTO queue (name) VALUES (?1)")?.execute([&name.0])?;
    Ok(batch.connection.last_insert_rowid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_packed_where_that_helps() {
        let (small, same) = (vec![7; PACKED_FROM - 1], vec![7; 10_000]);
        let mut noise = vec![0; 10_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        assert!(pack(&small).is_none() && pack(&noise).is_none());
        let packed = pack(&same).expect("it is all the same");
        assert_eq!(unpack(&packed, same.len()).expect("it was packed"), same);
        assert!(unpack(&packed, same.len() - 1).is_err(), "never more than was said");
        assert!(unpack(&packed[1..], same.len()).is_err());
    }
}
