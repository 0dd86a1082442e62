//! The port: what is refused early, what is read, and what is handed to the commit thread.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Body, Objects, StoreError};
use rusqlite::{Connection, params};
use types::{
    Cause, Timestamp, limits,
    object::{
        BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectInfo, ObjectPage, ObjectQuery, Part, PutOptions, Upload,
        VersionId, Versioning,
    },
};

use super::{
    ObjectStore, ObjectsModule,
    apply::{self, New, no_bucket},
    body::{self, Wanted},
    check, find,
    ingest::{self, INLINE, Ingested, Stored, within},
    lifecycle,
    list::{self, Order},
    row::{self, Content, Found, Place},
    upload::{self, Completing, PartRow, no_upload},
};
use crate::{
    failpoint::{Passed, Point},
    shard::{Applied, Batch},
};

/// How often a reader looks again when the version that it found was removed before it could hold on to its files.
const READ_TRIES: usize = 32;

/// Goes on with what was not refused.
macro_rules! held {
    ($outcome:expr) => {
        match $outcome {
            Ok(value) => value,
            Err(refused) => return Ok(Err(refused)),
        }
    };
}

impl ObjectStore {
    /// Runs a point read on one moment of a bucket.
    fn with<T>(&self, name: &BucketName, read: impl FnOnce(&Connection, i64) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let found = self.shard.reading().with(|connection, _| match find::bucket(connection, name)? {
            Some(bucket) => read(connection, bucket).map(Some),
            None => Ok(None),
        });
        found?.ok_or_else(|| no_bucket(name))
    }

    /// Reads of unknown length.
    async fn run<T: Send + 'static>(
        &self,
        name: &BucketName,
        read: impl FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let own = name.clone();
        let found = self.shard.reading().run(move |connection, _| match find::bucket(connection, &own)? {
            Some(bucket) => read(connection, bucket).map(Some),
            None => Ok(None),
        });
        found.await?.ok_or_else(|| no_bucket(name))
    }

    /// Runs work on a bucket in the next batch.
    async fn change<T: Send + 'static>(
        &self,
        name: &BucketName,
        mut work: impl FnMut(&ObjectsModule, &mut Batch<'_>, &apply::Bucket<'_>) -> Applied<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (module, name) = (self.module.clone(), name.clone());
        let work = move |batch: &mut Batch<'_>| {
            let bucket = held!(apply::bucket(batch, &name)?);
            work(&module, batch, &bucket)
        };
        self.shard.run(work).await
    }

    /// The version that is meant, and its bytes if they lie in a row.
    fn found(&self, bucket: &BucketName, key: &str, version: Option<&VersionId>) -> Result<Option<(Found, Bytes)>, StoreError> {
        let verify = self.module.files.failpoints.pass(Point::ObjectVerify) != Passed::Skip;
        self.with(bucket, |connection, bucket| {
            let Some(found) = find::version(connection, bucket, key, version)? else { return Ok(None) };
            let bytes = match found.meta.place {
                Place::Row => find::bytes(connection, found.n, verify)?,
                Place::Nowhere | Place::Files(_) => Bytes::new(),
            };
            Ok(Some((found, bytes)))
        })
    }

    /// Reads a body to where it is durable, and gives it a row by this work. If there is certainly none, the bytes go again.
    async fn keep<T: Send + 'static>(
        &self,
        bucket: &BucketName,
        ingested: Ingested,
        mut work: impl FnMut(&ObjectsModule, &mut Batch<'_>, &apply::Bucket<'_>, &Ingested) -> Applied<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ingested = Arc::new(ingested);
        let own = ingested.clone();
        let outcome = self.change(bucket, move |module, batch, bucket| {
            let outcome = work(module, batch, bucket, &own)?;
            if let Stored::File(_, temporary) = &own.stored {
                if outcome.is_ok() { temporary.keep() } else { temporary.discard() }
            }
            Ok(outcome)
        });
        let outcome = outcome.await;
        if let (Err(error), Stored::File(_, temporary)) = (&outcome, &ingested.stored)
            && !matches!(error, StoreError::Ambiguous(_))
        {
            temporary.discard();
        }
        outcome
    }
}

/// The bytes of a row that are wanted.
fn slice(bytes: &Bytes, range: Option<ByteRange>) -> Bytes {
    match range.map(|range| range.within(bytes.len() as u64)) {
        None => bytes.clone(),
        Some(None) => Bytes::new(),
        Some(Some((first, count))) => {
            let at = |place: u64| usize::try_from(place).expect("it is within bytes in memory");
            bytes.slice(at(first)..at(first + count))
        }
    }
}

fn count_content(batch: &Batch<'_>, stored: &Stored) -> rusqlite::Result<()> {
    match stored {
        Stored::Memory(_) => Ok(()),
        Stored::File(piece, _) => apply::count_file(batch, piece.file),
    }
}

/// Copies inside a batch, so that source and target are of one moment.
fn copy(
    module: &ObjectsModule,
    batch: &mut Batch<'_>,
    target: &apply::Bucket<'_>,
    (source, key, version): (&BucketName, &str, Option<&VersionId>),
    (to, attributes, options): (&str, Option<&ObjectAttributes>, &PutOptions),
) -> Applied<Option<ObjectInfo>> {
    let source = held!(apply::bucket(batch, source)?);
    let found = find::version(batch.connection, source.id, key, version)?;
    let Some(found) = found.filter(|found| !found.is_marker()) else { return Ok(Ok(None)) };
    held!(apply::check(batch, target, to, &options.condition)?);
    let content = match &found.meta.place {
        Place::Files(pieces) => Content::Files(pieces.clone()),
        Place::Row | Place::Nowhere => Content::Row(find::bytes(batch.connection, found.n, true)?),
    };
    let is_whole = apply::share_files(batch, &content)?;
    debug_assert!(is_whole, "a version names files that are there");
    let row::Meta { bytes, etag, checksums, parts, .. } = found.meta.clone();
    let attributes = attributes.cloned().unwrap_or_else(|| found.meta.attributes());
    let new = New { key: to.to_owned(), bytes, etag, attributes, checksums, parts, content: Some(content) };
    module.add(batch, target, &new, options.cause).map(|info| Ok(Some(info)))
}

#[async_trait]
impl Objects for ObjectStore {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<bool, StoreError> {
        within("key", bucket.0.len() as u64, limits::OBJECT_KEY)?;
        let (name, config) = (bucket.clone(), check::settings(&BucketConfig::default())?);
        let insert = "INSERT OR IGNORE INTO object_bucket (name, made, config) VALUES (?1, ?2, ?3)";
        let work = move |batch: &mut Batch<'_>| {
            let made = batch.connection.prepare_cached(insert)?.execute(params![name.0, batch.time(), config])?;
            Ok(Ok(made == 1))
        };
        self.shard.run(work).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), StoreError> {
        let work = |_: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>| {
            for table in ["object", "object_upload"] {
                let sql = format!("SELECT 1 FROM {table} WHERE bucket = ?1");
                if batch.connection.prepare_cached(&sql)?.exists([bucket.id])? {
                    return Ok(Err(StoreError::Changed(format!("the bucket {} is not empty", bucket.name.short()))));
                }
            }
            batch.connection.prepare_cached("DELETE FROM object_bucket WHERE id = ?1")?.execute([bucket.id])?;
            Ok(Ok(()))
        };
        self.change(bucket, work).await
    }

    async fn buckets(&self, prefix: &str) -> Result<Vec<(BucketName, Timestamp)>, StoreError> {
        let prefix = prefix.to_owned();
        self.shard.reading().run(move |connection, _| find::buckets(connection, &prefix)).await
    }

    async fn config(&self, bucket: &BucketName) -> Result<Option<BucketConfig>, StoreError> {
        let found = self.shard.reading().with(|connection, _| find::config(connection, bucket))?;
        Ok(found.map(|(_, config)| config))
    }

    async fn configure(&self, bucket: &BucketName, config: BucketConfig) -> Result<(), StoreError> {
        check::settings(&config)?;
        let work = move |_: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>| {
            let mut config = config.clone();
            if config.versioning == Versioning::Off && bucket.versioning != Versioning::Off {
                config.versioning = Versioning::Suspended;
            }
            let json = held!(check::settings(&config));
            let update = "UPDATE object_bucket SET config = ?2 WHERE id = ?1";
            batch.connection.prepare_cached(update)?.execute(params![bucket.id, json])?;
            Ok(Ok(()))
        };
        self.change(bucket, work).await
    }

    /// # Cancel safety
    /// A dropped call may still write the object, and never half of it.
    async fn put(&self, bucket: &BucketName, key: &str, body: Body, options: PutOptions) -> Result<ObjectInfo, StoreError> {
        check::key(key)?;
        check::attributes(&options.attributes)?;
        self.with(bucket, |_, _| Ok(()))?;
        let ingested = ingest::read(&self.module.files, body, INLINE).await?;
        let PutOptions { attributes, condition, cause, mut checksums } = options;
        checksums.extend(ingested.checksums.iter().cloned());
        check::checksums(&checksums)?;
        let etag = row::hex(&ingested.md5);
        let content = Some(ingested.stored.content());
        let new = New { key: key.to_owned(), bytes: ingested.bytes, etag, attributes, checksums, parts: vec![], content };
        let work = move |module: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>, ingested: &Ingested| {
            held!(apply::check(batch, bucket, &new.key, &condition)?);
            count_content(batch, &ingested.stored)?;
            module.add(batch, bucket, &new, cause).map(Ok)
        };
        self.keep(bucket, ingested, work).await
    }

    async fn head(&self, bucket: &BucketName, key: &str, version: Option<&VersionId>) -> Result<Option<ObjectInfo>, StoreError> {
        let found = self.with(bucket, |connection, bucket| find::version(connection, bucket, key, version))?;
        Ok(found.map(|found| found.info()))
    }

    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Option<(ObjectInfo, Body)>, StoreError> {
        for _ in 0..READ_TRIES {
            let Some((found, bytes)) = self.found(bucket, key, version)? else { return Ok(None) };
            let Place::Files(pieces) = &found.meta.place else {
                return Ok(Some((found.info(), Body::from(slice(&bytes, range)))));
            };
            // Whoever removes the version from now on leaves the files to us. If somebody did before, there is another one, or none.
            let pins = self.module.files.pin(pieces.iter().map(|piece| piece.file).collect());
            if !self.shard.reading().with(|connection, _| find::is_there(connection, found.n))? {
                continue;
            }
            let all = (0, found.meta.bytes);
            let (first, count) = range.map_or(Some(all), |range| range.within(found.meta.bytes)).unwrap_or((0, 0));
            let wanted = Wanted { pieces: pieces.clone(), first, count };
            let body = body::open(self.module.files.clone(), wanted, pins).await?;
            return Ok(Some((found.info(), body)));
        }
        Err(StoreError::Failed(format!("the object {key:?} was replaced faster than it could be read")))
    }

    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        cause: Option<Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let (key, version) = (key.to_owned(), version.cloned());
        let work = move |module: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>| {
            if version.is_none() && bucket.versioning != Versioning::Off {
                held!(check::key(&key));
            }
            module.delete(batch, bucket, &key, version.as_ref(), cause).map(Ok)
        };
        self.change(bucket, work).await
    }

    async fn copy(
        &self,
        source: (&BucketName, &str, Option<&VersionId>),
        target: (&BucketName, &str),
        attributes: Option<ObjectAttributes>,
        options: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        check::key(target.1)?;
        attributes.as_ref().map_or(Ok(()), check::attributes)?;
        let (from, key, version) = (source.0.clone(), source.1.to_owned(), source.2.cloned());
        let to = target.1.to_owned();
        let work = move |module: &ObjectsModule, batch: &mut Batch<'_>, target: &apply::Bucket<'_>| {
            copy(module, batch, target, (&from, &key, version.as_ref()), (&to, attributes.as_ref(), &options))
        };
        self.change(target.0, work).await
    }

    async fn tag(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        check::key(key)?;
        check::tags(&tags)?;
        let (key, version) = (key.to_owned(), version.cloned());
        let work = move |module: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>| {
            module.tag(batch, bucket, &key, version.as_ref(), &tags).map(Ok)
        };
        self.change(bucket, work).await
    }

    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError> {
        let read = move |connection: &Connection, bucket| list::page(connection, bucket, &query, &Order::Present);
        self.run(bucket, read).await.map(|listed| listed.page)
    }

    async fn list_versions(
        &self,
        bucket: &BucketName,
        query: ObjectQuery,
        after_version: Option<&VersionId>,
    ) -> Result<ObjectPage, StoreError> {
        let order = Order::Versions(after_version.cloned());
        let read = move |connection: &Connection, bucket| list::page(connection, bucket, &query, &order);
        self.run(bucket, read).await.map(|listed| listed.page)
    }

    async fn begin_upload(&self, bucket: &BucketName, key: &str, attributes: ObjectAttributes) -> Result<Upload, StoreError> {
        check::key(key)?;
        check::attributes(&attributes)?;
        let key = key.to_owned();
        let work = move |_: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>| {
            upload::begin(batch, bucket.id, &key, &attributes).map(Ok)
        };
        self.change(bucket, work).await
    }

    async fn put_part(
        &self,
        bucket: &BucketName,
        upload: &str,
        number: u32,
        body: Body,
        mut checksums: Vec<(String, String)>,
    ) -> Result<Part, StoreError> {
        upload::check_number(number)?;
        self.with(bucket, |connection, bucket| upload::find(connection, bucket, upload))?.ok_or_else(|| no_upload(upload))?;
        // Always a file: the object will name it.
        let ingested = ingest::read(&self.module.files, body, 0).await?;
        checksums.extend(ingested.checksums.iter().cloned());
        check::checksums(&checksums)?;
        let (id, modified) = (upload.to_owned(), self.now().unix_ns());
        let Stored::File(piece, _) = &ingested.stored else { unreachable!("nothing was allowed to stay in memory") };
        let part = PartRow { piece: *piece, md5: ingested.md5, modified, checksums };
        let told = part.part(number);
        let work = move |module: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>, _: &Ingested| {
            let found = upload::find(batch.connection, bucket.id, &id)?;
            let (upload, _) = held!(found.ok_or_else(|| no_upload(&id)));
            module.put_part(batch, upload, number, &part).map(Ok)
        };
        self.keep(bucket, ingested, work).await.map(|()| told)
    }

    async fn parts(&self, bucket: &BucketName, upload: &str, after: u32, max: usize) -> Result<(Upload, Vec<Part>), StoreError> {
        let id = upload.to_owned();
        let found = self.run(bucket, move |connection, bucket| {
            let Some((n, upload)) = upload::find(connection, bucket, &id)? else { return Ok(None) };
            let parts = upload::parts(connection, n, after, max)?;
            Ok(Some((upload, parts.iter().map(|(number, part)| part.part(*number)).collect())))
        });
        found.await?.ok_or_else(|| no_upload(upload))
    }

    async fn complete_upload(
        &self,
        bucket: &BucketName,
        upload: &str,
        parts: &[(u32, String)],
        options: PutOptions,
    ) -> Result<ObjectInfo, StoreError> {
        check::checksums(&options.checksums)?;
        let completing = Completing { bucket: bucket.clone(), upload: upload.to_owned(), named: parts.to_vec(), options };
        let module = self.module.clone();
        self.shard.run(move |batch| module.complete(batch, &completing)).await
    }

    async fn abort_upload(&self, bucket: &BucketName, upload: &str) -> Result<(), StoreError> {
        let id = upload.to_owned();
        let work = move |module: &ObjectsModule, batch: &mut Batch<'_>, bucket: &apply::Bucket<'_>| {
            let found = upload::find(batch.connection, bucket.id, &id)?;
            let (upload, _) = held!(found.ok_or_else(|| no_upload(&id)));
            module.abort(batch, upload).map(Ok)
        };
        self.change(bucket, work).await
    }

    async fn uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<(&str, &str)>,
        max: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        let (prefix, max) = (prefix.to_owned(), max.min(limits::BUCKET_PAGE));
        let after = after.map(|(key, id)| (key.to_owned(), id.to_owned()));
        self.run(bucket, move |connection, bucket| upload::list(connection, bucket, &prefix, after.as_ref(), max)).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        lifecycle::remove_orphans(self).await?;
        lifecycle::sweep(self).await
    }
}
