//! Removes messages that are older than their queue keeps them, and deduplication keys that ran out.

use rusqlite::{OptionalExtension as _, params};
use types::{Elapsed, limits};

use super::{
    line::Line,
    memory::{At, Memory},
    module::remove,
};
use crate::{
    shard::Batch,
    sqlite::{int, uint},
};

/// Messages and keys that one tick removes: it must not hold up callers for long.
const SWEEP_MAX: usize = 1_000;

/// How long the queue keeps messages, in nanoseconds.
pub(super) fn of(line: &Line) -> u64 {
    line.retention_ns.unwrap_or_else(|| Elapsed::from(limits::RETENTION_TIME).ns())
}

/// Removes some of what is over; gives whether there is more.
pub(super) fn sweep(batch: &Batch<'_>, memory: &mut Memory) -> rusqlite::Result<bool> {
    let mut left = SWEEP_MAX;
    let now_ns = batch.now.unix_ns();
    let due: Vec<At> =
        memory.lines().iter().enumerate().filter(|(_, line)| line.expires_ns <= now_ns).map(|(place, _)| At(place)).collect();
    for at in due {
        sweep_line(batch, memory, at, &mut left)?;
    }
    sweep_keys(batch)?;
    Ok(left == 0)
}

/// Oldest first; those behind one that is not over wait for it.
fn sweep_line(batch: &Batch<'_>, memory: &mut Memory, at: At, left: &mut usize) -> rusqlite::Result<()> {
    while *left > 0 {
        let Some(id) = memory.line(at).after(None, 1).first().copied() else {
            memory.line(at).expires_ns = u64::MAX;
            return Ok(());
        };
        // Dead letters are kept from when they died.
        let mut query = batch
            .connection
            .prepare_cached("SELECT ifnull(d.at, m.at) FROM msg m LEFT JOIN dead d ON d.id = m.id WHERE m.id = ?1")?;
        let began: Option<i64> = query.query_one([int(id)], |row| row.get(0)).optional()?;
        let expires_ns = began.map_or(0, uint).saturating_add(of(memory.line(at)));
        if expires_ns > batch.now.unix_ns() {
            memory.line(at).expires_ns = expires_ns;
            return Ok(());
        }
        remove(batch, memory, at, id)?;
        *left -= 1;
    }
    Ok(())
}

fn sweep_keys(batch: &Batch<'_>) -> rusqlite::Result<()> {
    let mut oldest = batch.connection.prepare_cached("SELECT until FROM dedup ORDER BY n LIMIT 1")?;
    let oldest: Option<i64> = oldest.query_one([], |row| row.get(0)).optional()?;
    if oldest.is_none_or(|until| until > batch.time()) {
        return Ok(());
    }
    batch
        .connection
        .prepare_cached(
            "DELETE FROM dedup WHERE n IN (SELECT n FROM (SELECT n, until FROM dedup ORDER BY n LIMIT ?2) WHERE until <= ?1)",
        )?
        .execute(params![batch.time(), SWEEP_MAX as i64])?;
    Ok(())
}
