//! Who calls: keys behind signatures, what they may do, and the bucket that a name means for them.

use std::sync::Arc;

use async_trait::async_trait;
use ports::{AccessKeys, objects::BucketName};
use s3s::{
    S3ErrorCode, S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    s3_error,
    validation::NameValidation,
};
use types::AppKey;

use crate::{error, front::Seen};

/// Whom a request comes from, once its signature holds.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The app whose buckets the names in the request mean.
    pub(crate) app: AppKey,
}

impl Caller {
    /// The caller of a request.
    pub(crate) fn of<T>(request: &S3Request<T>) -> S3Result<&Self> {
        // The access check put it there; without one there is no way past that check.
        request.extensions.get().ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))
    }
    /// The bucket that a name means for this caller.
    pub(crate) fn bucket(&self, name: &str) -> BucketName {
        BucketName::of(&self.app.app, &self.app.env, name)
    }
    /// What the names of all buckets of this caller begin with.
    pub(crate) fn buckets(&self) -> String {
        self.bucket("").0
    }
}

/// The keys that the node issued.
#[derive(Clone)]
pub(crate) struct Keys(pub(crate) Arc<dyn AccessKeys>);

#[async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, id: &str) -> S3Result<SecretKey> {
        let key = self.0.find(id).await.map_err(|error| error::of_store(error, S3ErrorCode::InvalidAccessKeyId))?;
        let key =
            key.ok_or_else(|| s3_error!(InvalidAccessKeyId, "The access key ID you provided does not exist in our records."))?;
        let secret = String::from_utf8(key.secret.0).map_err(|_| s3_error!(InternalError, "the key is damaged"))?;
        Ok(SecretKey::from(secret))
    }
}

#[async_trait]
impl S3Access for Keys {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let denied = || s3_error!(AccessDenied, "Access Denied");
        let id = cx.credentials().ok_or_else(denied)?.access_key.clone();
        let key = self.0.find(&id).await.map_err(|error| error::of_store(error, S3ErrorCode::InvalidAccessKeyId))?;
        let key = key.ok_or_else(denied)?;
        let operation = operation(cx.s3_op().name());
        if let Some(seen) = cx.extensions_mut().get::<Arc<Seen>>() {
            seen.caller(key.app.clone(), operation);
        }
        if key.read_only && !reads(operation) {
            return Err(s3_error!(AccessDenied, "This access key may read only"));
        }
        cx.extensions_mut().insert(Caller { app: key.app });
        Ok(())
    }
}

/// The operation's name for as long as the program runs.
fn operation(name: &str) -> &'static str {
    OPERATIONS.iter().find(|known| **known == name).copied().unwrap_or("Other")
}

/// The operations that are served.
const OPERATIONS: &[&str] = &[
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteBucketCors",
    "DeleteBucketLifecycle",
    "DeleteBucketTagging",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketCors",
    "GetBucketLifecycleConfiguration",
    "GetBucketLocation",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetObject",
    "GetObjectAttributes",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PostObject",
    "PutBucketCors",
    "PutBucketLifecycleConfiguration",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectTagging",
    "UploadPart",
    "UploadPartCopy",
];

/// Whether an operation changes nothing. What is not known counts as a change.
fn reads(operation: &str) -> bool {
    ["Get", "Head", "List"].iter().any(|verb| operation.starts_with(verb))
}

/// The names that buckets may have: those of a manifest, and those that S3 clients give.
pub(crate) struct Names;

impl NameValidation for Names {
    fn validate_bucket_name(&self, name: &str) -> bool {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
        let outer = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        (1..=63).contains(&name.len())
            && name.bytes().all(inner)
            && outer(name.bytes().next())
            && outer(name.bytes().last())
            && !name.contains("..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_counts_as_reading() {
        assert!(OPERATIONS.iter().all(|name| operation(name) == *name));
        let writes: Vec<_> = OPERATIONS.iter().filter(|name| !reads(name)).collect();
        assert_eq!(writes.len(), OPERATIONS.iter().filter(|name| !name.starts_with(['G', 'H', 'L'])).count());
        assert!(!reads(operation("SelectObjectContent")));
    }

    #[test]
    fn names_of_buckets_stay_within_their_app() {
        for good in ["a", "uploads", "my.bucket-1"] {
            assert!(Names.validate_bucket_name(good), "{good}");
        }
        for bad in ["", "A", "a/b", "..", "a..b", "-a", "a-", "a b", &"x".repeat(64)] {
            assert!(!Names.validate_bucket_name(bad), "{bad}");
        }
    }
}
