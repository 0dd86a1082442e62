//! Finding: buckets, versions and small bytes, on any connection.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};
use types::{
    Timestamp,
    object::{BucketConfig, BucketName, VersionId},
};

use super::row::{self, COLUMNS, Found, NULL};
use crate::sqlite::{damaged, uint};

/// The number of a bucket.
pub(super) fn bucket(connection: &Connection, name: &BucketName) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT id FROM object_bucket WHERE name = ?1")?.query_row([&name.0], |row| row.get(0)).optional()
}

/// A bucket's number and settings.
pub(super) fn config(connection: &Connection, name: &BucketName) -> rusqlite::Result<Option<(i64, BucketConfig)>> {
    let mut query = connection.prepare_cached("SELECT id, config FROM object_bucket WHERE name = ?1")?;
    query.query_row([&name.0], |row| Ok((row.get(0)?, settings(row.get_ref(1)?.as_blob()?)?))).optional()
}

/// Settings are kept as JSON: what a later version adds has its default in what this one wrote.
pub(super) fn settings(json: &[u8]) -> rusqlite::Result<BucketConfig> {
    serde_json::from_slice(json).map_err(|error| damaged(format!("the settings of a bucket: {error}")))
}

/// All buckets whose names begin with a prefix.
pub(super) fn buckets(connection: &Connection, prefix: &str) -> rusqlite::Result<Vec<(BucketName, Timestamp)>> {
    let mut query = connection.prepare_cached("SELECT name, made FROM object_bucket WHERE name >= ?1 ORDER BY name")?;
    let mut rows = query.query([prefix])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if !name.starts_with(prefix) {
            break;
        }
        found.push((BucketName(name), Timestamp::from_unix_ns(uint(row.get(1)?))));
    }
    Ok(found)
}

/// The version that is meant: the newest if none is named, unless that is a delete marker.
pub(super) fn version(
    connection: &Connection,
    bucket: i64,
    key: &str,
    version: Option<&VersionId>,
) -> rusqlite::Result<Option<Found>> {
    match version {
        None => one(connection, PRESENT, bucket, key, Found::of),
        Some(version) => named(connection, bucket, key, version, Found::of),
    }
}

/// The newest version, delete marker or not, to be replaced or removed.
pub(super) fn newest(connection: &Connection, bucket: i64, key: &str) -> rusqlite::Result<Option<Found>> {
    one(connection, NEWEST, bucket, key, Found::to_remove)
}

/// A version by its name, to be replaced or removed.
pub(super) fn going(connection: &Connection, bucket: i64, key: &str, version: &VersionId) -> rusqlite::Result<Option<Found>> {
    named(connection, bucket, key, version, Found::to_remove)
}

const PRESENT: &str = "INDEXED BY object_present WHERE bucket = ?1 AND key = ?2 AND state = 1";
const NEWEST: &str = "INDEXED BY object_version WHERE bucket = ?1 AND key = ?2 ORDER BY n DESC LIMIT 1";
/// It is the newest or near it, but where many were written after it.
const OF_NULL: &str = "INDEXED BY object_version WHERE bucket = ?1 AND key = ?2 AND is_null ORDER BY n DESC LIMIT 1";

type Decode = fn(&rusqlite::Row<'_>) -> rusqlite::Result<Found>;

fn one(connection: &Connection, condition: &str, bucket: i64, key: &str, decode: Decode) -> rusqlite::Result<Option<Found>> {
    let sql = format!("SELECT {COLUMNS} FROM object {condition}");
    connection.prepare_cached(&sql)?.query_row(params![bucket, key.as_bytes()], decode).optional()
}

fn named(
    connection: &Connection,
    bucket: i64,
    key: &str,
    VersionId(name): &VersionId,
    decode: Decode,
) -> rusqlite::Result<Option<Found>> {
    if name == NULL {
        return one(connection, OF_NULL, bucket, key, decode);
    }
    let Some(n) = row::number(name) else { return Ok(None) };
    let sql = format!("SELECT {COLUMNS} FROM object WHERE n = ?1 AND bucket = ?2 AND key = ?3 AND NOT is_null");
    connection.prepare_cached(&sql)?.query_row(params![n, bucket, key.as_bytes()], decode).optional()
}

/// Whether the version is still there.
pub(super) fn is_there(connection: &Connection, n: i64) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM object WHERE n = ?1")?.exists([n])
}

/// Bytes that lie in a row.
pub(super) fn bytes(connection: &Connection, n: i64, verify: bool) -> rusqlite::Result<Bytes> {
    let mut query = connection.prepare_cached("SELECT sum, bytes FROM object_bytes WHERE n = ?1")?;
    let found =
        query.query_row([n], |row| Ok((row.get::<_, u32>(0)?, Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?)))).optional()?;
    match found {
        Some((sum, bytes)) if !verify || sum == row::bytes_sum(n, &bytes) => Ok(bytes),
        Some(_) => Err(damaged(format!("version {} has other bytes than were written", row::name(n)))),
        None => Err(damaged(format!("version {} has lost its bytes", row::name(n)))),
    }
}
