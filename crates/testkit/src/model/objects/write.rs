//! Writing and deleting, with versions as S3 keeps them.

use bytes::Bytes;
use md5::{Digest as _, Md5};
use ports::StoreError;
use types::{
    Timestamp,
    object::{BucketName, ObjectAttributes, ObjectCondition, ObjectInfo, VersionId, Versioning},
};

use super::{ModelObjects, NULL, ObjectFlaw, State, Version};

/// An object that is about to be written.
pub(super) struct New {
    pub(super) key: String,
    pub(super) etag: String,
    pub(super) attributes: ObjectAttributes,
    pub(super) checksums: Vec<(String, String)>,
    pub(super) parts: Vec<u64>,
    pub(super) bytes: Bytes,
}

impl New {
    pub(super) fn whole(key: &str, bytes: Bytes, attributes: ObjectAttributes, checksums: Vec<(String, String)>) -> Self {
        let etag = format!("{:x}", Md5::digest(&bytes));
        Self { key: key.to_owned(), etag, attributes, checksums, parts: vec![], bytes }
    }
}

impl ModelObjects {
    /// Writes an object if the condition holds now.
    pub(super) fn write(
        &self,
        state: &mut State,
        bucket: &BucketName,
        new: New,
        condition: &ObjectCondition,
    ) -> Result<ObjectInfo, StoreError> {
        let now = self.clock.now();
        let present = state.bucket(bucket)?.version(&new.key, None).map(|version| version.info.etag.clone());
        let holds = match condition {
            ObjectCondition::None => true,
            ObjectCondition::Absent => present.is_none(),
            ObjectCondition::Matches(etag) => present.as_ref() == Some(etag),
        };
        if !holds && !self.has(ObjectFlaw::IgnoresConditions) {
            return Err(StoreError::Changed(format!("the object {:?}", new.key)));
        }
        let New { key, etag, attributes, checksums, parts, bytes } = new;
        let version = VersionId(NULL.into());
        let size = bytes.len() as u64;
        let info =
            ObjectInfo { key, bytes: size, etag, modified: now, version, is_delete_marker: false, attributes, checksums, parts };
        let info = state.add(bucket, info, bytes)?;
        if self.has(ObjectFlaw::ForgetsVersions) {
            let versions = state.bucket(bucket)?.keys.get_mut(&info.key);
            versions.into_iter().for_each(|versions| drop(versions.drain(..versions.len() - 1)));
        }
        Ok(info)
    }
}

impl State {
    /// Adds a version that becomes the newest, and takes the place of the `null` version where it is one itself.
    fn add(&mut self, bucket: &BucketName, mut info: ObjectInfo, bytes: Bytes) -> Result<ObjectInfo, StoreError> {
        let number = self.number();
        let bucket = self.bucket(bucket)?;
        let versions = bucket.keys.entry(info.key.clone()).or_default();
        match bucket.config.versioning {
            Versioning::On => info.version = VersionId(number),
            Versioning::Off | Versioning::Suspended => versions.retain(|version| version.info.version.0 != NULL),
        }
        if let Some(newest) = versions.last_mut() {
            newest.old_since.get_or_insert(info.modified);
        }
        versions.push(Version { info: info.clone(), old_since: None, bytes });
        Ok(info)
    }

    pub(super) fn delete(
        &mut self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        now: Timestamp,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let null = VersionId(NULL.into());
        let version = match version {
            Some(version) => version,
            None if self.bucket(bucket)?.config.versioning == Versioning::Off => &null,
            None => {
                let marker = ObjectInfo {
                    key: key.to_owned(),
                    bytes: 0,
                    etag: String::new(),
                    modified: now,
                    version: null,
                    is_delete_marker: true,
                    attributes: ObjectAttributes::default(),
                    checksums: vec![],
                    parts: vec![],
                };
                super::check(key, &marker.attributes)?;
                return self.add(bucket, marker, Bytes::new()).map(Some);
            }
        };
        let bucket = self.bucket(bucket)?;
        let Some(versions) = bucket.keys.get_mut(key) else { return Ok(None) };
        let Some(at) = versions.iter().position(|other| other.info.version == *version) else { return Ok(None) };
        let removed = versions.remove(at);
        match versions.last_mut() {
            Some(newest) => newest.old_since = None,
            None => drop(bucket.keys.remove(key)),
        }
        Ok(Some(removed.info))
    }
}
