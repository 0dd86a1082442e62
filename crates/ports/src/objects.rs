//! Object storage: buckets of objects, as S3 has them.

use async_trait::async_trait;
pub use types::object::{
    BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectCondition, ObjectInfo, ObjectPage, ObjectQuery, Part,
    PutOptions, Upload, VersionId,
};

use crate::{Body, StoreError};

/// Buckets of objects. Bodies stream in constant memory. A written object is durable, and its event is in the queue of whoever waits
/// for it, when the call returns. A reader gets a whole object of one moment or an error, never a mixture.
///
/// All but `config` answer `Missing` if there is no such bucket. Writes answer `TooLarge` for a `key`, `metadata` (all but tags), `tags`,
/// `checksums` or `object` over `types::limits`, `Denied` for an empty key, and `Failed` if the body broke off.
///
/// Versions are S3's. Where versions are or were kept, the newest version is the object; a delete marker as the newest says that there is
/// none. With versioning on each write adds a version; suspended, it takes the place of the version `null`. Once on, versioning can be
/// suspended and not be off any more: `Off` then means `Suspended`.
///
/// An event says that what is under a key has changed for those who name no version: it is `written` if an object is there afterwards. So
/// removing an old version is no event, and removing a delete marker may be a `written` one.
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
    ///
    /// # Errors
    /// `TooLarge` for `settings` over `types::limits`.
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
    /// Removes an object, or one version of it for ever, and gives what went. With versioning on or suspended and no version named this
    /// writes a delete marker, which is given, also if nothing was there. Gives `None` if nothing was there and nothing was written.
    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        cause: Option<types::Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError>;
    /// Copies an object without moving its bytes through the caller; `attributes` replaces what its writer said of it, tags too. Entity
    /// tag, checksums and sizes of parts stay; of `options` the condition and the cause count. `None` if there is no such source.
    async fn copy(
        &self,
        source: (&BucketName, &str, Option<&VersionId>),
        target: (&BucketName, &str),
        attributes: Option<ObjectAttributes>,
        options: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError>;
    /// Changes an object's tags and nothing else. `None` if it is not there or a delete marker.
    async fn tag(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        tags: std::collections::BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError>;

    /// A page of present objects. Its cost depends on what it gives, not on what the bucket holds. A page that continues after a group
    /// goes on behind all of it.
    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError>;
    /// A page of all versions, newest first within a key, delete markers too; continues after a key and a version, or after all of the
    /// key's versions if none is named. A page whose `next` is the key of its last object continues after that object's version.
    async fn list_versions(
        &self,
        bucket: &BucketName,
        query: ObjectQuery,
        after_version: Option<&VersionId>,
    ) -> Result<ObjectPage, StoreError>;

    /// Begins an upload in parts. Ids are in the order in which uploads began.
    async fn begin_upload(&self, bucket: &BucketName, key: &str, attributes: ObjectAttributes) -> Result<Upload, StoreError>;
    /// Writes a part; one that was there with the same number is replaced. Trailers of the body are as in `put`.
    /// Parts may be of any size: S3's least size is for those to check who speak S3.
    ///
    /// # Errors
    /// `Missing` without such an upload; `TooMany` for `parts` over the limit.
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
    /// Makes the object of these parts, named by number and entity tag in ascending order. The parts' bytes are not copied. Of `options`
    /// the condition, the cause and the checksums count; the attributes are those that the upload began with.
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
    async fn uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<(&str, &str)>,
        max: usize,
    ) -> Result<Vec<Upload>, StoreError>;
    /// Removes what lifecycle rules say is over, and bytes that nothing names any more. Called from time to time; gives how many objects
    /// and old versions went, delete markers not counted.
    ///
    /// Rules are followed in this order: objects expire (as a `delete` without a version), old versions go so long after a newer one came,
    /// delete markers go by the rule of objects if they are all that is left of their key, uploads are aborted.
    async fn sweep(&self) -> Result<u64, StoreError>;
}
