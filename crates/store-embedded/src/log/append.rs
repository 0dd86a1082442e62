//! Appending: each partition's next place comes from its row, inside the one open transaction. So places are in commit order, and once a
//! reader saw one, nothing appears below it.

use std::collections::BTreeMap;

use bytes::Bytes;
use ports::{
    StoreError,
    log::{Partition, Record, Sequence},
};
use rusqlite::{OptionalExtension as _, params};
use types::{Elapsed, limits};

use super::row::{self, Part, SEQUENCE_END, Stream};
use crate::{
    shard::{Applied, Batch},
    sqlite::{int, uint},
};

type Places = Vec<(Partition, Sequence)>;

/// Refuses what is over a limit.
pub(crate) fn check_record(record: &Record) -> Result<(), StoreError> {
    let within = |what, bytes: usize, allowed: types::ByteCount| {
        let (measured, allowed) = (bytes as u64, allowed.0);
        if measured > allowed { Err(StoreError::TooLarge { what, measured, allowed }) } else { Ok(()) }
    };
    for key in record.key.iter().chain(&record.dedup) {
        within("key", key.len(), limits::KV_KEY)?;
    }
    within("event", record.body.len(), limits::EVENT)
}

/// The same for one call.
pub(super) fn check(records: &[Record]) -> Result<(), StoreError> {
    let (measured, allowed) = (records.len() as u64, limits::EVENT_BATCH as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "records", measured, allowed });
    }
    records.iter().try_for_each(check_record)?;
    let bytes: usize = records.iter().map(|record| record.body.len()).sum();
    let (measured, allowed) = (bytes as u64, limits::UNIT_BYTES.0);
    if measured > allowed { Err(StoreError::TooLarge { what: "transaction", measured, allowed }) } else { Ok(()) }
}

/// Appends all or none. Nothing is written before all that can be refused was looked at.
pub(super) fn append(batch: &Batch<'_>, stream: Stream, records: &[Record], expect: Option<Sequence>) -> Applied<Places> {
    let mut parts: BTreeMap<u32, Part> =
        row::parts(batch.connection, stream.id)?.into_iter().map(|part| (part.place, part)).collect();
    if let Some(full) = parts.values().find(|part| part.next + records.len() as u64 >= SEQUENCE_END) {
        return Ok(Err(StoreError::Failed(format!("partition {} is full for ever", full.place))));
    }
    // Those without a key go where the fewest went, all of a call together.
    let free = parts.values().min_by_key(|part| (part.next, part.place)).map_or(0, |part| part.place);
    let mut plan = Vec::with_capacity(records.len());
    let mut fresh: BTreeMap<&Bytes, usize> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        plan.push(match &record.dedup {
            None => Step::Append,
            Some(key) => match known(batch, stream, key)? {
                Some(place) => Step::Known(place),
                None => fresh.get(key).map_or(Step::Append, |first| Step::Same(*first)),
            },
        });
        if let (Some(key), Some(Step::Append)) = (&record.dedup, plan.last()) {
            fresh.insert(key, index);
        }
    }
    let place_of = |record: &Record| record.key.as_ref().map_or(free, |key| row::partition_of(key, stream.partitions).0);
    if let Some(Sequence(expected)) = expect
        && let Err(refused) = check_expected(expected, records, &plan, &parts, place_of)
    {
        return Ok(Err(refused));
    }
    let mut places: Places = Vec::with_capacity(records.len());
    for (record, step) in records.iter().zip(plan) {
        let place = match step {
            Step::Known(place) => place,
            Step::Same(first) => places[first],
            Step::Append => {
                let part = parts.get_mut(&place_of(record)).expect("a stream has the partitions that it counts");
                write(batch, stream, part, record)?
            }
        };
        places.push(place);
    }
    for part in parts.values().filter(|part| places.iter().any(|(place, _)| place.0 == part.place)) {
        row::save(batch.connection, part)?;
    }
    Ok(Ok(places))
}

/// What becomes of a record.
enum Step {
    Append,
    /// It was appended before.
    Known((Partition, Sequence)),
    /// It is the same as an earlier one of this call.
    Same(usize),
}

fn check_expected(
    expected: u64,
    records: &[Record],
    plan: &[Step],
    parts: &BTreeMap<u32, Part>,
    place_of: impl Fn(&Record) -> u32,
) -> Result<(), StoreError> {
    let new = records.iter().zip(plan).filter(|(_, step)| matches!(step, Step::Append));
    let mut places = new.map(|(record, _)| place_of(record));
    let Some(place) = places.next() else { return Ok(()) };
    if places.any(|other| other != place) {
        return Err(StoreError::Rejected("records for several partitions can't expect one sequence".into()));
    }
    let next = parts.get(&place).map_or(0, |part| part.next);
    if next == expected {
        return Ok(());
    }
    Err(StoreError::Changed(format!("the next sequence of partition {place} is {next} and not {expected}")))
}

fn write(batch: &Batch<'_>, stream: Stream, part: &mut Part, record: &Record) -> rusqlite::Result<(Partition, Sequence)> {
    let sequence = part.next;
    part.next += 1;
    row::write(batch.connection, part.row(sequence), batch.time(), record)?;
    if let Some(key) = &record.dedup {
        let until = int(batch.now.plus(Elapsed::from(limits::QUEUE_DEDUP_TIME)).unix_ns());
        batch
            .connection
            .prepare_cached(
                "INSERT OR REPLACE INTO record_key (stream, key, place, sequence, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![stream.id, &key[..], part.place, int(sequence), until])?;
    }
    Ok((Partition(part.place), Sequence(sequence)))
}

/// Where the record with this deduplication key went, if one came in time.
fn known(batch: &Batch<'_>, stream: Stream, key: &Bytes) -> rusqlite::Result<Option<(Partition, Sequence)>> {
    let mut query = batch
        .connection
        .prepare_cached("SELECT place, sequence FROM record_key WHERE stream = ?1 AND key = ?2 AND until > ?3")?;
    let place = |row: &rusqlite::Row<'_>| Ok((Partition(row.get(0)?), Sequence(uint(row.get(1)?))));
    query.query_one(params![stream.id, &key[..], batch.time()], place).optional()
}
