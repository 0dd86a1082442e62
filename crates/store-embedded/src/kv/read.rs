//! What readers ask of the file. A value is checked against its sum: a flipped bit is an error, never a wrong answer.

use bytes::Bytes;
use rusqlite::{Connection, Row, params};
use types::{
    Timestamp,
    kv::{Change, Entry, Namespace, Rev},
    limits,
};

use super::range::{below, end_of, start};
use crate::sqlite::{damaged, int, uint};

/// A watcher takes changes in pieces of about this many rows and bytes, and never splits a revision.
const CHUNK_ROWS: usize = 256;
const CHUNK_BYTES: usize = 4 << 20;

/// The sum over all that a change says. The lengths keep key and value apart.
pub(super) fn sum(rev: Rev, expires: Option<i64>, key: &[u8], value: Option<&[u8]>) -> u32 {
    let mut sum = crc32c::crc32c(&rev.0.to_le_bytes());
    sum = crc32c::crc32c_append(sum, &expires.unwrap_or(-1).to_le_bytes());
    sum = crc32c::crc32c_append(sum, &(key.len() as u64).to_le_bytes());
    sum = crc32c::crc32c_append(sum, key);
    value.map_or(sum, |value| crc32c::crc32c_append(crc32c::crc32c_append(sum, b"="), value))
}

/// Reads the columns `rev, expires, sum, key, value` of a change.
fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let rev = Rev(uint(row.get(0)?));
    let expires: Option<i64> = row.get(1)?;
    let (key, value) = (row.get_ref(3)?.as_blob()?, row.get_ref(4)?.as_blob_or_null()?);
    if sum(rev, expires, key, value) != row.get::<_, u32>(2)? {
        return Err(damaged(format!("the change at revision {} does not match its sum", rev.0)));
    }
    let key = Bytes::copy_from_slice(key);
    Ok(match value {
        None => Change::Delete { key, rev },
        Some(value) => {
            let value = Bytes::copy_from_slice(value);
            Change::Put(Entry { key, value, rev, expires: expires.map(|at| Timestamp::from_unix_ns(uint(at))) })
        }
    })
}

/// Reads the same columns of a present entry.
fn entry_of(row: &Row<'_>) -> rusqlite::Result<Entry> {
    match change(row)? {
        Change::Put(entry) => Ok(entry),
        _ => Err(damaged("an entry points to a removal".into())),
    }
}

/// The value that a row of `change` set, for those who are told of its end; one that is damaged keeps nobody from replacing it.
pub(super) fn value(connection: &Connection, n: i64) -> rusqlite::Result<Option<Bytes>> {
    let mut query = connection.prepare_cached("SELECT rev, expires, sum, key, value FROM change WHERE n = ?1")?;
    let mut rows = query.query([n])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(entry_of(row).map(|entry| entry.value).inspect_err(|error| tracing::error!(%error, "an old value can't be told")).ok())
}

/// The present entry of a key.
pub(super) fn entry(
    connection: &Connection,
    namespace: &Namespace,
    key: &[u8],
    now: Timestamp,
) -> rusqlite::Result<Option<Entry>> {
    let mut query = connection.prepare_cached(
        "SELECT c.rev, c.expires, c.sum, c.key, c.value FROM ns JOIN kv ON kv.ns = ns.id JOIN change c ON c.n = kv.n
         WHERE ns.name = ?1 AND kv.key = ?2 AND (kv.expires IS NULL OR kv.expires > ?3)",
    )?;
    let mut rows = query.query(params![namespace.0, key, int(now.unix_ns())])?;
    let entry = rows.next()?.map(entry_of).transpose()?;
    match entry {
        Some(entry) if entry.key != key => Err(damaged("an entry points to another key's value".into())),
        entry => Ok(entry),
    }
}

/// Values asked for at once hold more than they may: so many bytes were read when it was seen.
pub(super) struct Over(pub(super) u64);

/// The present entries of many keys. A key that is asked for twice counts twice, since the caller gets its value twice.
pub(super) fn entries(
    connection: &Connection,
    namespace: &Namespace,
    keys: &[Bytes],
    now: Timestamp,
) -> rusqlite::Result<Result<Vec<Option<Entry>>, Over>> {
    let (mut found, mut bytes) = (Vec::with_capacity(keys.len()), 0);
    for key in keys {
        let entry = entry(connection, namespace, key, now)?;
        bytes += entry.as_ref().map_or(0, |entry| entry.value.len() as u64);
        if bytes > limits::KV_TRANSACTION_BYTES.0 {
            return Ok(Err(Over(bytes)));
        }
        found.push(entry);
    }
    Ok(Ok(found))
}

/// The present entries of a prefix, in key order.
pub(super) fn list(
    connection: &Connection,
    namespace: &Namespace,
    prefix: &Bytes,
    after: Option<&Bytes>,
    limit: usize,
    now: Timestamp,
) -> rusqlite::Result<Vec<Entry>> {
    let end = end_of(prefix);
    let mut query = connection.prepare_cached(&format!(
        "SELECT c.rev, c.expires, c.sum, c.key, c.value FROM kv JOIN change c ON c.n = kv.n
         WHERE kv.ns = (SELECT id FROM ns WHERE name = ?1) AND kv.key >= ?2 AND {}
           AND (kv.expires IS NULL OR kv.expires > ?4)
         ORDER BY kv.key LIMIT ?5",
        below("kv.key", end.is_some()),
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query.query_map(params![namespace.0, start(prefix, after), end, int(now.unix_ns()), limit], entry_of)?;
    rows.collect()
}

/// Where a namespace is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head {
    /// Its newest revision.
    pub(super) rev: Rev,
    /// Changes at or below this one are gone.
    pub(super) trimmed: Rev,
}

/// Where the namespace is; all zero if nothing was ever written to it.
pub(super) fn head(connection: &Connection, namespace: &Namespace) -> rusqlite::Result<Head> {
    let mut query = connection.prepare_cached("SELECT rev, trimmed FROM ns WHERE name = ?1")?;
    let mut rows = query.query([&namespace.0])?;
    let Some(row) = rows.next()? else { return Ok(Head::default()) };
    Ok(Head { rev: Rev(uint(row.get(0)?)), trimmed: Rev(uint(row.get(1)?)) })
}

/// What a watcher gets at once.
pub(super) struct Chunk {
    pub(super) changes: Vec<Change>,
    /// All changes up to here were seen.
    pub(super) upto: Rev,
    /// There was nothing more.
    pub(super) is_head: bool,
}

/// The changes above a revision, whole revisions only; `None` if some of them are gone.
pub(super) fn chunk(
    connection: &Connection,
    namespace: &Namespace,
    prefix: &[u8],
    above: Rev,
) -> rusqlite::Result<Option<Chunk>> {
    let head = head(connection, namespace)?;
    if above < head.trimmed {
        return Ok(None);
    }
    let mut query = connection.prepare_cached(
        "SELECT rev, expires, sum, key, value FROM change
         WHERE ns = (SELECT id FROM ns WHERE name = ?1) AND rev > ?2 AND key >= ?4 AND (?3 IS NULL OR key < ?3) ORDER BY rev, n",
    )?;
    let mut rows = query.query(params![namespace.0, int(above.0), end_of(prefix), prefix])?;
    let mut chunk = Chunk { changes: Vec::new(), upto: head.rev.max(above), is_head: true };
    let (mut bytes, mut last) = (0, above);
    while let Some(row) = rows.next()? {
        let change = change(row)?;
        let (rev, size) = match &change {
            Change::Put(entry) => (entry.rev, entry.key.len() + entry.value.len()),
            Change::Delete { key, rev } => (*rev, key.len()),
            Change::CaughtUp(_) | Change::Compacted => unreachable!("rows are writes"),
        };
        if rev != last && (chunk.changes.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES) {
            (chunk.upto, chunk.is_head) = (last, false);
            break;
        }
        (bytes, last) = (bytes + size, rev);
        chunk.changes.push(change);
    }
    Ok(Some(chunk))
}
