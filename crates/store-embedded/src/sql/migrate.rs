//! Migrations: each applied once, in a transaction of its own, in the order of their names.

use std::collections::BTreeMap;

use ports::{StoreError, sql::Migration};
use rusqlite::{Batch, Connection, fallible_iterator::FallibleIterator as _, params};
use types::limits;

use super::{capture::Captured, errors, guard::Mode, handle::Handle};
use crate::{sqlite::damaged, stop::Stop};

/// Those that were applied, by name.
pub(super) fn applied(connection: &Connection) -> rusqlite::Result<Vec<Migration>> {
    let mut query = connection.prepare("SELECT name, hash, sql FROM _dayfly_migration ORDER BY name")?;
    let rows = query.query_map([], |row| {
        let migration = Migration { name: row.get(0)?, sql: row.get(2)? };
        match row.get::<_, Vec<u8>>(1)? == hash(&migration) {
            true => Ok(migration),
            false => Err(damaged(format!("the applied migration {} does not match its hash", migration.name))),
        }
    })?;
    rows.collect()
}

fn hash(migration: &Migration) -> [u8; 32] {
    *blake3::hash(migration.sql.as_bytes()).as_bytes()
}

/// Those that are to be applied, in order.
///
/// # Errors
/// `Conflict` if they do not fit what was applied.
pub(super) fn missing<'a>(applied: &[Migration], wanted: &'a [Migration]) -> Result<Vec<&'a Migration>, StoreError> {
    let newest = applied.last().map(|migration| migration.name.as_str());
    let applied: BTreeMap<&str, &Migration> = applied.iter().map(|migration| (migration.name.as_str(), migration)).collect();
    let mut missing = BTreeMap::new();
    for migration in wanted {
        let name = migration.name.as_str();
        match applied.get(name) {
            Some(before) if before.sql == migration.sql => {}
            Some(_) => return Err(StoreError::Conflict(format!("{name} was applied with another text"))),
            None if newest.is_some_and(|newest| name < newest) => {
                let newest = newest.unwrap_or_default();
                return Err(StoreError::Conflict(format!("{name} comes before {newest}, which was applied")));
            }
            None if missing.insert(name, migration).is_some() => {
                return Err(StoreError::Conflict(format!("{name} is there twice")));
            }
            None => {}
        }
    }
    Ok(missing.into_values().collect())
}

/// Applies one. Changes that it makes to rows are noted like all others.
pub(super) fn apply(handle: &Handle, captured: &Captured, migration: &Migration, stop: &Stop) -> Result<(), StoreError> {
    handle.begin(limits::TIME_MAX, None);
    handle.guard.set(Mode::Within);
    let name = &migration.name;
    let outcome = handle.whole(|handle| {
        let run = || run_all(handle, captured, &migration.sql).map_err(|error| errors::of_statement(&error, &handle.guard, stop));
        handle.keeping_names(run)?;
        let note = "INSERT INTO _dayfly_migration (name, hash, sql) VALUES (?1, ?2, ?3)";
        handle.own(|connection| connection.execute(note, params![name, hash(migration), migration.sql]))
    });
    match outcome {
        Ok(_) => Ok(()),
        Err(StoreError::Rejected(text) | StoreError::Denied(text)) => {
            Err(StoreError::Rejected(format!("migration {name}: {text}")))
        }
        Err(error) => Err(error),
    }
}

/// Runs statement by statement: triggers are away while one is prepared, since they would be in the way of reshaping a table, and back
/// when one runs that does not reshape.
fn run_all(handle: &Handle, captured: &Captured, sql: &str) -> rusqlite::Result<()> {
    let mut batch = Batch::new(&handle.connection, sql);
    loop {
        handle.disarm()?;
        handle.guard.take_reshapes();
        let Some(mut statement) = batch.next()? else { return Ok(()) };
        if !handle.guard.take_reshapes() && !statement.readonly() {
            handle.arm(captured, Mode::Within)?;
        }
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
}
