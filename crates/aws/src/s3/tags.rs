//! Tags of objects and of buckets.

use std::collections::BTreeMap;

use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
        GetBucketTaggingInput, GetBucketTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput, PutBucketTaggingInput,
        PutBucketTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag, Tagging,
    },
    s3_error,
};

use super::{Api, read};
use crate::{
    convert::{version, version_asked},
    encoding::{Tagged, checked_tags},
    error,
};

pub(super) async fn get(api: &Api, req: S3Request<GetObjectTaggingInput>) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    let wanted = version_asked(req.input.version_id.as_ref());
    let info = read::known(api, &bucket, &req.input.key, wanted.as_ref()).await?;
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: written(info.attributes.tags), version_id: version(&info.version) }))
}

pub(super) async fn put(api: &Api, req: S3Request<PutObjectTaggingInput>) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let tags = given(&req.input.tagging, Tagged::Object)?;
    let version_id = set(api, &req, (&req.input.bucket, &req.input.key, req.input.version_id.as_ref()), tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let named = (req.input.bucket.as_str(), req.input.key.as_str(), req.input.version_id.as_ref());
    let version_id = set(api, &req, named, BTreeMap::new()).await?;
    Ok(S3Response::with_status(DeleteObjectTaggingOutput { version_id }, http::StatusCode::NO_CONTENT))
}

async fn set<T>(
    api: &Api,
    req: &S3Request<T>,
    (bucket, key, wanted): (&str, &str, Option<&String>),
    tags: BTreeMap<String, String>,
) -> S3Result<Option<String>> {
    let bucket = api.bucket(req, bucket)?;
    let changed = api.objects.tag(&bucket, key, version_asked(wanted).as_ref(), tags).await;
    let changed = changed.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    match changed {
        Some(info) => Ok(version(&info.version)),
        None => Err(api.missing(&bucket, S3ErrorCode::NoSuchKey).await),
    }
}

pub(super) async fn get_of_bucket(
    api: &Api,
    req: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let config = api.config(&api.bucket(&req, &req.input.bucket)?).await?;
    if config.tags.is_empty() {
        return Err(s3_error!(NoSuchTagSet, "The TagSet does not exist"));
    }
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: written(config.tags) }))
}

pub(super) async fn put_of_bucket(
    api: &Api,
    req: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let tags = given(&req.input.tagging, Tagged::Bucket)?;
    set_of_bucket(api, &req, &req.input.bucket, tags).await?;
    Ok(S3Response::with_status(PutBucketTaggingOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn delete_of_bucket(
    api: &Api,
    req: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    set_of_bucket(api, &req, &req.input.bucket, BTreeMap::new()).await?;
    Ok(S3Response::with_status(DeleteBucketTaggingOutput::default(), http::StatusCode::NO_CONTENT))
}

async fn set_of_bucket<T>(api: &Api, req: &S3Request<T>, name: &str, tags: BTreeMap<String, String>) -> S3Result<()> {
    api.reconfigure(req, name, |config| config.tags = tags).await
}

fn given(tagging: &Tagging, tagged: Tagged) -> S3Result<BTreeMap<String, String>> {
    let pair = |tag: &Tag| Ok((tag.key.clone().ok_or_else(unnamed)?, tag.value.clone().unwrap_or_default()));
    checked_tags(tagging.tag_set.iter().map(pair).collect::<S3Result<_>>()?, tagged)
}

fn unnamed() -> S3Error {
    s3_error!(InvalidTag, "A tag has no name")
}

fn written(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}
