//! What people do with whole queues: send dead letters back, empty a queue, say how long it keeps messages. Large ones go in pieces, each
//! a batch of its own among others.

use ports::queue::{MessageId, QueueName};
use rusqlite::params;

use super::{
    line::{Hold, Known},
    memory::{At, Memory},
    module::{QueueModule, next_id, remove, rooted},
    retention, row,
};
use crate::{
    failpoint::Point,
    shard::{Applied, Batch},
    sqlite::{failure, int, uint},
};

/// Messages that are purged at once.
const PURGE_MAX: usize = 5_000;
/// Messages that are sent back at once.
pub(super) const REDRIVE_MAX: usize = 500;

/// How far a piece came.
pub(super) struct Piece {
    pub(super) count: u64,
    /// The next one goes on after this; `None` if there is none.
    pub(super) after: Option<MessageId>,
}

impl QueueModule {
    /// Sends dead letters back to where they came from, under new numbers: no receipt of their first life fits them.
    pub(super) fn redrive(&self, batch: &mut Batch<'_>, dead: &QueueName, after: u64, max: usize) -> Applied<Piece> {
        let mut memory = self.memory(batch)?;
        let mut piece = Piece { count: 0, after: None };
        let Some((grave, row)) = memory.find(dead).and_then(|at| Some((at, memory.row(at)?))) else { return Ok(Ok(piece)) };
        let mut query =
            batch.connection.prepare_cached("SELECT id, source FROM dead WHERE queue = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?;
        let limit = max.min(REDRIVE_MAX);
        let rows = query.query_map(params![row, int(after), limit as i64], |row| Ok((uint(row.get(0)?), row.get(1)?)))?;
        let letters: Vec<(u64, i64)> = rows.collect::<rusqlite::Result<_>>()?;
        piece.after = letters.last().filter(|_| letters.len() == limit).map(|(id, _)| MessageId(*id));
        for (id, source) in letters {
            let Some(at) = memory.of_row(source) else { continue };
            piece.count += u64::from(revive(batch, &mut memory, grave, id, at)?);
        }
        Ok(Ok(piece))
    }

    /// Removes messages up to a number, held ones too.
    pub(super) fn purge(&self, batch: &mut Batch<'_>, queue: &QueueName, upto: Option<MessageId>) -> Applied<Piece> {
        let mut memory = self.memory(batch)?;
        let mut piece = Piece { count: 0, after: None };
        let Some(at) = memory.find(queue) else { return Ok(Ok(piece)) };
        let upto = upto.unwrap_or(MessageId(memory.next_id));
        let mut ids = memory.line(at).after(None, PURGE_MAX);
        ids.retain(|id| *id <= upto.0);
        for id in &ids {
            remove(batch, &mut memory, at, *id)?;
        }
        piece.count = ids.len() as u64;
        piece.after = (ids.len() == PURGE_MAX).then_some(upto);
        Ok(Ok(piece))
    }

    /// Says how long the queue keeps messages.
    pub(super) fn retain(&self, batch: &mut Batch<'_>, queue: &QueueName, retention_ns: u64) -> Applied<()> {
        let mut memory = self.memory(batch)?;
        let (at, row) = rooted(batch, &mut memory, queue)?;
        memory.amended.push(at);
        batch
            .connection
            .prepare_cached("UPDATE queue SET retention = ?2 WHERE id = ?1")?
            .execute(params![row, int(retention_ns)])?;
        let line = memory.line(at);
        line.retention_ns = Some(retention_ns);
        line.expires_ns = 0;
        while retention::sweep(batch, &mut memory)? {}
        Ok(Ok(()))
    }
}

/// Moves one dead letter, unless a consumer of the dead-letter queue has it or it can't be read.
fn revive(batch: &mut Batch<'_>, memory: &mut Memory, grave: At, id: u64, to: At) -> rusqlite::Result<bool> {
    if memory.line(grave).held.contains_key(&id) {
        return Ok(false);
    }
    let stored = match row::read(&mut row::reader(batch.connection)?, id) {
        Ok(Some(stored)) => stored,
        Ok(None) => return Ok(false),
        Err(error) => {
            let error = failure(&error);
            tracing::error!(id, %error, "a dead letter can't be read and stays where it is");
            return Ok(false);
        }
    };
    let name = memory.line(to).name.clone();
    let (to, row) = rooted(batch, memory, &name)?;
    let new = next_id(batch, memory)?;
    row::insert(batch, row, new, &stored.message)?;
    batch.failpoints.pass(Point::QueueRedriving);
    remove(batch, memory, grave, id)?;
    let line = memory.line(to);
    line.expires_ns = line.expires_ns.min(batch.now.unix_ns().saturating_add(retention::of(line)));
    memory.touched.push((to, new));
    let known = Known { group: stored.message.group, due_ns: 0, attempts: 0, hold: Hold::Free };
    memory.put(to, new, known, batch.mono_ns);
    Ok(true)
}
