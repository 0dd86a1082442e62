//! Random statements on several connections, against a map: what is in the table, and what was noted of it.

use std::collections::BTreeMap;

use ports::{SqlConnection, sql::SqlValue};
use types::trigger::RowChange;

use super::{SqlFixture, done, int, statement};
use crate::rng::SeededRng;

const KEYS: usize = 12;

type Table = BTreeMap<i64, i64>;

pub(super) async fn agrees_with_a_map_and_notes_every_change(fixture: &SqlFixture, seed: u64) {
    let rng = SeededRng::new(seed);
    fixture.run(&["CREATE TABLE t (k INTEGER PRIMARY KEY, v)"]).await;
    fixture.sql.capture(fixture.database(), &["t".into()]).await.expect("it can be captured");
    let mut connections = [fixture.open().await, fixture.open().await, fixture.open().await];
    let mut table = Table::new();
    for _ in 0..150 {
        let place = rng.below(connections.len());
        if rng.percent(10) {
            connections[place] = fixture.open().await;
        }
        let connection = &*connections[place];
        if rng.percent(40) {
            table = in_transaction(connection, &rng, &table).await;
        } else {
            change(connection, &rng, &mut table).await;
        }
        assert_eq!(read(connection).await, table);
    }
    assert_eq!(replayed(fixture).await, table, "the changes together make the table");
}

/// Several changes, of which some are undone, and perhaps all.
async fn in_transaction(connection: &dyn SqlConnection, rng: &SeededRng, before: &Table) -> Table {
    let mut table = before.clone();
    done(connection, if rng.percent(50) { "BEGIN" } else { "BEGIN IMMEDIATE" }).await;
    for _ in 0..rng.below(6) {
        if rng.percent(20) {
            done(connection, "SAVEPOINT s").await;
            change(connection, rng, &mut table.clone()).await;
            done(connection, "ROLLBACK TO s").await;
            done(connection, "RELEASE s").await;
        } else {
            change(connection, rng, &mut table).await;
        }
    }
    if rng.percent(70) {
        done(connection, "COMMIT").await;
        return table;
    }
    done(connection, "ROLLBACK").await;
    before.clone()
}

async fn change(connection: &dyn SqlConnection, rng: &SeededRng, table: &mut Table) {
    let key = i64::try_from(rng.below(KEYS)).expect("small");
    let value = i64::try_from(rng.below(1_000)).expect("small");
    let (text, expected) = match rng.below(4) {
        0 => ("REPLACE INTO t VALUES (?1, ?2)", 1),
        1 => ("UPDATE t SET v = ?2 WHERE k <= ?1", table.range(..=key).count()),
        2 => ("DELETE FROM t WHERE k = ?1 AND ?2 >= 0", usize::from(table.contains_key(&key))),
        _ => ("INSERT INTO t VALUES (?1, ?2) ON CONFLICT DO NOTHING", usize::from(!table.contains_key(&key))),
    };
    let rows = connection.run(statement(text, vec![int(key), int(value)]), None).await.expect("it is right");
    assert_eq!(rows.changed, expected as u64, "{text} with {key} on {table:?}");
    match text.split(' ').next() {
        Some("UPDATE") => table.range_mut(..=key).for_each(|(_, present)| *present = value),
        Some("DELETE") => drop(table.remove(&key)),
        Some("REPLACE") => drop(table.insert(key, value)),
        _ => drop(table.entry(key).or_insert(value)),
    }
}

async fn read(connection: &dyn SqlConnection) -> Table {
    done(connection, "SELECT k, v FROM t").await.rows.iter().map(|row| pair(row)).collect()
}

fn pair(row: &[SqlValue]) -> (i64, i64) {
    match row {
        [SqlValue::Integer(key), SqlValue::Integer(value)] => (*key, *value),
        _ => panic!("{row:?} is not what was written"),
    }
}

/// Applies everything that was noted to an empty table; each old row must be what was there.
async fn replayed(fixture: &SqlFixture) -> Table {
    let mut table = Table::new();
    for (change, _) in fixture.changes(0).await {
        let (old, new) = (change.old.as_deref().map(pair), change.new.as_deref().map(pair));
        match (change.change, old, new) {
            (RowChange::Insert, None, Some((key, value))) => assert_eq!(table.insert(key, value), None),
            (RowChange::Delete, Some((key, value)), None) => assert_eq!(table.remove(&key), Some(value)),
            (RowChange::Update, Some((key, old)), Some((same, new))) if key == same => {
                assert_eq!(table.insert(key, new), Some(old))
            }
            other => panic!("{other:?}"),
        }
    }
    table
}
