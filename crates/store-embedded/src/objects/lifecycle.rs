//! The rules for the end of objects. What is over is looked for in pages beside the commit thread, and removed in small batches that look
//! again, so that a large bucket holds nobody up.

use std::{sync::atomic::Ordering, time::Duration};

use ports::StoreError;
use rusqlite::{Connection, params};
use types::{
    Elapsed, Timestamp,
    object::{BucketName, LifecycleRule},
};

use super::{
    ObjectStore, ObjectsModule, apply, find,
    row::{Found, State},
    upload,
};
use crate::{
    shard::{Applied, Batch},
    sqlite::int,
};

/// Rows that one page of looking steps over, and what it finds at most.
const STEPS: usize = 10_000;
const FOUND: usize = 500;

/// What a rule ends, in the order in which it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Objects,
    OldVersions,
    LoneMarkers,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Objects, Self::OldVersions, Self::LoneMarkers];

    fn span(self, rule: &LifecycleRule) -> Option<Duration> {
        if self == Self::OldVersions { rule.expire_old } else { rule.expire }
    }
    /// The index with these versions, their state, and since when they are in it.
    fn place(self) -> (&'static str, State, &'static str) {
        match self {
            Self::Objects => ("object_present", State::Present, "modified"),
            Self::OldVersions => ("object_old", State::Old, "old_since"),
            Self::LoneMarkers => ("object_marker", State::Marker, "modified"),
        }
    }
}

/// What is looked for: versions of a bucket that are in a state since this time or longer.
#[derive(Debug, Clone)]
struct Search {
    bucket: BucketName,
    kind: Kind,
    prefix: String,
    until: i64,
}

/// Where a search goes on.
type Cursor = (Vec<u8>, i64);

/// The latest time that is so long ago; `None` if there was none.
fn ago(now: Timestamp, span: Duration) -> Option<i64> {
    let span = Elapsed::from(span).ns();
    now.unix_ns().checked_sub(span).map(int)
}

/// Follows all rules of all buckets.
pub(super) async fn sweep(store: &ObjectStore) -> Result<u64, StoreError> {
    let now = store.shard.clock().now();
    let rules = store.shard.reading().run(|connection, _| rules(connection)).await?;
    let mut gone = 0;
    for kind in Kind::ALL {
        for (bucket, rule) in &rules {
            if let Some(until) = kind.span(rule).and_then(|span| ago(now, span)) {
                let search = Search { bucket: bucket.clone(), kind, prefix: rule.prefix.clone(), until };
                gone += follow(store, search).await?;
            }
        }
    }
    for (bucket, rule) in &rules {
        if let Some(until) = rule.abort_uploads.and_then(|span| ago(now, span)) {
            abort(store, bucket, &rule.prefix, until).await?;
        }
    }
    Ok(gone)
}

fn rules(connection: &Connection) -> rusqlite::Result<Vec<(BucketName, LifecycleRule)>> {
    let mut query = connection.prepare_cached("SELECT name, config FROM object_bucket ORDER BY name")?;
    let mut rows = query.query([])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, config) = (BucketName(row.get(0)?), find::settings(row.get_ref(1)?.as_blob()?)?);
        rules.extend(config.lifecycle.into_iter().filter(|rule| rule.enabled).map(|rule| (name.clone(), rule)));
    }
    Ok(rules)
}

async fn follow(store: &ObjectStore, search: Search) -> Result<u64, StoreError> {
    let (mut gone, mut cursor) = (0, Some((search.prefix.clone().into_bytes(), 0)));
    while let Some(from) = cursor.take() {
        let looking = search.clone();
        let (found, next) = store.shard.reading().run(move |connection, _| look(connection, &looking, &from)).await?;
        cursor = next;
        if !found.is_empty() {
            let (module, search) = (store.module.clone(), search.clone());
            gone += store.shard.run(move |batch| module.end(batch, &search, &found)).await?;
        }
    }
    Ok(gone)
}

/// Looks at a page of versions: gives those that are over, and where to go on.
fn look(connection: &Connection, search: &Search, from: &Cursor) -> rusqlite::Result<(Vec<i64>, Option<Cursor>)> {
    let Some(bucket) = find::bucket(connection, &search.bucket)? else { return Ok((vec![], None)) };
    let (index, state, since) = search.kind.place();
    let sql = format!(
        "SELECT n, key, {since} FROM object INDEXED BY {index} WHERE bucket = ?1 AND state = {} AND key >= ?2 ORDER BY key, n",
        state as i64
    );
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(params![bucket, from.0])?;
    let (mut found, mut steps) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let (n, key): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        if !key.starts_with(search.prefix.as_bytes()) {
            break;
        }
        if key == from.0 && n <= from.1 {
            continue;
        }
        if row.get::<_, i64>(2)? <= search.until {
            found.push(n);
        }
        steps += 1;
        if steps >= STEPS || found.len() >= FOUND {
            return Ok((found, Some((key, n))));
        }
    }
    Ok((found, None))
}

impl ObjectsModule {
    /// Removes those of the versions for which it still holds; gives how many count.
    fn end(&self, batch: &mut Batch<'_>, search: &Search, found: &[i64]) -> Applied<u64> {
        let Ok(bucket) = apply::bucket(batch, &search.bucket)? else { return Ok(Ok(0)) };
        let mut gone = 0;
        for n in found {
            if !is_over(batch, search, *n)? {
                continue;
            }
            let Some(version) = apply::numbered(batch, *n)? else { continue };
            match search.kind {
                Kind::Objects => drop(self.delete(batch, &bucket, &version.key, None, None)?),
                Kind::OldVersions => self.delete_version(batch, &bucket, &version, None)?,
                Kind::LoneMarkers if is_alone(batch, bucket.id, &version)? => {
                    self.delete_version(batch, &bucket, &version, None)?;
                }
                Kind::LoneMarkers => {}
            }
            gone += u64::from(!version.is_marker());
        }
        Ok(Ok(gone))
    }
}

fn is_over(batch: &Batch<'_>, search: &Search, n: i64) -> rusqlite::Result<bool> {
    let (_, state, since) = search.kind.place();
    let sql = format!("SELECT 1 FROM object WHERE n = ?1 AND state = ?2 AND {since} <= ?3");
    batch.connection.prepare_cached(&sql)?.exists(params![n, state as i64, search.until])
}

fn is_alone(batch: &Batch<'_>, bucket: i64, marker: &Found) -> rusqlite::Result<bool> {
    let other = "SELECT 1 FROM object WHERE bucket = ?1 AND key = ?2 AND n <> ?3";
    Ok(!batch.connection.prepare_cached(other)?.exists(params![bucket, marker.key.as_bytes(), marker.n])?)
}

/// Aborts uploads that began at this time or earlier.
async fn abort(store: &ObjectStore, bucket: &BucketName, prefix: &str, until: i64) -> Result<(), StoreError> {
    let mut after: Option<(String, String)> = None;
    loop {
        let (name, begins, from) = (bucket.clone(), prefix.to_owned(), after.take());
        let page = store.shard.reading().run(move |connection, _| match find::bucket(connection, &name)? {
            Some(bucket) => upload::list(connection, bucket, &begins, from.as_ref(), FOUND),
            None => Ok(vec![]),
        });
        let page = page.await?;
        for upload in page.iter().filter(|upload| int(upload.began.unix_ns()) <= until) {
            match ports::Objects::abort_upload(store, bucket, &upload.id).await {
                Ok(()) | Err(StoreError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match page.last() {
            Some(last) if page.len() == FOUND => after = Some((last.key.clone(), last.id.clone())),
            _ => return Ok(()),
        }
    }
}

/// Removes what crashes of earlier processes left, once in the life of this one.
pub(super) async fn remove_orphans(store: &ObjectStore) -> Result<(), StoreError> {
    if store.has_looked_for_orphans.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    for folder in 0..=u8::MAX {
        let files = store.module.files.clone();
        let remove = move |connection: &Connection, _| {
            let mut named = connection.prepare_cached("SELECT 1 FROM object_file WHERE id = ?1")?;
            let earlier = files.earlier(folder).unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot look for files that nothing names");
                vec![]
            });
            for id in earlier {
                if !named.exists([int(id)])? {
                    files.unlink(id);
                }
            }
            Ok(())
        };
        store.shard.reading().run(remove).await?;
    }
    Ok(())
}
