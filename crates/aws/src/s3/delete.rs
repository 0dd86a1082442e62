//! Deleting objects, one by one and many at once.

use futures_util::StreamExt;
use ports::objects::{BucketName, ObjectInfo};
use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition, Error,
        ObjectIdentifier,
    },
    s3_error,
};
use types::{Cause, object::VersionId};

use super::{Api, cause, read};
use crate::{
    conditions,
    convert::{version, version_asked},
    error,
};

/// Keys of one call.
const KEYS: usize = 1_000;
/// Deletions of one call that are on their way at once, so that they share commits.
const AT_ONCE: usize = 64;

pub(super) async fn one(api: &Api, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    let wanted = version_asked(input.version_id.as_ref());
    check(api, &bucket, &input.key, wanted.as_ref(), input.if_match.as_ref()).await?;
    let gone = delete(api, &bucket, &input.key, wanted.as_ref(), cause(&req)).await?;
    if gone.is_none() {
        api.config(&bucket).await?;
    }
    let output = DeleteObjectOutput {
        delete_marker: gone.as_ref().filter(|info| info.is_delete_marker).map(|_| true),
        version_id: gone
            .as_ref()
            .filter(|info| wanted.is_some() || info.is_delete_marker)
            .and_then(|info| version(&info.version)),
        ..DeleteObjectOutput::default()
    };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

pub(super) async fn many(api: &Api, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    let cause = cause(&req);
    let asked = req.input.delete;
    if asked.objects.is_empty() || asked.objects.len() > KEYS {
        return Err(s3_error!(MalformedXML, "{} keys, allowed 1 to {KEYS}", asked.objects.len()));
    }
    api.config(&bucket).await?;
    let each = asked.objects.into_iter().map(|object| one_of_many(api, &bucket, object, cause));
    let mut outcomes = futures_util::stream::iter(each).buffered(AT_ONCE);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(gone) => deleted.push(gone),
            Err(error) => errors.push(error),
        }
    }
    if asked.quiet == Some(true) {
        deleted.clear();
    }
    Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None }))
}

async fn one_of_many(
    api: &Api,
    bucket: &BucketName,
    asked: ObjectIdentifier,
    cause: Option<Cause>,
) -> Result<DeletedObject, Error> {
    let wanted = version_asked(asked.version_id.as_ref());
    let condition = asked.e_tag.clone().map(ETagCondition::ETag);
    let gone = async {
        check(api, bucket, &asked.key, wanted.as_ref(), condition.as_ref()).await?;
        delete(api, bucket, &asked.key, wanted.as_ref(), cause).await
    };
    match gone.await {
        Ok(gone) => {
            let marker = gone.filter(|info| info.is_delete_marker);
            Ok(DeletedObject {
                delete_marker: marker.as_ref().map(|_| true),
                delete_marker_version_id: marker.and_then(|info| version(&info.version)),
                key: Some(asked.key),
                version_id: asked.version_id,
            })
        }
        Err(error) => Err(Error {
            code: Some(error.code().as_str().to_owned()),
            message: error.message().map(str::to_owned),
            key: Some(asked.key),
            version_id: asked.version_id,
        }),
    }
}

/// Looks at a condition before the deletion: unlike a write's, it is not looked at again in the moment of it.
async fn check(
    api: &Api,
    bucket: &BucketName,
    key: &str,
    wanted: Option<&VersionId>,
    condition: Option<&ETagCondition>,
) -> Result<(), S3Error> {
    let Some(condition) = condition else { return Ok(()) };
    let info = read::known(api, bucket, key, wanted).await?;
    if conditions::is(condition, &info) { Ok(()) } else { Err(conditions::failed("If-Match")) }
}

async fn delete(
    api: &Api,
    bucket: &BucketName,
    key: &str,
    wanted: Option<&VersionId>,
    cause: Option<Cause>,
) -> Result<Option<ObjectInfo>, S3Error> {
    api.objects.delete(bucket, key, wanted, cause).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))
}
