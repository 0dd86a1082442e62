//! Uploads in parts. A part is a file and a row; the object that they become names the files.

use md5::{Digest as _, Md5};
use ports::StoreError;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use types::{
    Timestamp, limits,
    object::{BucketName, ObjectAttributes, ObjectInfo, Part, PutOptions, Upload},
};

use super::{
    ObjectsModule,
    apply::{self, New},
    ingest::within,
    row::{self, Content, Piece},
};
use crate::{
    shard::{Applied, Batch},
    sqlite::{damaged, int, uint},
};

/// What the row of a part says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PartRow {
    pub(super) piece: Piece,
    pub(super) md5: [u8; 16],
    pub(super) modified: u64,
    pub(super) checksums: Vec<(String, String)>,
}

impl PartRow {
    pub(super) fn part(&self, number: u32) -> Part {
        let Self { piece, md5, modified, checksums } = self.clone();
        let modified = Timestamp::from_unix_ns(modified);
        Part { number, bytes: piece.bytes, etag: row::hex(&md5), modified, checksums }
    }
}

pub(super) fn check_number(number: u32) -> Result<(), StoreError> {
    match number {
        0 => Err(StoreError::Denied("parts are numbered from 1".into())),
        1..=limits::OBJECT_PARTS => Ok(()),
        _ => Err(StoreError::TooMany { what: "parts", measured: number.into(), allowed: limits::OBJECT_PARTS.into() }),
    }
}

pub(super) fn no_upload(id: &str) -> StoreError {
    StoreError::Missing(format!("the upload {id}"))
}

const UPLOAD: &str = "SELECT n, key, began, sum, info FROM object_upload";

fn upload(row: &Row<'_>) -> rusqlite::Result<(i64, Upload)> {
    let (n, began) = (row.get(0)?, row.get(2)?);
    let (key, info) = (row.get_ref(1)?.as_blob()?, row.get_ref(4)?.as_blob()?);
    if row.get::<_, u32>(3)? != row::sum(key, false, began, info) {
        return Err(damaged(format!("what is known of the upload {} is not what was written", row::name(n))));
    }
    let (content_type, headers, metadata, tags) = row::decode(info)?;
    let attributes = ObjectAttributes { content_type, headers, metadata, tags };
    let key = String::from_utf8_lossy(key).into_owned();
    Ok((n, Upload { id: row::name(n), key, began: Timestamp::from_unix_ns(uint(began)), attributes }))
}

/// An upload of a bucket, with its number.
pub(super) fn find(connection: &Connection, bucket: i64, id: &str) -> rusqlite::Result<Option<(i64, Upload)>> {
    let Some(n) = row::number(id) else { return Ok(None) };
    let sql = format!("{UPLOAD} WHERE n = ?1 AND bucket = ?2");
    connection.prepare_cached(&sql)?.query_row([n, bucket], upload).optional()
}

/// Uploads of a bucket by key and id.
pub(super) fn list(
    connection: &Connection,
    bucket: i64,
    prefix: &str,
    after: Option<&(String, String)>,
    max: usize,
) -> rusqlite::Result<Vec<Upload>> {
    let mut found = Vec::new();
    let mut add = |rows: &mut rusqlite::Rows<'_>| -> rusqlite::Result<()> {
        while found.len() < max
            && let Some(row) = rows.next()?
        {
            let (_, upload) = upload(row)?;
            if !upload.key.starts_with(prefix) {
                break;
            }
            found.push(upload);
        }
        Ok(())
    };
    let mut start = prefix.as_bytes().to_vec();
    if let Some((key, id)) = after.filter(|(key, _)| key.as_str() >= prefix) {
        // The texts of ids sort as their numbers; one that is no id sorts as a text.
        let sql = format!("{UPLOAD} WHERE bucket = ?1 AND key = ?2 AND printf('%016x', n) > ?3 ORDER BY n");
        add(&mut connection.prepare_cached(&sql)?.query(params![bucket, key.as_bytes(), id])?)?;
        start = [key.as_bytes(), &[0]].concat();
    }
    let sql = format!("{UPLOAD} WHERE bucket = ?1 AND key >= ?2 ORDER BY key, n");
    add(&mut connection.prepare_cached(&sql)?.query(params![bucket, start])?)?;
    Ok(found)
}

/// Parts of an upload after a number.
pub(super) fn parts(connection: &Connection, upload: i64, after: u32, max: usize) -> rusqlite::Result<Vec<(u32, PartRow)>> {
    let sql = "SELECT number, sum, info FROM object_part WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map(params![upload, after, int(max as u64)], |row| {
        let (number, info) = (row.get(0)?, row.get_ref(2)?.as_blob()?);
        if row.get::<_, u32>(1)? != part_sum(upload, number, info) {
            return Err(damaged(format!("part {number} of the upload {}", row::name(upload))));
        }
        Ok((number, row::decode(info)?))
    })?;
    rows.collect()
}

fn part_sum(upload: i64, number: u32, info: &[u8]) -> u32 {
    row::sum(&number.to_le_bytes(), false, upload, info)
}

pub(super) fn begin(batch: &Batch<'_>, bucket: i64, key: &str, attributes: &ObjectAttributes) -> rusqlite::Result<Upload> {
    let ObjectAttributes { content_type, headers, metadata, tags } = attributes;
    let (info, began) = (row::encode(&(content_type, headers, metadata, tags)), batch.time());
    let sum = row::sum(key.as_bytes(), false, began, &info);
    let insert = "INSERT INTO object_upload (bucket, key, began, sum, info) VALUES (?1, ?2, ?3, ?4, ?5)";
    batch.connection.prepare_cached(insert)?.execute(params![bucket, key.as_bytes(), began, sum, info])?;
    let id = row::name(batch.connection.last_insert_rowid());
    Ok(Upload { id, key: key.to_owned(), began: Timestamp::from_unix_ns(uint(began)), attributes: attributes.clone() })
}

/// What a caller names: its bucket, upload and parts.
pub(super) struct Completing {
    pub(super) bucket: BucketName,
    pub(super) upload: String,
    pub(super) named: Vec<(u32, String)>,
    pub(super) options: PutOptions,
}

impl ObjectsModule {
    /// Adds a part whose file is written.
    pub(super) fn put_part(&self, batch: &mut Batch<'_>, upload: i64, number: u32, part: &PartRow) -> rusqlite::Result<()> {
        apply::count_file(batch, part.piece.file)?;
        let before = parts(batch.connection, upload, number - 1, 1)?.into_iter().find(|(other, _)| *other == number);
        if let Some((_, before)) = before {
            self.release(batch, [before.piece.file].into_iter())?;
        }
        let info = row::encode(part);
        let sum = part_sum(upload, number, &info);
        let replace = "INSERT OR REPLACE INTO object_part (upload, number, sum, info) VALUES (?1, ?2, ?3, ?4)";
        batch.connection.prepare_cached(replace)?.execute(params![upload, number, sum, info]).map(drop)
    }

    /// Makes the object. Refuses before it has written anything.
    pub(super) fn complete(&self, batch: &mut Batch<'_>, completing: &Completing) -> Applied<ObjectInfo> {
        let Completing { bucket, upload, named, options } = completing;
        let PutOptions { attributes: _, condition, cause, checksums } = options;
        let bucket = match apply::bucket(batch, bucket)? {
            Ok(bucket) => bucket,
            Err(missing) => return Ok(Err(missing)),
        };
        let Some((n, upload)) = find(batch.connection, bucket.id, upload)? else { return Ok(Err(no_upload(upload))) };
        let all = parts(batch.connection, n, 0, usize::MAX)?;
        let chosen = match choose(&all, named) {
            Ok(chosen) => chosen,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(changed) = apply::check(batch, &bucket, &upload.key, condition)? {
            return Ok(Err(changed));
        }
        let new = match new(upload, &chosen, checksums) {
            Ok(new) => new,
            Err(refused) => return Ok(Err(refused)),
        };
        // In ascending order both, so that one pass tells which are not used.
        let mut used = chosen.iter().map(|part| part.piece.file).peekable();
        let unused: Vec<u64> =
            (all.iter().map(|(_, part)| part.piece.file)).filter(|file| used.next_if_eq(file).is_none()).collect();
        self.release(batch, unused.into_iter())?;
        forget(batch, n)?;
        self.add(batch, &bucket, &new, *cause).map(Ok)
    }

    /// Removes an upload and its parts.
    pub(super) fn abort(&self, batch: &mut Batch<'_>, upload: i64) -> rusqlite::Result<()> {
        let files: Vec<u64> = parts(batch.connection, upload, 0, usize::MAX)?.iter().map(|(_, part)| part.piece.file).collect();
        self.release(batch, files.into_iter())?;
        forget(batch, upload)
    }
}

fn forget(batch: &Batch<'_>, upload: i64) -> rusqlite::Result<()> {
    batch.connection.prepare_cached("DELETE FROM object_part WHERE upload = ?1")?.execute([upload])?;
    batch.connection.prepare_cached("DELETE FROM object_upload WHERE n = ?1")?.execute([upload]).map(drop)
}

/// The parts that are named, which must be there, as they are named, in ascending order.
fn choose<'a>(all: &'a [(u32, PartRow)], named: &[(u32, String)]) -> Result<Vec<&'a PartRow>, StoreError> {
    if named.is_empty() {
        return Err(StoreError::Conflict("an upload without parts".into()));
    }
    if !named.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(StoreError::Conflict("parts out of order".into()));
    }
    let part = |(number, etag): &(u32, String)| {
        let at = all.binary_search_by_key(number, |(number, _)| *number).ok();
        let found = at.map(|at| &all[at].1).filter(|part| row::hex(&part.md5) == *etag);
        found.ok_or_else(|| StoreError::Conflict(format!("part {number}")))
    };
    named.iter().map(part).collect()
}

fn new(upload: Upload, parts: &[&PartRow], checksums: &[(String, String)]) -> Result<New, StoreError> {
    let bytes = parts.iter().map(|part| part.piece.bytes).sum();
    within("object", bytes, limits::OBJECT)?;
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part.md5));
    let md5: [u8; 16] = md5.finalize().into();
    Ok(New {
        key: upload.key,
        bytes,
        etag: format!("{}-{}", row::hex(&md5), parts.len()),
        attributes: upload.attributes,
        checksums: checksums.to_vec(),
        parts: parts.iter().map(|part| part.piece.bytes).collect(),
        content: Some(Content::Files(parts.iter().map(|part| part.piece).collect())),
    })
}
