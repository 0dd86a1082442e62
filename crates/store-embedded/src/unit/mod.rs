//! Units of effects: acknowledgements, messages, records, key-value transactions and offsets as one change of the shard.
//!
//! All of it is done in a savepoint, in an order in which what is refused most often comes first. A refusal undoes the savepoint, and
//! each module puts right what it holds in memory.

use std::sync::Arc;

use async_trait::async_trait;
use ports::{
    StoreError, Unit,
    queue::{QueueName, Receipt, Settled},
    unit::{Effects, Refusal, RefusalKind, UnitOutcome},
};
use types::{
    kv::{Committed, IdempotencyKey, Write},
    limits,
};

use crate::{
    failpoint::Point,
    kv::{self, KvModule},
    log::{self, LogModule},
    queue::{self, QueueModule, what_matters},
    shard::{
        Applied, Batch, Shard,
        replies::{self, Scope},
    },
};

/// What units reach.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) kv: Arc<KvModule>,
    pub(crate) log: Arc<LogModule>,
    pub(crate) queue: Arc<QueueModule>,
}

/// The units of one node.
pub(crate) struct UnitStore {
    shard: Arc<Shard>,
    parts: Parts,
}

impl UnitStore {
    pub(crate) fn new(shard: Arc<Shard>, parts: Parts) -> Self {
        Self { shard, parts }
    }
}

#[async_trait]
impl Unit for UnitStore {
    async fn commit(&self, effects: Effects, idempotency: IdempotencyKey) -> Result<UnitOutcome, StoreError> {
        self.shard.reading().check()?;
        check_limits(&effects)?;
        replies::check_key(&idempotency)?;
        let (parts, hash) = (self.parts.clone(), hash(&effects));
        self.shard.run(move |batch| parts.commit(batch, &effects, &idempotency, &hash)).await
    }
}

/// Why a unit is undone.
enum Undone {
    Refused(Refusal),
    Failed(StoreError),
}

type Step<T> = rusqlite::Result<Result<T, Undone>>;

fn refused<T>(kind: RefusalKind, reason: String) -> Step<T> {
    Ok(Err(Undone::Refused(Refusal { kind, reason })))
}

/// What a step came to, or the way out of the unit.
macro_rules! held {
    ($step:expr) => {
        match $step? {
            Ok(value) => value,
            Err(undone) => return Ok(Err(undone)),
        }
    };
}

impl Parts {
    fn commit(
        &self,
        batch: &mut Batch<'_>,
        effects: &Effects,
        key: &IdempotencyKey,
        hash: &blake3::Hash,
    ) -> Applied<UnitOutcome> {
        let scope = Scope { name: "unit", key, hash };
        match replies::recall::<()>(batch, scope)? {
            Ok(None) => {}
            Ok(Some(())) => return Ok(Ok(UnitOutcome::Committed)),
            Err(conflict) => return Ok(Err(conflict)),
        }
        let queue_mark = self.queue.mark();
        let kv_mark = self.kv.mark(effects.kv.iter().map(|(namespace, _)| namespace));
        let done = batch.savepoint(|batch| self.apply(batch, effects))?;
        match done {
            Ok(()) => {
                replies::remember(batch, scope, &())?;
                Ok(Ok(UnitOutcome::Committed))
            }
            Err(undone) => {
                self.kv.undo(kv_mark);
                self.queue.undo(batch, queue_mark)?;
                Ok(match undone {
                    Undone::Refused(refusal) => Ok(UnitOutcome::Refused(refusal)),
                    Undone::Failed(error) => Err(error),
                })
            }
        }
    }

    fn apply(&self, batch: &mut Batch<'_>, effects: &Effects) -> Step<()> {
        held!(self.acknowledge(batch, &effects.acks));
        batch.failpoints.pass(Point::UnitAcknowledged);
        held!(self.write(batch, effects));
        batch.failpoints.pass(Point::UnitWritten);
        held!(self.send(batch, effects));
        held!(self.stream(batch, effects));
        Ok(Ok(()))
    }

    fn stream(&self, batch: &mut Batch<'_>, effects: &Effects) -> Step<()> {
        for (stream, group, partition, next, epoch) in &effects.offsets {
            held!(self.log.commit(batch, (stream, group), *partition, *next, *epoch).map(failing));
        }
        for run in effects.appends.chunk_by(|(one, _), (next, _)| one == next) {
            let records: Vec<_> = run.iter().map(|(_, record)| record.clone()).collect();
            held!(self.log.append(batch, &run[0].0, &records, None).map(failing));
        }
        Ok(Ok(()))
    }

    fn acknowledge(&self, batch: &mut Batch<'_>, acks: &[(QueueName, Receipt)]) -> Step<()> {
        for run in acks.chunk_by(|(one, _), (next, _)| one == next) {
            let queue = &run[0].0;
            let receipts: Vec<Receipt> = run.iter().map(|(_, receipt)| *receipt).collect();
            let settled = held!(self.queue.ack(batch, queue, &receipts).map(failing));
            let stale = settled.iter().zip(&receipts).find(|(settled, _)| **settled == Settled::Stale);
            if let Some((_, Receipt { id, attempt })) = stale {
                return refused(RefusalKind::Stale, format!("delivery {attempt} of {id} in {} is not the newest", queue.0));
            }
        }
        Ok(Ok(()))
    }

    fn write(&self, batch: &mut Batch<'_>, effects: &Effects) -> Step<()> {
        for (namespace, transaction) in &effects.kv {
            match held!(self.kv.apply(batch, namespace, transaction).map(failing)) {
                Committed::At(_) => {}
                Committed::Refused { condition } => {
                    let key = transaction.conditions.get(condition).map(|condition| condition.key().clone()).unwrap_or_default();
                    let key = String::from_utf8_lossy(&key).into_owned();
                    return refused(RefusalKind::Conflict, format!("key {key:?} of {} has changed", namespace.0));
                }
            }
        }
        Ok(Ok(()))
    }

    fn send(&self, batch: &mut Batch<'_>, effects: &Effects) -> Step<()> {
        for run in effects.enqueues.chunk_by(|(one, _), (next, _)| one == next) {
            let messages: Vec<_> = run.iter().map(|(_, message)| message.clone()).collect();
            held!(self.queue.enqueue(batch, &run[0].0, &messages).map(failing));
        }
        Ok(Ok(()))
    }
}

fn failing<T>(outcome: Result<T, StoreError>) -> Result<T, Undone> {
    outcome.map_err(|error| match error {
        StoreError::Fenced(reason) => Undone::Refused(Refusal { kind: RefusalKind::Fenced, reason }),
        error => Undone::Failed(error),
    })
}

/// Tells two units apart that come with the same key. Causes are no part of what is asked for.
fn hash(effects: &Effects) -> blake3::Hash {
    let Effects { acks, enqueues, appends, kv, offsets } = effects;
    let enqueues: Vec<_> = enqueues.iter().map(|(queue, message)| (queue, what_matters(message))).collect();
    let appends: Vec<_> =
        appends.iter().map(|(stream, record)| (stream, types::stream::Record { cause: None, ..record.clone() })).collect();
    replies::hash(&(acks, enqueues, appends, kv, offsets))
}

fn check_limits(effects: &Effects) -> Result<(), StoreError> {
    let Effects { acks, enqueues, appends, kv, offsets } = effects;
    let writes: usize = kv.iter().map(|(_, transaction)| transaction.conditions.len() + transaction.writes.len()).sum();
    let (measured, allowed) =
        ((acks.len() + enqueues.len() + appends.len() + writes + offsets.len()) as u64, limits::UNIT_EFFECTS as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "effects", measured, allowed });
    }
    enqueues.iter().try_for_each(|(_, message)| queue::check_message(message))?;
    appends.iter().try_for_each(|(_, record)| log::check_record(record))?;
    kv.iter().try_for_each(|(_, transaction)| kv::check_limits(transaction))?;
    let values = kv.iter().flat_map(|(_, transaction)| &transaction.writes).map(|write| match write {
        Write::Put { key, value, .. } => key.len() + value.len(),
        Write::Delete { key } => key.len(),
    });
    let bodies =
        enqueues.iter().map(|(_, message)| message.body.len()).chain(appends.iter().map(|(_, record)| record.body.len()));
    let measured = values.chain(bodies).sum::<usize>() as u64;
    let allowed = limits::UNIT_BYTES.0;
    if measured > allowed { Err(StoreError::TooLarge { what: "transaction", measured, allowed }) } else { Ok(()) }
}
