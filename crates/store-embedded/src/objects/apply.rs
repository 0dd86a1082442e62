//! Writing and deleting inside a batch of the shard, with versions as S3 has them, and the events of both.

use ports::StoreError;
use rusqlite::{OptionalExtension as _, params};
use types::{
    Cause, Timestamp,
    event::{FeedSource, StoreChange},
    object::{BucketName, ObjectAttributes, ObjectCondition, ObjectInfo, VersionId, Versioning},
};

use super::{
    ObjectsModule, find,
    row::{self, COLUMNS, Content, Found, Meta, Place, State},
};
use crate::{
    shard::{Applied, Batch},
    sqlite::int,
};

/// An object that is about to be written.
#[derive(Debug, Clone)]
pub(super) struct New {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) etag: String,
    pub(super) attributes: ObjectAttributes,
    pub(super) checksums: Vec<(String, String)>,
    pub(super) parts: Vec<u64>,
    /// `None` makes a delete marker.
    pub(super) content: Option<Content>,
}

impl New {
    fn marker(key: &str) -> Self {
        let (attributes, etag) = (ObjectAttributes::default(), String::new());
        Self { key: key.to_owned(), bytes: 0, etag, attributes, checksums: vec![], parts: vec![], content: None }
    }

    fn meta(&self) -> Meta {
        let Self { key: _, bytes, etag, attributes, checksums, parts, content } = self.clone();
        let ObjectAttributes { content_type, headers, metadata, tags } = attributes;
        let place = match content {
            None => Place::Nowhere,
            Some(Content::Row(_)) => Place::Row,
            Some(Content::Files(pieces)) => Place::Files(pieces),
        };
        Meta { bytes, etag, content_type, headers, metadata, tags, checksums, parts, place }
    }
}

/// The bucket of a change, as it is in this batch.
pub(super) struct Bucket<'a> {
    pub(super) id: i64,
    pub(super) name: &'a BucketName,
    pub(super) versioning: Versioning,
}

pub(super) fn no_bucket(name: &BucketName) -> StoreError {
    StoreError::Missing(format!("the bucket {}", name.short()))
}

/// The bucket, or the answer that there is none.
pub(super) fn bucket<'a>(batch: &Batch<'_>, name: &'a BucketName) -> Applied<Bucket<'a>> {
    let found = find::config(batch.connection, name)?;
    Ok(found.map(|(id, config)| Bucket { id, name, versioning: config.versioning }).ok_or_else(|| no_bucket(name)))
}

/// Refuses if the condition does not hold now.
pub(super) fn check(batch: &Batch<'_>, bucket: &Bucket<'_>, key: &str, condition: &ObjectCondition) -> Applied<()> {
    let holds = match condition {
        ObjectCondition::None => true,
        ObjectCondition::Absent => find::version(batch.connection, bucket.id, key, None)?.is_none(),
        ObjectCondition::Matches(etag) => {
            find::version(batch.connection, bucket.id, key, None)?.is_some_and(|present| present.meta.etag == *etag)
        }
    };
    Ok(if holds { Ok(()) } else { Err(StoreError::Changed(format!("the object {key:?}"))) })
}

impl ObjectsModule {
    /// Adds a version that becomes the newest, and takes the place of the version `null` where it is one itself. Files that it names must
    /// be counted already.
    pub(super) fn add(
        &self,
        batch: &mut Batch<'_>,
        bucket: &Bucket<'_>,
        new: &New,
        cause: Option<Cause>,
    ) -> rusqlite::Result<ObjectInfo> {
        let before = find::newest(batch.connection, bucket.id, &new.key)?;
        let is_null = bucket.versioning != Versioning::On;
        if let Some(newest) = &before
            && !(is_null && newest.is_null)
        {
            let supersede = "UPDATE object SET state = 0, old_since = ?2 WHERE n = ?1";
            batch.connection.prepare_cached(supersede)?.execute(params![newest.n, batch.time()])?;
        }
        if is_null {
            let replaced = match &before {
                Some(newest) if newest.is_null => before.clone(),
                Some(_) if bucket.versioning == Versioning::Suspended => {
                    find::going(batch.connection, bucket.id, &new.key, &VersionId(row::NULL.into()))?
                }
                _ => None,
            };
            replaced.map_or(Ok(()), |replaced| self.remove(batch, &replaced))?;
        }
        let found = insert(batch, bucket.id, is_null, new)?;
        self.tell(batch, bucket, before.filter(|before| before.state == State::Present).as_ref(), Some(&found), cause)?;
        Ok(found.info())
    }

    /// Removes an object or a version of it.
    pub(super) fn delete(
        &self,
        batch: &mut Batch<'_>,
        bucket: &Bucket<'_>,
        key: &str,
        version: Option<&VersionId>,
        cause: Option<Cause>,
    ) -> rusqlite::Result<Option<ObjectInfo>> {
        let found = match version {
            None if bucket.versioning != Versioning::Off => {
                return self.add(batch, bucket, &New::marker(key), cause).map(Some);
            }
            None => find::newest(batch.connection, bucket.id, key)?,
            Some(version) => find::going(batch.connection, bucket.id, key, version)?,
        };
        let Some(found) = found else { return Ok(None) };
        self.delete_version(batch, bucket, &found, cause)?;
        Ok(Some(found.info()))
    }

    /// Removes a version for ever. If it was the newest, the one before becomes that.
    pub(super) fn delete_version(
        &self,
        batch: &mut Batch<'_>,
        bucket: &Bucket<'_>,
        found: &Found,
        cause: Option<Cause>,
    ) -> rusqlite::Result<()> {
        self.remove(batch, found)?;
        if found.state == State::Old {
            return Ok(());
        }
        let mut next = find::newest(batch.connection, bucket.id, &found.key)?;
        if let Some(next) = &mut next {
            next.state = if next.is_marker() { State::Marker } else { State::Present };
            let promote = "UPDATE object SET state = ?2, old_since = NULL WHERE n = ?1";
            batch.connection.prepare_cached(promote)?.execute(params![next.n, next.state as i64])?;
        }
        let is_present = |found: &&Found| found.state == State::Present;
        self.tell(batch, bucket, Some(found).filter(is_present), next.as_ref().filter(is_present), cause)
    }

    /// Removes a row, and what it alone names.
    fn remove(&self, batch: &mut Batch<'_>, found: &Found) -> rusqlite::Result<()> {
        batch.connection.prepare_cached("DELETE FROM object WHERE n = ?1")?.execute([found.n])?;
        match &found.meta.place {
            Place::Nowhere => Ok(()),
            Place::Row => batch.connection.prepare_cached("DELETE FROM object_bytes WHERE n = ?1")?.execute([found.n]).map(drop),
            Place::Files(pieces) => self.release(batch, pieces.iter().map(|piece| piece.file)),
        }
    }

    /// Files that an object or a part names no more.
    pub(super) fn release(&self, batch: &mut Batch<'_>, files: impl Iterator<Item = u64>) -> rusqlite::Result<()> {
        for id in files {
            let release = "UPDATE object_file SET refs = refs - 1 WHERE id = ?1 AND refs > 0";
            batch.connection.prepare_cached(release)?.execute([row::file(id)])?;
        }
        let files = self.files.clone();
        batch.after_commit(move || files.wake());
        Ok(())
    }

    /// Enqueues for those who want it that there is another object under the key, or none any more.
    fn tell(
        &self,
        batch: &mut Batch<'_>,
        bucket: &Bucket<'_>,
        before: Option<&Found>,
        after: Option<&Found>,
        cause: Option<Cause>,
    ) -> rusqlite::Result<()> {
        let after = after.filter(|after| after.state == State::Present);
        let Some(changed) = after.or(before) else { return Ok(()) };
        if !self.feeds.has_any(batch)? {
            return Ok(());
        }
        let (source, written) = (FeedSource::Bucket(bucket.name.clone()), after.is_some());
        let queues = self.feeds.matching(batch, &source, &changed.key, written)?;
        if queues.is_empty() {
            return Ok(());
        }
        let change = StoreChange::Object {
            key: changed.key.clone(),
            written,
            bytes: if written { changed.meta.bytes } else { 0 },
            etag: changed.meta.etag.clone(),
            content_type: changed.meta.content_type.clone(),
            version: (bucket.versioning != Versioning::Off).then(|| changed.version().0),
            at: batch.now,
        };
        self.feeds.enqueue(batch, &queues, &change, cause)
    }

    /// Changes tags and nothing else.
    pub(super) fn tag(
        &self,
        batch: &mut Batch<'_>,
        bucket: &Bucket<'_>,
        key: &str,
        version: Option<&VersionId>,
        tags: &std::collections::BTreeMap<String, String>,
    ) -> rusqlite::Result<Option<ObjectInfo>> {
        let found = find::version(batch.connection, bucket.id, key, version)?.filter(|found| !found.is_marker());
        let Some(mut found) = found else { return Ok(None) };
        found.meta.tags.clone_from(tags);
        let (info, modified) = (row::encode(&found.meta), int(found.modified.unix_ns()));
        let sum = row::sum(key.as_bytes(), found.is_null, modified, &info);
        let update = "UPDATE object SET sum = ?2, info = ?3 WHERE n = ?1";
        batch.connection.prepare_cached(update)?.execute(params![found.n, sum, info])?;
        Ok(Some(found.info()))
    }
}

fn insert(batch: &Batch<'_>, bucket: i64, is_null: bool, new: &New) -> rusqlite::Result<Found> {
    let meta = new.meta();
    let state = if new.content.is_none() { State::Marker } else { State::Present };
    let (info, key, modified) = (row::encode(&meta), new.key.as_bytes(), batch.time());
    let insert = "INSERT INTO object (bucket, key, is_null, state, modified, sum, info) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let sum = row::sum(key, is_null, modified, &info);
    let values = params![bucket, key, is_null, state as i64, modified, sum, info];
    batch.connection.prepare_cached(insert)?.execute(values)?;
    let n = batch.connection.last_insert_rowid();
    if let Some(Content::Row(bytes)) = &new.content {
        let insert = "INSERT INTO object_bytes (n, sum, bytes) VALUES (?1, ?2, ?3)";
        batch.connection.prepare_cached(insert)?.execute(params![n, row::bytes_sum(n, bytes), &bytes[..]])?;
    }
    let modified = Timestamp::from_unix_ns(crate::sqlite::uint(modified));
    Ok(Found { n, key: new.key.clone(), is_null, state, modified, meta })
}

/// Notes a file that was written: it belongs to one object or part.
pub(super) fn count_file(batch: &Batch<'_>, id: u64) -> rusqlite::Result<()> {
    batch.connection.prepare_cached("INSERT INTO object_file (id, refs) VALUES (?1, 1)")?.execute([row::file(id)]).map(drop)
}

/// Notes that one more object names these files; gives whether all of them are there.
pub(super) fn share_files(batch: &Batch<'_>, content: &Content) -> rusqlite::Result<bool> {
    let Content::Files(pieces) = content else { return Ok(true) };
    let mut share = batch.connection.prepare_cached("UPDATE object_file SET refs = refs + 1 WHERE id = ?1 AND refs > 0")?;
    let mut all = true;
    for piece in pieces {
        all &= share.execute([row::file(piece.file)])? == 1;
    }
    Ok(all)
}

/// A version by its number, to be removed: it was found before the batch.
pub(super) fn numbered(batch: &Batch<'_>, n: i64) -> rusqlite::Result<Option<Found>> {
    let sql = format!("SELECT {COLUMNS} FROM object WHERE n = ?1");
    batch.connection.prepare_cached(&sql)?.query_row([n], Found::to_remove).optional()
}
