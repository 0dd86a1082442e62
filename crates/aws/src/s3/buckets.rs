//! Buckets: made, removed, looked for and listed, all within the caller's app.

use s3s::{
    S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        Bucket, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput,
        GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
    },
    s3_error,
};

use super::{Api, refuse};
use crate::{auth::Caller, convert::timestamp, error};
use ports::StoreError;

/// The most buckets of one page.
const PAGE: usize = 10_000;

pub(super) async fn create(api: &Api, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
    refuse("object lock", req.input.object_lock_enabled_for_bucket == Some(true))?;
    let bucket = api.bucket(&req, &req.input.bucket)?;
    let new = api.objects.create_bucket(&bucket).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    if !new {
        return Err(s3_error!(
            BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it."
        ));
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", req.input.bucket)) }))
}

pub(super) async fn delete(api: &Api, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    match api.objects.delete_bucket(&bucket).await {
        Ok(()) => Ok(S3Response::with_status(DeleteBucketOutput::default(), http::StatusCode::NO_CONTENT)),
        Err(StoreError::Changed(_)) => Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty")),
        Err(error) => Err(error::of_store(error, S3ErrorCode::NoSuchBucket)),
    }
}

pub(super) async fn head(api: &Api, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    api.config(&bucket).await?;
    let region = req.region.as_ref().map(|region| region.as_str().to_owned());
    Ok(S3Response::new(HeadBucketOutput { bucket_region: region, ..HeadBucketOutput::default() }))
}

pub(super) async fn list(api: &Api, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
    let caller = Caller::of(&req)?;
    let (app, input) = (caller.app.to_string(), &req.input);
    let prefix = caller.buckets() + input.prefix.as_deref().unwrap_or_default();
    let buckets = api.objects.buckets(&prefix).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    let after = input.continuation_token.as_deref().unwrap_or_default();
    let max = input.max_buckets.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let mut rest = buckets.into_iter().filter(|(bucket, _)| bucket.short() > after);
    let page = rest.by_ref().take(max).map(|(bucket, made)| Bucket {
        name: Some(bucket.short().to_owned()),
        creation_date: Some(timestamp(made)),
        bucket_region: None,
    });
    let page: Vec<_> = page.collect();
    let next = rest.next().and_then(|_| page.last()?.name.clone());
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(page),
        continuation_token: next,
        owner: Some(Owner { id: Some(app.clone()), display_name: Some(app) }),
        prefix: input.prefix.clone(),
    }))
}

/// All buckets lie where S3's first region was: there, a location is no text.
pub(super) async fn location(api: &Api, req: S3Request<GetBucketLocationInput>) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    api.config(&bucket).await?;
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: None }))
}
