//! The queue module: the picture of all queues in memory, kept in step with the file, and those who wait for messages.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use ports::{
    StoreError,
    queue::{Delivery, QueueName},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use types::{Elapsed, Timestamp, limits};

use super::{
    line::{Hold, Known},
    memory::{At, Memory},
    retention, row,
    waiter::Waiter,
};
use crate::{
    failpoint::Failpoints,
    shard::{Batch, Module, Reading, Tick},
    sqlite::{int, uint},
};

/// Numbers that are reserved at once: so many may be left out when the process ends.
const NUMBERS: u64 = 10_000;

/// Queues inside a batch.
#[derive(Default)]
pub(crate) struct QueueModule {
    pub(super) memory: Mutex<Memory>,
    pub(super) open: Mutex<Open>,
}

/// What the open batch did for those who wait.
#[derive(Default)]
pub(super) struct Open {
    /// Who began to wait.
    pub(super) registered: Vec<(At, Arc<Waiter>)>,
    /// Who gets what, once it is durable.
    pub(super) served: Vec<(At, Arc<Waiter>, Vec<Delivery>)>,
    /// Undone changes that memory still shows.
    stale: Vec<(At, u64)>,
    stale_lines: Vec<At>,
}

/// A place in the changes of a batch to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    touched: usize,
    amended: usize,
}

impl QueueModule {
    /// Memory as the open batch has it, at the batch's time.
    pub(super) fn memory(&self, batch: &Batch<'_>) -> rusqlite::Result<MutexGuard<'_, Memory>> {
        let mut memory = self.memory.lock();
        let mut open = self.open.lock();
        if !open.stale.is_empty() || !open.stale_lines.is_empty() {
            reread(batch, &mut memory, &open.stale_lines, &open.stale)?;
            open.stale.clear();
            open.stale_lines.clear();
        }
        memory.promote(batch.mono_ns);
        Ok(memory)
    }

    /// Memory for those who only look, as of now. What a failed batch left in it is looked up again: nothing was written since, or the
    /// commit thread would have done that.
    pub(super) fn looked_at(&self, reading: &Reading) -> Result<MutexGuard<'_, Memory>, StoreError> {
        let mut memory = self.memory.lock();
        let mut open = self.open.lock();
        if !open.stale.is_empty() || !open.stale_lines.is_empty() {
            let failpoints = Failpoints::default();
            reading.with(|connection, _| {
                let batch = Batch::new(connection, &**reading.clock(), &failpoints);
                reread(&batch, &mut memory, &open.stale_lines, &open.stale)
            })?;
            open.stale.clear();
            open.stale_lines.clear();
        }
        memory.promote(reading.clock().monotonic_ns());
        Ok(memory)
    }

    /// Where the batch is now.
    pub(crate) fn mark(&self) -> Mark {
        let memory = self.memory.lock();
        Mark { touched: memory.touched.len(), amended: memory.amended.len() }
    }

    /// The file went back to the mark; memory does too.
    pub(crate) fn undo(&self, batch: &Batch<'_>, mark: Mark) -> rusqlite::Result<()> {
        let mut memory = self.memory.lock();
        let touched = memory.touched.split_off(mark.touched);
        let amended = memory.amended.split_off(mark.amended);
        reread(batch, &mut memory, &amended, &touched)
    }
}

impl Module for QueueModule {
    fn open(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let mut memory = self.memory.lock();
        let mut queues = batch.connection.prepare_cached("SELECT id, retention, name FROM queue")?;
        let mut rows = queues.query([])?;
        while let Some(row) = rows.next()? {
            let at = memory.at(&QueueName(row.get(2)?));
            memory.set_row(at, Some(row.get(0)?));
            let line = memory.line(at);
            line.retention_ns = row.get::<_, Option<i64>>(1)?.map(uint);
            line.expires_ns = 0;
        }
        let mut messages = batch.connection.prepare(&format!("{FACTS} ORDER BY m.id"))?;
        let mut rows = messages.query([])?;
        while let Some(row) = rows.next()? {
            let (id, known) = known(batch, row)?;
            if let Some(at) = memory.of_row(row.get(1)?) {
                memory.put(at, id, known, batch.mono_ns);
            }
        }
        let mut dead = batch.connection.prepare("SELECT DISTINCT queue FROM dead")?;
        let mut rows = dead.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(at) = memory.of_row(row.get(0)?) {
                memory.line(at).has_dead = true;
            }
        }
        let mut number = batch.connection.prepare("SELECT reserved FROM number WHERE kind = 'message'")?;
        let reserved: Option<i64> = number.query_one([], |row| row.get(0)).optional()?;
        memory.next_id = reserved.map_or(1, uint);
        memory.reserved = memory.next_id;
        Ok(())
    }

    fn tick(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Tick> {
        let mut memory = self.memory(batch)?;
        let is_partial = retention::sweep(batch, &mut memory)?;
        Ok(Tick { is_partial, next_ns: memory.next_due_ns() })
    }

    fn finish(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        self.serve(batch)
    }

    fn committed(&self) {
        let mut memory = self.memory.lock();
        memory.touched.clear();
        memory.amended.clear();
        drop(memory);
        let mut open = self.open.lock();
        open.registered.clear();
        let served = std::mem::take(&mut open.served);
        drop(open);
        served.into_iter().for_each(|(_, waiter, deliveries)| waiter.answer(Ok(deliveries)));
    }

    fn rolled_back(&self) {
        let (mut memory, mut open) = (self.memory.lock(), self.open.lock());
        for (at, waiter, _) in std::mem::take(&mut open.served).into_iter().rev() {
            waiter.give_back();
            memory.line(at).waiters.push_front(waiter);
        }
        for (at, waiter) in std::mem::take(&mut open.registered) {
            memory.line(at).waiters.retain(|other| !Arc::ptr_eq(other, &waiter));
        }
        open.stale.append(&mut memory.touched);
        open.stale_lines.append(&mut memory.amended);
        memory.reserved = 0;
    }

    fn close(&self) {
        let mut memory = self.memory.lock();
        let waiting: Vec<_> = memory.lines().iter_mut().flat_map(|line| std::mem::take(&mut line.waiters)).collect();
        drop(memory);
        let served = std::mem::take(&mut self.open.lock().served);
        let closed = || StoreError::Failed("the store is closed".into());
        waiting.into_iter().for_each(|waiter| waiter.answer(Err(closed())));
        served.into_iter().for_each(|(_, waiter, _)| waiter.answer(Err(closed())));
    }
}

const FACTS: &str =
    "SELECT m.id, m.queue, m.due, m.grp, c.attempt, c.is_held, c.until FROM msg m LEFT JOIN claim c ON c.id = m.id";

/// Reads the columns of [`FACTS`].
fn known(batch: &Batch<'_>, row: &Row<'_>) -> rusqlite::Result<(u64, Known)> {
    let id = uint(row.get(0)?);
    let group = row.get_ref(3)?.as_blob_or_null()?.map(bytes::Bytes::copy_from_slice);
    let attempts: u32 = row.get::<_, Option<u32>>(4)?.unwrap_or(0);
    let is_held = row.get::<_, Option<bool>>(5)?.unwrap_or(false);
    let until: Option<i64> = if attempts > 0 { row.get(6)? } else { row.get(2)? };
    let until = Timestamp::from_unix_ns(until.map_or(0, uint));
    // The wall clock may have been set since: nothing waits longer than it could have been told to.
    let farthest = batch.mono_ns.saturating_add(Elapsed::from(limits::QUEUE_DELAY).ns());
    let due_ns = if until > batch.now { batch.mono_of(until).min(farthest) } else { 0 };
    let hold = match (is_held, due_ns) {
        (false, _) => Hold::Free,
        (true, 0) => Hold::Late,
        (true, _) => Hold::Held,
    };
    Ok((id, Known { group, due_ns, attempts, hold }))
}

/// Looks these queues and messages up again.
fn reread(batch: &Batch<'_>, memory: &mut Memory, lines: &[At], messages: &[(At, u64)]) -> rusqlite::Result<()> {
    for at in lines {
        let mut query = batch.connection.prepare_cached("SELECT id, retention FROM queue WHERE name = ?1")?;
        let name = memory.line(*at).name.clone();
        let found: Option<(i64, Option<i64>)> = query.query_one([name.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        memory.set_row(*at, found.map(|(row, _)| row));
        memory.line(*at).retention_ns = found.and_then(|(_, retention)| retention.map(uint));
    }
    for (at, id) in messages {
        memory.take(*at, *id);
    }
    let mut query = batch.connection.prepare_cached(&format!("{FACTS} WHERE m.id = ?1"))?;
    for (_, id) in messages {
        let found = query.query_one([int(*id)], |row| Ok((row.get::<_, i64>(1)?, known(batch, row)?))).optional()?;
        if let Some((row, (id, known))) = found
            && let Some(at) = memory.of_row(row)
        {
            memory.take(at, id);
            memory.put(at, id, known, batch.mono_ns);
        }
    }
    Ok(())
}

/// The queue, with a row in the file.
pub(super) fn rooted(batch: &Batch<'_>, memory: &mut Memory, name: &QueueName) -> rusqlite::Result<(At, i64)> {
    let at = memory.at(name);
    if let Some(row) = memory.line(at).row {
        return Ok((at, row));
    }
    let row = row::of_queue(batch, name)?;
    memory.set_row(at, Some(row));
    memory.amended.push(at);
    Ok((at, row))
}

/// A number that no message had.
pub(super) fn next_id(batch: &Batch<'_>, memory: &mut Memory) -> rusqlite::Result<u64> {
    if memory.next_id >= memory.reserved {
        memory.reserved = memory.next_id + NUMBERS;
        batch
            .connection
            .prepare_cached("INSERT OR REPLACE INTO number (kind, reserved) VALUES ('message', ?1)")?
            .execute([int(memory.reserved)])?;
    }
    memory.next_id += 1;
    Ok(memory.next_id - 1)
}

/// Removes a message from the file and from memory.
pub(super) fn remove(batch: &Batch<'_>, memory: &mut Memory, at: At, id: u64) -> rusqlite::Result<()> {
    memory.touched.push((at, id));
    let known = memory.take(at, id);
    batch.connection.prepare_cached("DELETE FROM msg WHERE id = ?1")?.execute([int(id)])?;
    if known.is_none_or(|known| known.attempts > 0) {
        batch.connection.prepare_cached("DELETE FROM claim WHERE id = ?1")?.execute([int(id)])?;
    }
    if memory.line(at).has_dead {
        batch.connection.prepare_cached("DELETE FROM dead WHERE id = ?1")?.execute(params![int(id)])?;
    }
    Ok(())
}

/// A connection's own look at when a message was enqueued.
pub(super) fn enqueued(connection: &Connection, id: u64) -> rusqlite::Result<Option<Timestamp>> {
    let mut query = connection.prepare_cached("SELECT at FROM msg WHERE id = ?1")?;
    let at: Option<i64> = query.query_one([int(id)], |row| row.get(0)).optional()?;
    Ok(at.map(|at| Timestamp::from_unix_ns(uint(at))))
}
