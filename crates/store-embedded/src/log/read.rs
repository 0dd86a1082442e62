//! What readers ask of the file.

use ports::{
    StoreError,
    log::{Appended, GroupName, Partition, PartitionStats, Sequence, StreamName},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use types::limits;

use super::row::{self, SEQUENCE_END};
use crate::sqlite::{int, uint};

/// Records of one read hold about this many bytes at most, but for the first.
const READ_BYTES: u64 = limits::SQL_BYTES.0;

/// The records of a partition from a sequence on.
pub(super) fn records(
    connection: &Connection,
    name: &StreamName,
    partition: Partition,
    from: Sequence,
    max: usize,
) -> rusqlite::Result<Result<Vec<Appended>, StoreError>> {
    let Some(stream) = row::stream(connection, name)? else { return Ok(Ok(vec![])) };
    let Some(part) = row::part(connection, stream.id, partition.0)? else {
        return Ok(Err(StoreError::Missing(format!("partition {} of {}", partition.0, name.0))));
    };
    if from.0 < part.oldest {
        return Ok(Err(StoreError::Compacted { oldest: part.oldest }));
    }
    if from.0 >= part.next {
        return Ok(Ok(vec![]));
    }
    let mut query =
        connection.prepare_cached("SELECT n, at, sum, extras, body FROM record WHERE n >= ?1 AND n <= ?2 ORDER BY n LIMIT ?3")?;
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let mut rows = query.query(params![part.row(from.0), part.row(SEQUENCE_END - 1), max])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let record = row::read(&part, row)?;
        bytes += record.record.body.len() as u64;
        if bytes > READ_BYTES && !found.is_empty() {
            break;
        }
        found.push(record);
    }
    Ok(Ok(found))
}

/// Where the group goes on.
pub(super) fn committed(
    connection: &Connection,
    name: &StreamName,
    group: &GroupName,
    partition: Partition,
) -> rusqlite::Result<Option<Sequence>> {
    let mut query = connection.prepare_cached(
        "SELECT c.next FROM consumer c JOIN stream s ON s.id = c.stream WHERE s.name = ?1 AND c.name = ?2 AND c.place = ?3",
    )?;
    let next: Option<Option<i64>> = query.query_one(params![name.0, group.0, partition.0], |row| row.get(0)).optional()?;
    Ok(next.flatten().map(|next| Sequence(uint(next))))
}

/// The streams of a prefix, by name.
pub(super) fn streams(
    connection: &Connection,
    prefix: &str,
    after: Option<&StreamName>,
    max: usize,
) -> rusqlite::Result<Vec<StreamName>> {
    let mut query = connection.prepare_cached(
        "SELECT name FROM stream WHERE name >= ?1 AND name < ?1 || char(1114111) AND name > ?2 ORDER BY name LIMIT ?3",
    )?;
    let after = after.map_or("", |after| after.0.as_str());
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    query.query_map(params![prefix, after, max], |row| Ok(StreamName(row.get(0)?)))?.collect()
}

/// How each partition is doing.
pub(super) fn stats(connection: &Connection, name: &StreamName) -> rusqlite::Result<Vec<PartitionStats>> {
    let Some(stream) = row::stream(connection, name)? else { return Ok(vec![]) };
    let mut query = connection
        .prepare_cached("SELECT name, next FROM consumer WHERE stream = ?1 AND place = ?2 AND next IS NOT NULL ORDER BY name")?;
    let parts = row::parts(connection, stream.id)?.into_iter();
    let stats = parts.map(|part| {
        let group = |row: &rusqlite::Row<'_>| Ok((GroupName(row.get(0)?), Sequence(uint(row.get(1)?))));
        let groups = query.query_map(params![stream.id, part.place], group)?.collect::<rusqlite::Result<_>>()?;
        let (oldest, next) = (Sequence(part.oldest), Sequence(part.next));
        Ok(PartitionStats { partition: Partition(part.place), oldest, next, groups })
    });
    stats.collect()
}

/// The first partition behind this one, by its row: with the time that its stream keeps records.
pub(super) fn part_after(connection: &Connection, id: i64) -> rusqlite::Result<Option<(row::Part, u64)>> {
    let mut query = connection.prepare_cached(
        "SELECT p.id, p.place, p.next, p.oldest, s.retention FROM part p JOIN stream s ON s.id = p.stream WHERE p.id > ?1 ORDER BY p.id LIMIT 1",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let part = row::Part { id: row.get(0)?, place: row.get(1)?, next: uint(row.get(2)?), oldest: uint(row.get(3)?) };
        Ok((part, uint(row.get(4)?)))
    };
    query.query_one([int(uint(id))], read).optional()
}
