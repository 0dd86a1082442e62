//! Changed rows of databases as events, and the way of the changes into the queues of those who wait for them.
//!
//! Type `dayfly.sql.insert`, `dayfly.sql.update` or `dayfly.sql.delete`, source `/apps/{app}/{env}/sql/{database}`, subject the table.
//! Data: `{"table", "old", "new", "sequence"}`; rows are objects by column, blobs as `{"base64": …}`, null where there is no row.
//!
//! A database notes its changes in the transaction that makes them. One forwarder a database moves them on: its position and the messages
//! are committed as one unit, with the condition that the position is still the one that it read. So each change is forwarded once,
//! whenever the process dies; only then the noted changes are forgotten.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use data_encoding::BASE64;
use ports::{
    StoreError,
    queue::{Message, QueueName},
    unit::{Effects, UnitOutcome},
};
use serde_json::{Map, Value};
use types::{
    AppKey, Cause, CloudEvent, Elapsed, LiveFunction,
    event::StoreChange,
    kv::{Condition, Namespace, Transaction, Write},
    limits,
    sql::{DatabaseName, RowChanged, SqlValue},
    trigger::{RowChange, Source},
};

use super::{
    Shared,
    dispatch::retry::jitter,
    manager::Start,
    origin::{Happened, source},
    wanted::Candidates,
};

/// Where forwarders keep their positions.
const POSITIONS: &str = "~system/sql";
/// Changes that are moved at once.
const CHANGES_MAX: usize = 500;
/// Bytes that are moved at once.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// A forwarder that nothing woke looks by itself after this.
const LOOK: Duration = Duration::from_secs(60);

/// Whether a function that asked for these tables and changes gets this one.
pub(crate) fn wants(tables: &[String], change: Option<RowChange>, row: &RowChanged) -> bool {
    tables.iter().any(|table| table.eq_ignore_ascii_case(&row.table)) && change.is_none_or(|change| change == row.change)
}

pub(crate) fn event(app: &AppKey, database: &str, id: String, changed: &RowChanged) -> CloudEvent {
    let RowChanged { sequence, table, change, columns, old, new } = changed;
    let kind = match change {
        RowChange::Insert => "dayfly.sql.insert",
        RowChange::Update => "dayfly.sql.update",
        RowChange::Delete => "dayfly.sql.delete",
    };
    let row = |values: &Option<Vec<SqlValue>>| {
        let pairs = values.iter().flat_map(|values| columns.iter().zip(values));
        let object: Map<String, Value> = pairs.map(|(column, value)| (column.clone(), json(value))).collect();
        if values.is_some() { Value::Object(object) } else { Value::Null }
    };
    let data = [("table", table.as_str().into()), ("old", row(old)), ("new", row(new)), ("sequence", (*sequence).into())];
    let data = data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // The row does not say when; the message that it waited in does, through the trace.
    let happened = Happened {
        id,
        source: source(app, "sql", database),
        kind,
        subject: Some(table.clone()),
        at: types::Timestamp::default(),
        data,
    };
    CloudEvent { time: None, ..happened.into() }
}

fn json(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => (*number).into(),
        SqlValue::Real(number) => (*number).into(),
        SqlValue::Text(text) => text.as_str().into(),
        SqlValue::Blob(bytes) => serde_json::json!({ "base64": BASE64.encode(bytes) }),
    }
}

/// Forwards changes of one database until it is stopped. When nobody wants them any more, the database stops noting them.
pub(crate) async fn forward(database: DatabaseName, start: Start) {
    let Start { shared, mut candidates, stop } = start;
    let (mut noted, mut failures) = (Vec::new(), 0_u32);
    while !stop.has_begun() {
        let wanted = candidates.borrow_and_update().clone();
        // Before the look, so that a change after it ends the wait.
        let changed = shared.settings.sql.changed(&database);
        let pause = match round(&shared, &database, &wanted, &mut noted).await {
            Ok(true) => continue,
            Ok(false) => {
                failures = 0;
                LOOK
            }
            Err(error) => {
                tracing::warn!(database = %database.0, %error, "changes of a database can't be forwarded");
                failures = failures.saturating_add(1);
                jitter(&*shared.settings.rng, Duration::from_millis(100).saturating_mul(1 << failures.min(9)))
            }
        };
        let until = shared.settings.clock.monotonic_ns().saturating_add(Elapsed::from(pause).ns());
        tokio::select! {
            () = stop.clone().begun() => {}
            _ = candidates.changed() => {}
            () = changed, if failures == 0 => {}
            () = shared.settings.clock.sleep_until(until) => {}
        }
    }
    if candidates.borrow().0.is_empty()
        && let Err(error) = end(&shared, &database, noted).await
    {
        tracing::warn!(database = %database.0, %error, "a database goes on noting changes that nobody wants");
    }
}

/// Nobody wants changes of the database any more: it stops noting them, and a later forwarder begins anew, as the database may too.
async fn end(shared: &Shared, database: &DatabaseName, mut noted: Vec<String>) -> Result<(), StoreError> {
    while round(shared, database, &Candidates::default(), &mut noted).await? {}
    let (namespace, key) = (Namespace(POSITIONS.to_owned()), Bytes::from(database.0.clone()));
    let gone = Transaction { writes: vec![Write::Delete { key }], ..Transaction::default() };
    shared.settings.kv.commit(&namespace, gone).await.map(drop)
}

/// Moves what there is, at most so much at once; gives whether there may be more.
async fn round(
    shared: &Shared,
    database: &DatabaseName,
    wanted: &Candidates,
    noted: &mut Vec<String>,
) -> Result<bool, StoreError> {
    let settings = &shared.settings;
    let mut tables: Vec<String> =
        wanted.0.iter().filter_map(|(function, _)| asked(function)).flat_map(|(tables, _)| tables).cloned().collect();
    tables.sort_unstable();
    tables.dedup();
    if *noted != tables {
        settings.sql.capture(database, &tables).await?;
        *noted = tables;
    }
    let (namespace, key) = (Namespace(POSITIONS.to_owned()), Bytes::from(database.0.clone()));
    let position = settings.kv.get(&namespace, &key).await?;
    let above = position.as_ref().and_then(|entry| <[u8; 8]>::try_from(&entry.value[..]).ok()).map_or(0, u64::from_be_bytes);
    let changes = settings.sql.changes(database, above, CHANGES_MAX).await?;
    let Some((effects, last, taken)) = effects(&changes, wanted) else { return Ok(false) };
    let condition = position.map_or_else(|| Condition::Absent(key.clone()), |entry| Condition::At(key.clone(), entry.rev));
    let write = Write::Put { key, value: Bytes::copy_from_slice(&last.to_be_bytes()), expires: None };
    let moved = Transaction { conditions: vec![condition], writes: vec![write], ..Transaction::default() };
    let effects = Effects { kv: vec![(namespace, moved)], ..effects };
    let name = shared.fresh_key("rows");
    if let UnitOutcome::Refused(reason) = settings.unit.commit(effects, name).await? {
        // Somebody else moved the position: what it is now says what is left, and only that may be forgotten.
        return Err(StoreError::Changed(reason.reason));
    }
    settings.sql.forget(database, last).await?;
    Ok(taken < changes.len() || changes.len() == CHANGES_MAX)
}

fn asked(function: &Arc<LiveFunction>) -> Option<(&Vec<String>, Option<RowChange>)> {
    match &function.function.on.as_ref()?.source {
        Source::Sql { tables, change, .. } => Some((tables, *change)),
        _ => None,
    }
}

/// The messages for these changes, the last sequence among them, and how many changes were taken; `None` if there are none.
fn effects(changes: &[(RowChanged, Option<Cause>)], wanted: &Candidates) -> Option<(Effects, u64, usize)> {
    let (mut effects, mut bytes, mut last, mut taken) = (Effects::default(), 0, None, 0);
    for (row, cause) in changes {
        let asking =
            wanted.0.iter().filter(|(function, _)| asked(function).is_some_and(|(tables, change)| wants(tables, change, row)));
        let mut queues: Vec<QueueName> =
            asking.map(|(function, _)| QueueName::of_trigger(&function.key, &function.function.name)).collect();
        queues.sort_unstable();
        queues.dedup();
        let body = if queues.is_empty() { Bytes::new() } else { encode(row) };
        let full =
            effects.enqueues.len() + queues.len() >= limits::UNIT_EFFECTS - 1 || bytes + queues.len() * body.len() > BYTES_MAX;
        if full && last.is_some() {
            break;
        }
        bytes += queues.len() * body.len();
        let message = |queue| (queue, Message { body: body.clone(), cause: *cause, ..Message::default() });
        effects.enqueues.extend(queues.into_iter().map(message));
        last = Some(row.sequence);
        taken += 1;
    }
    Some((effects, last?, taken))
}

/// The change as a message. Values are left out where they are more than a message may hold: first the old row, then both.
fn encode(row: &RowChanged) -> Bytes {
    let without = |old: bool, new: bool| RowChanged {
        old: row.old.clone().filter(|_| old),
        new: row.new.clone().filter(|_| new),
        ..row.clone()
    };
    let mut body = Vec::new();
    for kept in [row.clone(), without(false, true), without(false, false)] {
        body = postcard::to_allocvec(&StoreChange::Row(kept)).expect("a row is written to memory");
        if body.len() as u64 <= limits::EVENT.0 {
            break;
        }
    }
    body.into()
}
