//! Looking at queues without touching them, beside the commit thread: places and counts from memory, the rest from the file.

use std::time::Duration;

use ports::{
    StoreError,
    queue::{DeadLetter, MessageId, Peeked, QueueName, QueueStats},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use types::{Elapsed, Timestamp};

use super::{
    module::{QueueModule, enqueued},
    row,
};
use crate::{
    kv::range::{below, end_of, start},
    shard::Reading,
};

/// A message as memory has it.
pub(super) struct Place {
    pub(super) id: u64,
    /// When it can be delivered; `None` for since it was enqueued.
    pub(super) due: Option<Timestamp>,
    pub(super) attempts: u32,
}

impl QueueModule {
    /// At most `max` messages after a number.
    pub(super) fn places(
        &self,
        reading: &Reading,
        queue: &QueueName,
        after: Option<MessageId>,
        max: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let (now, mono_ns) = (reading.clock().now(), reading.clock().monotonic_ns());
        let mut memory = self.looked_at(reading)?;
        let Some(at) = memory.find(queue) else { return Ok(Vec::new()) };
        let line = memory.line(at);
        let place = |id: u64| {
            let due_ns = line.due_ns(id);
            let due = (due_ns > mono_ns).then(|| now.plus(Elapsed::from_ns(due_ns - mono_ns)));
            Place { id, due, attempts: line.attempts(id) }
        };
        Ok(line.after(after.map(|id| id.0), max).into_iter().map(place).collect())
    }

    /// How a queue is doing.
    pub(super) fn stats(&self, reading: &Reading, queue: &QueueName) -> Result<QueueStats, StoreError> {
        reading.check()?;
        let mut memory = self.looked_at(reading)?;
        let Some(at) = memory.find(queue) else { return Ok(QueueStats::default()) };
        let line = memory.line(at);
        let (ready, delayed, claimed) = (line.ready.len() + line.grouped.len(), line.delayed.len(), line.held.len());
        let oldest = line.oldest();
        drop(memory);
        let since = |id| reading.with(|connection, now| Ok(enqueued(connection, id)?.map(|at| now.since(at).into())));
        let oldest = oldest.map(since).transpose()?.flatten().unwrap_or(Duration::ZERO);
        Ok(QueueStats { ready: ready as u64, delayed: delayed as u64, claimed: claimed as u64, oldest })
    }
}

/// The messages of these places, as far as they are there.
pub(super) fn peek(connection: &Connection, places: &[Place]) -> rusqlite::Result<Vec<Peeked>> {
    let mut peeked = Vec::with_capacity(places.len());
    let mut reader = row::reader(connection)?;
    let mut dead = connection
        .prepare_cached("SELECT q.name, d.reason, d.attempts FROM dead d JOIN queue q ON q.id = d.source WHERE d.id = ?1")?;
    for Place { id, due, attempts } in places {
        let Some(row::Stored { enqueued, message }) = row::read(&mut reader, *id)? else { continue };
        let letter: Option<(DeadLetter, u32)> = dead
            .query_one([crate::sqlite::int(*id)], |row| {
                Ok((DeadLetter { from: QueueName(row.get(0)?), reason: row.get(1)? }, row.get(2)?))
            })
            .optional()?;
        let (letter, before) = letter.map_or((None, 0), |(letter, attempts)| (Some(letter), attempts));
        let due = due.unwrap_or(enqueued);
        let attempts = before.saturating_add(*attempts);
        peeked.push(Peeked { id: MessageId(*id), enqueued, due, attempts, dead: letter, message });
    }
    Ok(peeked)
}

/// Queues by name.
pub(super) fn queues(
    connection: &Connection,
    prefix: &str,
    after: Option<&QueueName>,
    max: usize,
) -> rusqlite::Result<Vec<QueueName>> {
    let bytes = |text: Vec<u8>| String::from_utf8_lossy(&text).into_owned();
    let end = end_of(prefix.as_bytes()).map(bytes);
    let after = after.map(|name| bytes::Bytes::copy_from_slice(name.0.as_bytes()));
    let mut query = connection.prepare_cached(&format!(
        "SELECT name FROM queue WHERE name >= ?1 AND {} AND ?2 > 0 ORDER BY name LIMIT ?2",
        below("name", end.is_some())
    ))?;
    let from = String::from_utf8_lossy(&start(prefix.as_bytes(), after.as_ref())).into_owned();
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    query.query_map(params![from, max, end], |row| Ok(QueueName(row.get(0)?)))?.collect()
}
