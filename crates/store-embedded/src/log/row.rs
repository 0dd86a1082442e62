//! Streams, partitions and records as rows.

use bytes::Bytes;
use ports::log::{Appended, Partition, Record, Sequence, StreamName};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use types::{Cause, Elapsed, Timestamp, limits};

use crate::sqlite::{damaged, int, uint};

/// Bits of a row's number that are the sequence.
const SEQUENCE_BITS: u32 = 40;
/// The first sequence that a partition can't have.
pub(super) const SEQUENCE_END: u64 = 1 << SEQUENCE_BITS;

/// A stream as the file has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) partitions: u32,
    pub(super) retention_ns: u64,
}

/// Where a partition is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) id: i64,
    pub(super) place: u32,
    pub(super) next: u64,
    pub(super) oldest: u64,
}

impl Part {
    /// The number of a record's row.
    pub(super) fn row(&self, sequence: u64) -> i64 {
        (self.id << SEQUENCE_BITS) | int(sequence.min(SEQUENCE_END - 1))
    }
    /// The record that a row's number is of.
    pub(super) fn sequence(&self, row: i64) -> u64 {
        uint(row - (self.id << SEQUENCE_BITS))
    }
}

pub(super) fn stream(connection: &Connection, name: &StreamName) -> rusqlite::Result<Option<Stream>> {
    let mut query = connection.prepare_cached("SELECT id, partitions, retention FROM stream WHERE name = ?1")?;
    query.query_one([&name.0], stream_of).optional()
}

fn stream_of(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream { id: row.get(0)?, partitions: row.get(1)?, retention_ns: uint(row.get(2)?) })
}

/// The stream, made with one partition if it is new.
pub(super) fn stream_or_new(connection: &Connection, name: &StreamName) -> rusqlite::Result<Stream> {
    if let Some(stream) = stream(connection, name)? {
        return Ok(stream);
    }
    let retention_ns = Elapsed::from(limits::RETENTION_TIME).ns();
    let made = connection
        .prepare_cached(
            "INSERT INTO stream (name, partitions, retention) VALUES (?1, 0, ?2) RETURNING id, partitions, retention",
        )?
        .query_one(params![name.0, int(retention_ns)], stream_of)?;
    grow(connection, made, 1)
}

/// Gives the stream so many partitions, if it has fewer.
pub(super) fn grow(connection: &Connection, stream: Stream, partitions: u32) -> rusqlite::Result<Stream> {
    for place in stream.partitions..partitions {
        connection
            .prepare_cached("INSERT INTO part (stream, place, next, oldest) VALUES (?1, ?2, 0, 0)")?
            .execute(params![stream.id, place])?;
    }
    let partitions = stream.partitions.max(partitions);
    connection.prepare_cached("UPDATE stream SET partitions = ?2 WHERE id = ?1")?.execute(params![stream.id, partitions])?;
    Ok(Stream { partitions, ..stream })
}

fn part_of(row: &Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part { id: row.get(0)?, place: row.get(1)?, next: uint(row.get(2)?), oldest: uint(row.get(3)?) })
}

pub(super) fn part(connection: &Connection, stream: i64, place: u32) -> rusqlite::Result<Option<Part>> {
    let mut query = connection.prepare_cached("SELECT id, place, next, oldest FROM part WHERE stream = ?1 AND place = ?2")?;
    query.query_one(params![stream, place], part_of).optional()
}

pub(super) fn parts(connection: &Connection, stream: i64) -> rusqlite::Result<Vec<Part>> {
    let mut query = connection.prepare_cached("SELECT id, place, next, oldest FROM part WHERE stream = ?1 ORDER BY place")?;
    query.query_map([stream], part_of)?.collect()
}

pub(super) fn save(connection: &Connection, part: &Part) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE part SET next = ?2, oldest = ?3 WHERE id = ?1")?.execute(params![
        part.id,
        int(part.next),
        int(part.oldest)
    ])?;
    Ok(())
}

/// The sum over all that a record says. The lengths keep its parts apart.
fn sum(row: i64, at: i64, extras: Option<&[u8]>, body: &[u8]) -> u32 {
    let mut sum = crc32c::crc32c(&row.to_le_bytes());
    sum = crc32c::crc32c_append(sum, &at.to_le_bytes());
    sum = crc32c::crc32c_append(sum, &extras.map_or(u64::MAX, |extras| extras.len() as u64).to_le_bytes());
    sum = crc32c::crc32c_append(sum, extras.unwrap_or_default());
    crc32c::crc32c_append(sum, body)
}

type Extras = (Option<Bytes>, Option<Cause>);

/// Writes a record to its place.
pub(super) fn write(connection: &Connection, row: i64, at: i64, record: &Record) -> rusqlite::Result<()> {
    let extras: Extras = (record.key.clone(), record.cause);
    let extras = (extras != (None, None)).then(|| postcard::to_stdvec(&extras).expect("plain data in memory always serializes"));
    let sum = sum(row, at, extras.as_deref(), &record.body);
    connection.prepare_cached("INSERT INTO record (n, at, sum, extras, body) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        row,
        at,
        sum,
        extras,
        &record.body[..]
    ])?;
    Ok(())
}

/// Reads the columns `n, at, sum, extras, body`.
pub(super) fn read(part: &Part, row: &Row<'_>) -> rusqlite::Result<Appended> {
    let (n, at): (i64, i64) = (row.get(0)?, row.get(1)?);
    let sequence = part.sequence(n);
    let broken = |why: &str| damaged(format!("record {sequence} of partition {} {why}", part.place));
    let (extras, body) = (row.get_ref(3)?.as_blob_or_null()?, row.get_ref(4)?.as_blob()?);
    if sum(n, at, extras, body) != row.get::<_, u32>(2)? {
        return Err(broken("does not match its sum"));
    }
    let extras: Option<Extras> = extras.map(postcard::from_bytes).transpose().map_err(|_| broken("can't be read"))?;
    let (key, cause) = extras.unwrap_or_default();
    let record = Record { key, body: Bytes::copy_from_slice(body), dedup: None, cause };
    Ok(Appended { sequence: Sequence(sequence), at: Timestamp::from_unix_ns(uint(at)), record })
}

/// The partition of a key: the rule is the port's, so that every store has it.
pub(super) fn partition_of(key: &[u8], partitions: u32) -> Partition {
    let hash = blake3::hash(key);
    let head = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    Partition(u32::try_from(u64::from_le_bytes(*head) % u64::from(partitions.max(1))).expect("it is below a u32"))
}
