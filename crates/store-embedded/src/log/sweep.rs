//! Removes records that are older than their stream keeps them, and those that were purged.

use rusqlite::params;

use super::{
    read,
    row::{self, Part},
};
use crate::{shard::Batch, sqlite::uint};

/// Records, keys and partitions that one tick looks at: it must not hold up callers for long.
const SWEEP_MAX: usize = 1_000;
/// Between two rounds over all partitions.
const ROUND_NS: u64 = 30_000_000_000;

/// Where the round over all partitions is.
#[derive(Default)]
pub(super) struct Round {
    /// Partitions up to this row were looked at.
    after: i64,
    /// When the next round begins, by the monotonic clock.
    pub(super) begins_ns: u64,
}

impl Round {
    /// Goes on with the round; gives whether there is more to do at once.
    pub(super) fn go_on(&mut self, batch: &Batch<'_>) -> rusqlite::Result<bool> {
        if batch.mono_ns < self.begins_ns {
            return Ok(false);
        }
        let mut left = SWEEP_MAX;
        while left > 0 {
            let Some((part, retention_ns)) = read::part_after(batch.connection, self.after)? else {
                (self.after, self.begins_ns) = (0, batch.mono_ns.saturating_add(ROUND_NS));
                return sweep_keys(batch).map(|()| false);
            };
            let removed = sweep_part(batch, part, retention_ns, left)?;
            if removed == left {
                break;
            }
            left = left.saturating_sub(removed + 1);
            self.after = part.id;
        }
        Ok(true)
    }
}

/// Removes the oldest records that are over; gives how many. Those behind one that is not over wait for it.
pub(super) fn sweep_part(batch: &Batch<'_>, mut part: Part, retention_ns: u64, max: usize) -> rusqlite::Result<usize> {
    let now_ns = batch.now.unix_ns();
    let mut query = batch.connection.prepare_cached("SELECT n, at FROM record WHERE n >= ?1 AND n < ?2 ORDER BY n LIMIT ?3")?;
    let mut rows = query.query(params![part.row(0), part.row(part.next), max as i64])?;
    let (mut removed, mut end) = (0, None);
    while let Some(row) = rows.next()? {
        let (n, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let is_over = part.sequence(n) < part.oldest || uint(at).saturating_add(retention_ns) <= now_ns;
        if !is_over {
            break;
        }
        (removed, end) = (removed + 1, Some(n));
    }
    drop(rows);
    if let Some(end) = end {
        batch.connection.prepare_cached("DELETE FROM record WHERE n >= ?1 AND n <= ?2")?.execute([part.row(0), end])?;
        part.oldest = part.oldest.max(part.sequence(end) + 1);
        row::save(batch.connection, &part)?;
    }
    Ok(removed)
}

fn sweep_keys(batch: &Batch<'_>) -> rusqlite::Result<()> {
    batch
        .connection
        .prepare_cached(
            "DELETE FROM record_key WHERE n IN (SELECT n FROM (SELECT n, until FROM record_key ORDER BY n LIMIT ?2) WHERE until <= ?1)",
        )?
        .execute(params![batch.time(), SWEEP_MAX as i64 * 100])?;
    Ok(())
}
