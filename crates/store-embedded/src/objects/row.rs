//! How objects lie in rows: what is summed, and what it becomes for callers.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::Row;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use types::{
    Timestamp,
    object::{ObjectAttributes, ObjectInfo, VersionId},
};

use crate::sqlite::{damaged, int, uint};

/// The version that an object has where no versions are kept.
pub(super) const NULL: &str = "null";

/// The columns that [`Found::of`] reads, in its order.
pub(super) const COLUMNS: &str = "n, key, is_null, state, modified, sum, info";

/// What a row says beside what SQL has to see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) bytes: u64,
    pub(super) etag: String,
    pub(super) content_type: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) checksums: Vec<(String, String)>,
    pub(super) parts: Vec<u64>,
    pub(super) place: Place,
}

/// Where the bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// There are none: a delete marker.
    Nowhere,
    /// In a row.
    Row,
    /// In files, one after the other.
    Files(Vec<Piece>),
}

/// A file with a part of an object's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) file: u64,
    pub(super) bytes: u64,
}

impl Meta {
    pub(super) fn attributes(&self) -> ObjectAttributes {
        let Self { content_type, headers, metadata, tags, .. } = self.clone();
        ObjectAttributes { content_type, headers, metadata, tags }
    }
}

/// How a version stands to the others of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Old = 0,
    Present = 1,
    Marker = 2,
}

/// A version of an object as it was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) n: i64,
    pub(super) key: String,
    pub(super) is_null: bool,
    pub(super) state: State,
    pub(super) modified: Timestamp,
    pub(super) meta: Meta,
}

impl Found {
    /// Of a row with [`COLUMNS`].
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (n, is_null, modified) = (row.get(0)?, row.get::<_, bool>(2)?, row.get::<_, i64>(4)?);
        let (key, info) = (row.get_ref(1)?.as_blob()?, row.get_ref(6)?.as_blob()?);
        let state = match row.get::<_, i64>(3)? {
            0 => State::Old,
            1 => State::Present,
            2 => State::Marker,
            other => return Err(damaged(format!("version {n} has the state {other}"))),
        };
        let name = || String::from_utf8_lossy(key).into_owned();
        if row.get::<_, u32>(5)? != sum(key, is_null, modified, info) {
            return Err(damaged(format!("what is known of the object {:?} is not what was written", name())));
        }
        Ok(Self { n, key: name(), is_null, state, modified: Timestamp::from_unix_ns(uint(modified)), meta: decode(info)? })
    }

    /// Of a row that is to be replaced or removed: one that is damaged must not be there for ever.
    pub(super) fn to_remove(row: &Row<'_>) -> rusqlite::Result<Self> {
        match Self::of(row) {
            Err(rusqlite::Error::FromSqlConversionFailure(..)) => {}
            sound => return sound,
        }
        let (n, key, is_null) = (row.get(0)?, row.get_ref(1)?.as_blob()?, row.get(2)?);
        let state = if row.get::<_, i64>(3)? == 0 { State::Old } else { State::Present };
        let meta = Meta {
            bytes: 0,
            etag: String::new(),
            content_type: None,
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            tags: BTreeMap::new(),
            checksums: vec![],
            parts: vec![],
            // Its files can't be known, and stay.
            place: Place::Row,
        };
        Ok(Self { n, key: String::from_utf8_lossy(key).into_owned(), is_null, state, modified: Timestamp::default(), meta })
    }

    pub(super) fn is_marker(&self) -> bool {
        self.meta.place == Place::Nowhere
    }

    pub(super) fn version(&self) -> VersionId {
        version(self.n, self.is_null)
    }

    pub(super) fn info(&self) -> ObjectInfo {
        let Meta { bytes, etag, checksums, parts, .. } = self.meta.clone();
        ObjectInfo {
            key: self.key.clone(),
            bytes,
            etag,
            modified: self.modified,
            version: self.version(),
            is_delete_marker: self.is_marker(),
            attributes: self.meta.attributes(),
            checksums,
            parts,
        }
    }
}

pub(super) fn version(n: i64, is_null: bool) -> VersionId {
    VersionId(if is_null { NULL.into() } else { name(n) })
}

/// A number as versions and uploads are named: texts sort as the numbers do.
pub(super) fn name(n: i64) -> String {
    format!("{n:016x}")
}

/// The number of a name.
pub(super) fn number(name: &str) -> Option<i64> {
    let is_one = name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_one.then(|| i64::from_str_radix(name, 16).ok()).flatten()
}

pub(super) fn sum(key: &[u8], is_null: bool, modified: i64, info: &[u8]) -> u32 {
    let sum = crc32c::crc32c(key);
    let sum = crc32c::crc32c_append(sum, &[u8::from(is_null)]);
    crc32c::crc32c_append(crc32c::crc32c_append(sum, &modified.to_le_bytes()), info)
}

/// The sum of small bytes: they belong to this row.
pub(super) fn bytes_sum(n: i64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&n.to_le_bytes()), bytes)
}

/// Hexadecimal digits, as entity tags have them.
pub(super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A file's number as SQLite has it.
pub(super) fn file(id: u64) -> i64 {
    int(id)
}

pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain data in memory always serializes")
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> rusqlite::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| damaged(error.to_string()))
}

/// Bytes that a row or a file holds for an object that is about to be written.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Row(Bytes),
    Files(Vec<Piece>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for n in [1, 255, 1 << 40, i64::MAX] {
            assert_eq!(number(&name(n)), Some(n));
        }
        for other in ["", "null", "1", "000000000000000g", "+000000000000001", "ffffffffffffffff"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
