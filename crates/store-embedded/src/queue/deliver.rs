//! Deliveries: whoever waits is served inside the batch that makes messages ready, so that a message is delivered by the very COMMIT that
//! stores it. The number of the delivery is in the file before the delivery leaves the store.

use std::sync::Arc;

use ports::{
    StoreError,
    queue::{Delivery, MessageId, QueueName, Receipt},
};
use rusqlite::params;
use types::{Elapsed, limits};

use super::{
    line::{Hold, Known, Line},
    memory::{At, Memory},
    module::{QueueModule, remove},
    retention, row,
    waiter::Waiter,
};
use crate::{
    failpoint::Point,
    shard::{Batch, Work},
    sqlite::{failure, int},
};

/// A list of those who wait that is longer is searched for some who have gone.
const WAITERS_LOOKED_THROUGH: usize = 32;

/// A call of `claim`, as it reaches the commit thread.
pub(super) struct Claim {
    pub(super) module: Arc<QueueModule>,
    pub(super) queue: QueueName,
    pub(super) waiter: Arc<Waiter>,
}

impl Work for Claim {
    fn apply(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let Self { module, queue, waiter } = self;
        if waiter.is_gone() {
            return Ok(());
        }
        let mut memory = module.memory(batch)?;
        let at = memory.at(queue);
        let waiters = &mut memory.line(at).waiters;
        if waiters.len() >= WAITERS_LOOKED_THROUGH {
            waiters.retain(|waiter| !waiter.is_gone());
        }
        waiters.push_back(waiter.clone());
        memory.hot.insert(at);
        module.open.lock().registered.push((at, waiter.clone()));
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome {
            self.waiter.answer(Err(error));
        }
    }
}

impl QueueModule {
    /// Serves those who wait where something may have become ready; who would not wait gets what there is.
    pub(super) fn serve(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let mut memory = self.memory(batch)?;
        let mut open = self.open.lock();
        while let Some(at) = memory.hot.pop_first() {
            while let Some(waiter) = next_waiter(&mut memory, at) {
                match deliver(batch, &mut memory, at, &waiter) {
                    // What was not delivered was removed: there may be more behind it.
                    Ok(none) if none.is_empty() => {
                        waiter.give_back();
                        memory.line(at).waiters.push_front(waiter);
                    }
                    Ok(deliveries) => open.served.push((at, waiter, deliveries)),
                    // A damaged page is this queue's trouble, and nobody else's.
                    Err(error) => match failure(&error) {
                        damaged @ StoreError::Damaged(_) => waiter.answer(Err(damaged)),
                        _ => return Err(error),
                    },
                }
            }
        }
        for (at, waiter) in open.registered.clone() {
            if !waiter.is_patient && waiter.take() {
                memory.line(at).waiters.retain(|other| !Arc::ptr_eq(other, &waiter));
                open.served.push((at, waiter, Vec::new()));
            }
        }
        Ok(())
    }
}

/// The first who waits, if there is something to deliver.
fn next_waiter(memory: &mut Memory, at: At) -> Option<Arc<Waiter>> {
    let line = memory.line(at);
    while !line.next(1).is_empty() {
        let waiter = line.waiters.pop_front()?;
        if waiter.take() {
            return Some(waiter);
        }
    }
    None
}

fn deliver(batch: &mut Batch<'_>, memory: &mut Memory, at: At, waiter: &Waiter) -> rusqlite::Result<Vec<Delivery>> {
    let (mut deliveries, mut bytes) = (Vec::new(), 0);
    let connection = batch.connection;
    let mut reader = row::reader(connection)?;
    while deliveries.len() < waiter.max && bytes < limits::UNIT_BYTES.0 {
        let ids = memory.line(at).next(waiter.max - deliveries.len());
        if ids.is_empty() {
            break;
        }
        for id in ids {
            if bytes >= limits::UNIT_BYTES.0 {
                break;
            }
            let stored = match row::read(&mut reader, id) {
                Ok(stored) => stored.filter(|stored| !is_over(batch, memory.line(at), stored)),
                Err(error) if matches!(failure(&error), StoreError::Damaged(_)) => {
                    set_aside(memory, at, id, &error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(row::Stored { enqueued, message }) = stored else {
                remove(batch, memory, at, id)?;
                continue;
            };
            bytes += message.body.len() as u64;
            let attempt = hold(batch, memory, at, id, waiter)?;
            deliveries.push(Delivery { receipt: Receipt { id: MessageId(id), attempt }, enqueued, message });
        }
    }
    Ok(deliveries)
}

/// Whether the queue keeps it no longer. Dead letters are older than their time in this queue, so that is left to the sweep.
fn is_over(batch: &Batch<'_>, line: &Line, stored: &row::Stored) -> bool {
    !line.has_dead && stored.enqueued.plus(Elapsed::from_ns(retention::of(line))) <= batch.now
}

/// The message is the consumer's until its lease runs out: in the file first.
fn hold(batch: &mut Batch<'_>, memory: &mut Memory, at: At, id: u64, waiter: &Waiter) -> rusqlite::Result<u32> {
    memory.touched.push((at, id));
    let known = memory.take(at, id).unwrap_or(Known { group: None, due_ns: 0, attempts: 0, hold: Hold::Free });
    let attempts = known.attempts.saturating_add(1);
    let lease = Elapsed::from(waiter.lease);
    let until = int(batch.now.plus(lease).unix_ns());
    batch
        .connection
        .prepare_cached("INSERT OR REPLACE INTO claim (id, attempt, is_held, until) VALUES (?1, ?2, 1, ?3)")?
        .execute(params![int(id), attempts, until])?;
    batch.failpoints.pass(Point::QueueClaimed);
    let due_ns = batch.mono_ns.saturating_add(lease.ns());
    memory.put(at, id, Known { due_ns, attempts, hold: Hold::Held, ..known }, batch.mono_ns);
    batch.wake_at(due_ns);
    Ok(attempts)
}

/// A message that can't be read is delivered to nobody until the next start, and doesn't hold up those behind it.
fn set_aside(memory: &mut Memory, at: At, id: u64, error: &rusqlite::Error) {
    let queue = &memory.line(at).name;
    tracing::error!(queue = %queue.0, id, %error, "a message can't be read and is set aside");
    if let Some(known) = memory.take(at, id) {
        memory.put(at, id, Known { group: None, due_ns: u64::MAX, hold: Hold::Held, ..known }, 0);
    }
}
