//! Row changes: noted by triggers, in the transaction that makes the change.
//!
//! The triggers are temporary, so each connection that writes makes its own and an app never sees them in its schema. They call two
//! functions of ours: one encodes a row exactly, the other gives the cause. Why not the engine's hooks: docs/adr/0009-row-changes.md.

use std::sync::Arc;

use bytes::Bytes;
use ports::sql::{RowChanged, SqlValue};
use rusqlite::{
    Connection, Row, Transaction, TransactionBehavior,
    functions::{Context, FunctionFlags},
    params,
    types::ValueRef,
};
use types::{Cause, trigger::RowChange};

use super::guard::Guard;
use crate::sqlite::{damaged, int, uint};

/// The tables whose changes are noted.
#[derive(Debug, Default)]
pub(super) struct Captured {
    pub(super) tables: Vec<String>,
    /// Grows with each change of the list.
    pub(super) generation: u64,
}

const CHANGES: [(RowChange, &str); 3] =
    [(RowChange::Insert, "INSERT"), (RowChange::Update, "UPDATE"), (RowChange::Delete, "DELETE")];

/// Gives the connection what the triggers call.
pub(super) fn add_functions(connection: &Connection, guard: &Arc<Guard>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("_dayfly_row", -1, flags, encode_row)?;
    let guard = guard.clone();
    connection.create_scalar_function("_dayfly_cause", 0, flags, move |_| {
        guard.note();
        Ok(guard.cause())
    })
}

fn encode_row(context: &Context<'_>) -> rusqlite::Result<Vec<u8>> {
    let values: Result<Vec<SqlValue>, _> = (0..context.len()).map(|column| value_of(context.get_raw(column))).collect();
    let values = values.map_err(|text| rusqlite::Error::UserFunctionError(text.into()))?;
    Ok(postcard::to_stdvec(&values).expect("plain data in memory always serializes"))
}

/// The engine's value as ours.
pub(super) fn value_of(value: ValueRef<'_>) -> Result<SqlValue, String> {
    Ok(match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(value) => SqlValue::Integer(value),
        ValueRef::Real(value) => SqlValue::Real(value),
        ValueRef::Blob(bytes) => SqlValue::Blob(Bytes::copy_from_slice(bytes)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => SqlValue::Text(text.to_owned()),
            Err(_) => return Err("a column holds text that is not UTF-8; CAST it AS BLOB".into()),
        },
    })
}

/// Removes the connection's triggers.
pub(super) fn drop_triggers(connection: &Connection) -> rusqlite::Result<()> {
    let mut ours = connection
        .prepare("SELECT name FROM sqlite_temp_master WHERE type = 'trigger' AND name LIKE '\\_dayfly\\_%' ESCAPE '\\'")?;
    let names: Vec<String> = ours.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    names.iter().try_for_each(|name| connection.execute_batch(&format!("DROP TRIGGER temp.{}", quoted(name))))
}

/// Makes triggers for those of the tables that exist.
pub(super) fn make_triggers(connection: &Connection, captured: &Captured) -> rusqlite::Result<()> {
    // Without this the rows that REPLACE removes would go unnoticed.
    connection.pragma_update(None, "recursive_triggers", !captured.tables.is_empty())?;
    for (index, table) in captured.tables.iter().enumerate() {
        let columns = columns_of(connection, table)?;
        if columns.is_empty() {
            continue;
        }
        let names = serde_json::to_string(&columns).expect("names always serialize");
        for (place, (_, event)) in CHANGES.iter().enumerate() {
            let row = |side: &str| {
                let values: Vec<String> = columns.iter().map(|column| format!("{side}.{}", quoted(column))).collect();
                format!("_dayfly_row({})", values.join(", "))
            };
            let old = if *event == "INSERT" { "NULL".into() } else { row("OLD") };
            let new = if *event == "DELETE" { "NULL".into() } else { row("NEW") };
            connection.execute_batch(&format!(
                "CREATE TEMP TRIGGER _dayfly_{index}_{place} AFTER {event} ON main.{table} BEGIN
                 INSERT INTO _dayfly_change (tbl, op, columns, old, new, cause)
                 VALUES ({}, {place}, {}, {old}, {new}, _dayfly_cause()); END",
                literal(table),
                literal(&names),
                table = quoted(table),
            ))?;
        }
    }
    Ok(())
}

/// The table's columns, also those that are computed; none if there is no such table.
fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let is_table =
        "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE AND sql NOT LIKE 'CREATE VIRTUAL%'";
    if !connection.prepare(is_table)?.exists([table])? {
        return Ok(vec![]);
    }
    // Hidden columns of kind 1 are those of virtual tables.
    let mut query = connection.prepare("SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid")?;
    query.query_map([table], |row| row.get(0))?.collect()
}

/// How many tables and the like in the file have names of ours.
pub(super) fn count_ours(connection: &Connection) -> rusqlite::Result<i64> {
    let text = "SELECT count(*) FROM main.sqlite_master WHERE name LIKE '\\_dayfly\\_%' ESCAPE '\\'";
    connection.prepare(text)?.query_one([], |row| row.get(0))
}

/// A count that grows with each change of the file's schema.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA main.schema_version")?.query_one([], |row| row.get(0))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The list as the file has it.
pub(super) fn read_list(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare("SELECT tbl FROM _dayfly_capture ORDER BY tbl")?.query_map([], |row| row.get(0))?.collect()
}

/// Replaces the list, in a transaction of its own.
pub(super) fn write_list(connection: &Connection, tables: &[String]) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM _dayfly_capture", [])?;
    for table in tables {
        transaction.execute("INSERT OR IGNORE INTO _dayfly_capture (tbl) VALUES (?1)", [table])?;
    }
    transaction.commit()
}

/// The oldest changes above a sequence that were not forgotten.
pub(super) fn changes(connection: &Connection, above: u64, max: usize) -> rusqlite::Result<Vec<(RowChanged, Option<Cause>)>> {
    let mut query = connection.prepare(
        "SELECT seq, tbl, op, columns, old, new, cause FROM _dayfly_change
         WHERE seq > max(?1, (SELECT upto FROM _dayfly_forgotten)) ORDER BY seq LIMIT ?2",
    )?;
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    query.query_map(params![int(above), max], change_of)?.collect()
}

fn change_of(row: &Row<'_>) -> rusqlite::Result<(RowChanged, Option<Cause>)> {
    let sequence = uint(row.get(0)?);
    let unreadable = |what: &str| damaged(format!("the {what} of row change {sequence} can't be read"));
    let (change, _) = CHANGES.get(usize::from(row.get::<_, u8>(2)?)).ok_or_else(|| unreadable("kind"))?;
    let side = |column: usize, what| -> rusqlite::Result<Option<Vec<SqlValue>>> {
        let bytes: Option<Vec<u8>> = row.get(column)?;
        bytes.map(|bytes| postcard::from_bytes(&bytes).map_err(|_| unreadable(what))).transpose()
    };
    let cause: Option<Vec<u8>> = row.get(6)?;
    let cause = cause.map(|bytes| postcard::from_bytes(&bytes).map_err(|_| unreadable("cause"))).transpose()?;
    let columns = serde_json::from_str(&row.get::<_, String>(3)?).map_err(|_| unreadable("columns"))?;
    let (old, new) = (side(4, "old row")?, side(5, "new row")?);
    Ok((RowChanged { sequence, table: row.get(1)?, change: *change, columns, old, new }, cause))
}

/// Forgets changes up to a sequence. The newest row stays, so that its sequence is never given again.
pub(super) fn forget(connection: &Connection, upto: u64) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute(
        "UPDATE _dayfly_forgotten SET upto = max(upto, min(?1, (SELECT ifnull(max(seq), 0) FROM _dayfly_change)))",
        [int(upto)],
    )?;
    transaction
        .execute("DELETE FROM _dayfly_change WHERE seq <= ?1 AND seq < (SELECT max(seq) FROM _dayfly_change)", [int(upto)])?;
    transaction.commit()
}
