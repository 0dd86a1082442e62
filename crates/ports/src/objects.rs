//! Object storage: buckets of objects, as S3 has them.

use async_trait::async_trait;
pub use types::object::{
    BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectCondition, ObjectInfo, ObjectPage, ObjectQuery, Part, PutOptions,
    Upload, VersionId,
};

use crate::{Body, StoreError};

/// Buckets of objects. Bodies stream in constant memory. A written object is durable, and its event is in the queue of whoever waits
/// for it, when the call returns. A reader gets a whole object of one moment or an error, never a mixture.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Makes a bucket; gives whether it is new.
    async fn create_bucket(&self, bucket: &BucketName) -> Result<bool, StoreError>;
    /// Removes an empty bucket.
    ///
    /// # Errors
    /// `Changed` if there are objects, versions or unfinished uploads in it; `Missing` if there is no such bucket.
    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), StoreError>;
    /// The buckets whose names begin with `prefix`, by name, with the time of their making.
    async fn buckets(&self, prefix: &str) -> Result<Vec<(BucketName, types::Timestamp)>, StoreError>;
    /// A bucket's settings; `None` if there is no such bucket.
    async fn config(&self, bucket: &BucketName) -> Result<Option<BucketConfig>, StoreError>;
    /// Changes a bucket's settings.
    async fn configure(&self, bucket: &BucketName, config: BucketConfig) -> Result<(), StoreError>;

    /// Writes an object. If the body breaks off, nothing is written: whoever verifies checksums lets the body fail. Checksums that are
    /// known at the end only come as trailers of the body ([`crate::trailing_checksums`]) and are kept beside those of `options`.
    ///
    /// # Errors
    /// `Changed` if the condition does not hold, looked at in the moment of the write; `Missing` without such a bucket; `TooLarge`.
    async fn put(&self, bucket: &BucketName, key: &str, body: Body, options: PutOptions) -> Result<ObjectInfo, StoreError>;
    /// What is known of an object; the newest version if none is named. `None` if it is not there; the newest being a delete marker is not
    /// there, unless it is named.
    async fn head(&self, bucket: &BucketName, key: &str, version: Option<&VersionId>) -> Result<Option<ObjectInfo>, StoreError>;
    /// An object, or a part of its bytes. A range that has no byte of it gives an empty body; callers look at the size.
    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Option<(ObjectInfo, Body)>, StoreError>;
    /// Removes an object, or one version of it for ever. With versioning and no version named this writes a delete marker, which is given.
    /// Gives `None` if nothing was there.
    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        cause: Option<types::Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError>;
    /// Copies an object without moving its bytes through the caller; `attributes` replaces what its writer said of it.
    async fn copy(
        &self,
        source: (&BucketName, &str, Option<&VersionId>),
        target: (&BucketName, &str),
        attributes: Option<ObjectAttributes>,
        options: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError>;
    /// Changes an object's tags and nothing else.
    async fn tag(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        tags: std::collections::BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError>;

    /// A page of present objects.
    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError>;
    /// A page of all versions, newest first within a key; continues after a key and a version.
    async fn list_versions(
        &self,
        bucket: &BucketName,
        query: ObjectQuery,
        after_version: Option<&VersionId>,
    ) -> Result<ObjectPage, StoreError>;

    /// Begins an upload in parts.
    async fn begin_upload(&self, bucket: &BucketName, key: &str, attributes: ObjectAttributes) -> Result<Upload, StoreError>;
    /// Writes a part; one that was there with the same number is replaced. Trailers of the body are as in `put`.
    async fn put_part(
        &self,
        bucket: &BucketName,
        upload: &str,
        number: u32,
        body: Body,
        checksums: Vec<(String, String)>,
    ) -> Result<Part, StoreError>;
    /// The parts of an upload after a number, in order.
    async fn parts(&self, bucket: &BucketName, upload: &str, after: u32, max: usize) -> Result<(Upload, Vec<Part>), StoreError>;
    /// Makes the object of these parts, named by number and entity tag in ascending order. The parts' bytes are not copied.
    ///
    /// # Errors
    /// `Missing` without such an upload; `Conflict` if a part is missing, has another tag or is out of order; `Changed` as `put`.
    async fn complete_upload(
        &self,
        bucket: &BucketName,
        upload: &str,
        parts: &[(u32, String)],
        options: PutOptions,
    ) -> Result<ObjectInfo, StoreError>;
    /// Gives an upload up, and its bytes free.
    async fn abort_upload(&self, bucket: &BucketName, upload: &str) -> Result<(), StoreError>;
    /// Unfinished uploads by key and id.
    async fn uploads(&self, bucket: &BucketName, prefix: &str, after: Option<(&str, &str)>, max: usize) -> Result<Vec<Upload>, StoreError>;
    /// Removes what lifecycle rules say is over, and bytes that nothing names any more. Called from time to time; gives how many objects
    /// went.
    async fn sweep(&self) -> Result<u64, StoreError>;
}
