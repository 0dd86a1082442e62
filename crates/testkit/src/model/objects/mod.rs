//! Buckets of objects in memory: every version of every key in a map behind one lock.
//!
//! What the store on the disk does is compared with this, and whoever builds on the port can do so on this.

mod list;
mod sweep;
mod upload;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use ports::{
    Body, BodyError, Clock, Objects, StoreError,
    body::trailing_checksums,
    objects::{
        BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectInfo, ObjectPage, ObjectQuery, Part, PutOptions, Upload,
        VersionId,
    },
};
use types::{Cause, Timestamp, limits, object::Versioning};

use list::Order;
use upload::Unfinished;
use write::New;

/// The version that an object has where no versions are kept.
const NULL: &str = "null";

/// A deliberate mistake, so that it can be shown that the suite notices it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectFlaw {
    /// Writes whatever the condition says.
    IgnoresConditions,
    /// A body that breaks off becomes an object.
    KeepsBrokenBodies,
    /// The newest version replaces those before it.
    ForgetsVersions,
    /// Objects whose newest version is a delete marker are listed.
    ListsDeleted,
    /// A page that continues after a group gives the group again.
    RepeatsGroups,
    /// Parts may be named in any order.
    IgnoresPartOrder,
    /// Rules for the end of objects are not followed.
    NeverExpires,
    /// Keys and attributes may be of any size.
    IgnoresLimits,
    /// The last byte of a range is left out.
    CutsRanges,
}

/// Buckets of objects in a map.
pub struct ModelObjects {
    clock: Arc<dyn Clock>,
    flaw: Option<ObjectFlaw>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Writes until now: what versions and uploads are numbered by.
    written: u64,
    buckets: BTreeMap<BucketName, Bucket>,
}

struct Bucket {
    made: Timestamp,
    config: BucketConfig,
    /// The versions of each key, oldest first, never none.
    keys: BTreeMap<String, Vec<Version>>,
    /// By key and id.
    uploads: BTreeMap<(String, String), Unfinished>,
}

#[derive(Clone)]
struct Version {
    info: ObjectInfo,
    /// When a newer one came.
    old_since: Option<Timestamp>,
    bytes: Bytes,
}

impl ModelObjects {
    /// No buckets.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_flaw(clock, None)
    }

    /// No buckets, and a mistake.
    #[must_use]
    pub fn with_flaw(clock: Arc<dyn Clock>, flaw: Option<ObjectFlaw>) -> Self {
        Self { clock, flaw, state: Mutex::default() }
    }

    fn has(&self, flaw: ObjectFlaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn check(&self, key: &str, attributes: &ObjectAttributes) -> Result<(), StoreError> {
        if self.has(ObjectFlaw::IgnoresLimits) { Ok(()) } else { check(key, attributes) }
    }

    /// Reads a body to its end; adds what its trailers say to the checksums.
    async fn read(&self, mut body: Body, checksums: &mut Vec<(String, String)>) -> Result<Bytes, StoreError> {
        let (mut bytes, allowed) = (Vec::new(), limits::OBJECT_WHOLE.0);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => {
                    bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
                    checksums.extend(frame.trailers_ref().map(trailing_checksums).unwrap_or_default());
                }
                Err(_) if self.has(ObjectFlaw::KeepsBrokenBodies) => break,
                Err(BodyError::TooLarge { allowed }) => {
                    return Err(StoreError::TooLarge { what: "object", measured: bytes.len() as u64, allowed });
                }
                Err(error) => return Err(StoreError::Failed(format!("the body broke off: {error}"))),
            }
            if bytes.len() as u64 > allowed {
                return Err(StoreError::TooLarge { what: "object", measured: bytes.len() as u64, allowed });
            }
        }
        within("checksums", checksums.iter().map(|(name, value)| name.len() + value.len()).sum(), limits::OBJECT_CHECKSUMS)?;
        Ok(bytes.into())
    }
}

fn within(what: &'static str, measured: usize, allowed: types::ByteCount) -> Result<(), StoreError> {
    let (measured, allowed) = (measured as u64, allowed.0);
    if measured > allowed { Err(StoreError::TooLarge { what, measured, allowed }) } else { Ok(()) }
}

fn check(key: &str, attributes: &ObjectAttributes) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::Denied("the key of an object can't be empty".into()));
    }
    within("key", key.len(), limits::OBJECT_KEY)?;
    let ObjectAttributes { content_type, headers, metadata, tags } = attributes;
    let sum = |map: &BTreeMap<String, String>| map.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    let said = content_type.as_ref().map_or(0, String::len) + sum(headers) + sum(metadata);
    within("metadata", said, limits::OBJECT_METADATA)?;
    within("tags", sum(tags), limits::OBJECT_METADATA)
}

impl State {
    fn bucket(&mut self, name: &BucketName) -> Result<&mut Bucket, StoreError> {
        self.buckets.get_mut(name).ok_or_else(|| StoreError::Missing(format!("the bucket {}", name.short())))
    }

    /// The next number, as versions and uploads are named.
    fn number(&mut self) -> String {
        self.written += 1;
        format!("{:016x}", self.written)
    }
}

impl Bucket {
    /// The version that is meant: the newest if none is named, unless that says that the object was deleted.
    fn version(&self, key: &str, version: Option<&VersionId>) -> Option<&Version> {
        let versions = self.keys.get(key)?;
        match version {
            Some(named) => versions.iter().find(|version| version.info.version == *named),
            None => versions.last().filter(|version| !version.info.is_delete_marker),
        }
    }
}

#[async_trait]
impl Objects for ModelObjects {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<bool, StoreError> {
        within("key", bucket.0.len(), limits::OBJECT_KEY)?;
        let (mut state, made) = (self.state.lock(), self.clock.now());
        if state.buckets.contains_key(bucket) {
            return Ok(false);
        }
        let new = Bucket { made, config: BucketConfig::default(), keys: BTreeMap::new(), uploads: BTreeMap::new() };
        state.buckets.insert(bucket.clone(), new);
        Ok(true)
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let Bucket { keys, uploads, .. } = state.bucket(bucket)?;
        if !keys.is_empty() || !uploads.is_empty() {
            return Err(StoreError::Changed(format!("the bucket {} is not empty", bucket.short())));
        }
        state.buckets.remove(bucket);
        Ok(())
    }

    async fn buckets(&self, prefix: &str) -> Result<Vec<(BucketName, Timestamp)>, StoreError> {
        let state = self.state.lock();
        let all = state.buckets.iter().filter(|(name, _)| name.0.starts_with(prefix));
        Ok(all.map(|(name, bucket)| (name.clone(), bucket.made)).collect())
    }

    async fn config(&self, bucket: &BucketName) -> Result<Option<BucketConfig>, StoreError> {
        Ok(self.state.lock().buckets.get(bucket).map(|bucket| bucket.config.clone()))
    }

    async fn configure(&self, bucket: &BucketName, mut config: BucketConfig) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let bucket = state.bucket(bucket)?;
        if config.versioning == Versioning::Off && bucket.config.versioning != Versioning::Off {
            config.versioning = Versioning::Suspended;
        }
        bucket.config = config;
        Ok(())
    }

    async fn put(&self, bucket: &BucketName, key: &str, body: Body, options: PutOptions) -> Result<ObjectInfo, StoreError> {
        self.check(key, &options.attributes)?;
        self.state.lock().bucket(bucket)?;
        let mut checksums = options.checksums;
        let bytes = self.read(body, &mut checksums).await?;
        let new = New::whole(key, bytes, options.attributes, checksums);
        self.write(&mut self.state.lock(), bucket, new, &options.condition)
    }

    async fn head(&self, bucket: &BucketName, key: &str, version: Option<&VersionId>) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(self.state.lock().bucket(bucket)?.version(key, version).map(|version| version.info.clone()))
    }

    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Option<(ObjectInfo, Body)>, StoreError> {
        let mut state = self.state.lock();
        let Some(Version { info, bytes, .. }) = state.bucket(bucket)?.version(key, version) else { return Ok(None) };
        let bytes = match range.map(|range| range.within(info.bytes)) {
            None => bytes.clone(),
            Some(None) => Bytes::new(),
            Some(Some((first, count))) => {
                let count = if self.has(ObjectFlaw::CutsRanges) { count - 1 } else { count };
                bytes.slice(first as usize..(first + count) as usize)
            }
        };
        Ok(Some((info.clone(), bytes.into())))
    }

    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        _cause: Option<Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let (mut state, now) = (self.state.lock(), self.clock.now());
        state.delete(bucket, key, version, now)
    }

    async fn copy(
        &self,
        source: (&BucketName, &str, Option<&VersionId>),
        target: (&BucketName, &str),
        attributes: Option<ObjectAttributes>,
        options: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        self.check(target.1, attributes.as_ref().unwrap_or(&ObjectAttributes::default()))?;
        let mut state = self.state.lock();
        let found = state.bucket(source.0)?.version(source.1, source.2).cloned();
        let Some(Version { info, bytes, .. }) = found.filter(|version| !version.info.is_delete_marker) else { return Ok(None) };
        let attributes = attributes.unwrap_or(info.attributes);
        let ObjectInfo { etag, checksums, parts, .. } = info;
        let new = New { key: target.1.to_owned(), etag, attributes, checksums, parts, bytes };
        self.write(&mut state, target.0, new, &options.condition).map(Some)
    }

    async fn tag(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        self.check(key, &ObjectAttributes { tags: tags.clone(), ..ObjectAttributes::default() })?;
        let mut state = self.state.lock();
        let bucket = state.bucket(bucket)?;
        let Some(named) = bucket.version(key, version).map(|version| version.info.version.clone()) else { return Ok(None) };
        let versions = bucket.keys.get_mut(key).into_iter().flatten();
        let found = versions.map(|version| &mut version.info).find(|info| info.version == named && !info.is_delete_marker);
        Ok(found.map(|info| {
            info.attributes.tags = tags;
            info.clone()
        }))
    }

    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError> {
        self.list(bucket, &query, Order::Present)
    }

    async fn list_versions(
        &self,
        bucket: &BucketName,
        query: ObjectQuery,
        after_version: Option<&VersionId>,
    ) -> Result<ObjectPage, StoreError> {
        self.list(bucket, &query, Order::Versions(after_version))
    }

    async fn begin_upload(&self, bucket: &BucketName, key: &str, attributes: ObjectAttributes) -> Result<Upload, StoreError> {
        self.check(key, &attributes)?;
        self.begin(bucket, key, attributes)
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
        self.state.lock().bucket(bucket)?.upload(upload)?;
        let bytes = self.read(body, &mut checksums).await?;
        self.part(bucket, upload, number, bytes, checksums)
    }

    async fn parts(&self, bucket: &BucketName, upload: &str, after: u32, max: usize) -> Result<(Upload, Vec<Part>), StoreError> {
        let mut state = self.state.lock();
        let unfinished = state.bucket(bucket)?.upload(upload)?;
        let parts = unfinished.parts.range(after.saturating_add(1)..).take(max);
        Ok((unfinished.upload.clone(), parts.map(|(_, part)| part.part.clone()).collect()))
    }

    async fn complete_upload(
        &self,
        bucket: &BucketName,
        upload: &str,
        parts: &[(u32, String)],
        options: PutOptions,
    ) -> Result<ObjectInfo, StoreError> {
        self.complete(bucket, upload, parts, options)
    }

    async fn abort_upload(&self, bucket: &BucketName, upload: &str) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let bucket = state.bucket(bucket)?;
        let key = bucket.upload(upload)?.upload.key.clone();
        bucket.uploads.remove(&(key, upload.to_owned()));
        Ok(())
    }

    async fn uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<(&str, &str)>,
        max: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        let mut state = self.state.lock();
        let uploads =
            state.bucket(bucket)?.uploads.iter().filter(|((key, id), _)| {
                key.starts_with(prefix) && after.is_none_or(|after| (key.as_str(), id.as_str()) > after)
            });
        Ok(uploads.take(max).map(|(_, unfinished)| unfinished.upload.clone()).collect())
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        if self.has(ObjectFlaw::NeverExpires) {
            return Ok(0);
        }
        let (mut state, now) = (self.state.lock(), self.clock.now());
        state.sweep(now)
    }
}
