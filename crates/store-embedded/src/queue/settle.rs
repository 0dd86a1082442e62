//! What consumers do with messages they hold: done, not yet, give back, give up. A receipt that is not the newest changes nothing.

use ports::{
    StoreError,
    queue::{QueueName, Receipt, Settled},
};
use rusqlite::params;
use types::Elapsed;

use super::{
    line::{Hold, Known},
    memory::{At, Memory},
    module::{QueueModule, remove, rooted},
};
use crate::{
    failpoint::{Passed, Point},
    shard::{Applied, Batch},
    sqlite::int,
};

impl QueueModule {
    /// Removes messages that were worked off.
    pub(crate) fn ack(&self, batch: &mut Batch<'_>, queue: &QueueName, receipts: &[Receipt]) -> Applied<Vec<Settled>> {
        self.settle(batch, queue, receipts, |batch, memory, at, receipt| {
            remove(batch, memory, at, receipt.id.0)?;
            batch.failpoints.pass(Point::QueueAcked);
            Ok(())
        })
    }

    /// Holds messages for `lease` from now on.
    pub(super) fn extend(
        &self,
        batch: &mut Batch<'_>,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Elapsed,
    ) -> Applied<Vec<Settled>> {
        self.settle(batch, queue, receipts, |batch, memory, at, receipt| retime(batch, memory, at, *receipt, Hold::Held, lease))
    }

    /// Gives messages back.
    pub(super) fn nack(
        &self,
        batch: &mut Batch<'_>,
        queue: &QueueName,
        receipts: &[Receipt],
        delay: Elapsed,
    ) -> Applied<Vec<Settled>> {
        self.settle(batch, queue, receipts, |batch, memory, at, receipt| retime(batch, memory, at, *receipt, Hold::Free, delay))
    }

    /// Moves messages to a dead-letter queue under their numbers.
    pub(super) fn bury(
        &self,
        batch: &mut Batch<'_>,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Applied<Vec<Settled>> {
        if queue == dead {
            return Ok(Err(StoreError::Denied(format!("{} can't be its own dead-letter queue", queue.0))));
        }
        self.settle(batch, queue, receipts, |batch, memory, at, receipt| bury(batch, memory, at, *receipt, dead, reason))
    }

    fn settle(
        &self,
        batch: &mut Batch<'_>,
        queue: &QueueName,
        receipts: &[Receipt],
        mut how: impl FnMut(&mut Batch<'_>, &mut Memory, At, &Receipt) -> rusqlite::Result<()>,
    ) -> Applied<Vec<Settled>> {
        let mut memory = self.memory(batch)?;
        let Some(at) = memory.find(queue) else { return Ok(Ok(vec![Settled::Stale; receipts.len()])) };
        let is_fenced = batch.failpoints.pass(Point::QueueFence) != Passed::Skip;
        let mut settled = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let line = memory.line(at);
            let is_good = if is_fenced { line.is_good(receipt.id.0, receipt.attempt) } else { line.attempts(receipt.id.0) > 0 };
            if is_good {
                how(batch, &mut memory, at, receipt)?;
            }
            settled.push(if is_good { Settled::Done } else { Settled::Stale });
        }
        Ok(Ok(settled))
    }
}

/// The message is held, or delayed, for this long from now on.
fn retime(
    batch: &mut Batch<'_>,
    memory: &mut Memory,
    at: At,
    receipt: Receipt,
    hold: Hold,
    time: Elapsed,
) -> rusqlite::Result<()> {
    let id = receipt.id.0;
    memory.touched.push((at, id));
    let Some(known) = memory.take(at, id) else { return Ok(()) };
    batch.connection.prepare_cached("UPDATE claim SET is_held = ?2, until = ?3 WHERE id = ?1")?.execute(params![
        int(id),
        hold == Hold::Held,
        int(batch.now.plus(time).unix_ns())
    ])?;
    let due_ns = batch.mono_ns.saturating_add(time.ns());
    let is_over = hold == Hold::Free && time == Elapsed::ZERO;
    memory.put(at, id, Known { due_ns: if is_over { 0 } else { due_ns }, hold, ..known }, batch.mono_ns);
    if !is_over {
        batch.wake_at(due_ns);
    }
    Ok(())
}

fn bury(
    batch: &mut Batch<'_>,
    memory: &mut Memory,
    at: At,
    receipt: Receipt,
    dead: &QueueName,
    reason: &str,
) -> rusqlite::Result<()> {
    let id = receipt.id.0;
    let (_, source) = {
        let name = memory.line(at).name.clone();
        rooted(batch, memory, &name)?
    };
    let (grave, row) = rooted(batch, memory, dead)?;
    memory.touched.push((at, id));
    let Some(known) = memory.take(at, id) else { return Ok(()) };
    batch.connection.prepare_cached("UPDATE msg SET queue = ?2, due = NULL WHERE id = ?1")?.execute(params![int(id), row])?;
    batch.failpoints.pass(Point::QueueBurying);
    batch.connection.prepare_cached("DELETE FROM claim WHERE id = ?1")?.execute([int(id)])?;
    batch
        .connection
        .prepare_cached("INSERT OR REPLACE INTO dead (id, queue, source, at, attempts, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![int(id), row, source, batch.time(), known.attempts, reason])?;
    let line = memory.line(grave);
    line.has_dead = true;
    line.expires_ns = line.expires_ns.min(batch.now.unix_ns().saturating_add(super::retention::of(line)));
    memory.touched.push((grave, id));
    // In its new queue nobody has seen it yet; how often it was delivered before is with its death.
    memory.put(grave, id, Known { due_ns: 0, attempts: 0, hold: Hold::Free, ..known }, batch.mono_ns);
    Ok(())
}
