//! The operations of S3, each said in the words of `ports::Objects`. What has no method here answers `NotImplemented`.

mod buckets;
mod complete;
mod copy;
mod delete;
mod lifecycle;
mod list;
mod multipart;
mod read;
mod rules;
mod tags;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use ports::{
    Objects,
    objects::{BucketConfig, BucketName},
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, dto, s3_error};
use types::{ByteCount, Cause, TraceContext};

use crate::{auth::Caller, error, settings::Verification};

/// The operations over a store.
pub(crate) struct Api {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) verification: Verification,
    pub(crate) part_min: ByteCount,
}

impl Api {
    /// The bucket that a request's name means.
    fn bucket<T>(&self, request: &S3Request<T>, name: &str) -> S3Result<BucketName> {
        Ok(Caller::of(request)?.bucket(name))
    }
    /// A bucket's settings, if there is such a bucket.
    async fn config(&self, bucket: &BucketName) -> S3Result<BucketConfig> {
        let config = self.objects.config(bucket).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
        config.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }
    /// What it means that an object is not there: the bucket may be what is missing.
    async fn missing(&self, bucket: &BucketName, code: S3ErrorCode) -> S3Error {
        match self.config(bucket).await {
            Ok(_) => S3Error::with_message(code, "The specified key does not exist."),
            Err(error) => error,
        }
    }
}

/// What caused a request, if its client says so.
fn cause<T>(request: &S3Request<T>) -> Option<Cause> {
    let trace = TraceContext::from_traceparent(request.headers.get("traceparent")?.to_str().ok()?)?;
    Some(Cause { trace, depth: 0 })
}

/// A refusal of what a client asks beyond what is served: better than to forget it.
fn refuse(what: &str, asked: bool) -> S3Result<()> {
    if asked { Err(s3_error!(NotImplemented, "{what} is not implemented")) } else { Ok(()) }
}

/// Lists each operation with the function that serves it.
macro_rules! operations {
    ($($method:ident($input:ident) -> $output:ident = $serve:path;)*) => {
        #[async_trait]
        impl S3 for Api {
            $(async fn $method(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                $serve(self, request).await
            })*
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;

    get_object(GetObjectInput) -> GetObjectOutput = read::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = read::head;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = read::attributes;
    put_object(PutObjectInput) -> PutObjectOutput = write::put;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy::copy;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete::one;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete::many;

    list_objects(ListObjectsInput) -> ListObjectsOutput = list::v1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list::v2;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list::versions;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    upload_part(UploadPartInput) -> UploadPartOutput = multipart::part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy::part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = complete::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    list_parts(ListPartsInput) -> ListPartsOutput = multipart::parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = multipart::uploads;

    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tags::get;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tags::put;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tags::delete;
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = tags::get_of_bucket;
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = tags::put_of_bucket;
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = tags::delete_of_bucket;

    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = rules::versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = rules::put_versioning;
    get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput = rules::cors;
    put_bucket_cors(PutBucketCorsInput) -> PutBucketCorsOutput = rules::put_cors;
    delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput = rules::delete_cors;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput = lifecycle::get;
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput = lifecycle::put;
    delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = lifecycle::delete;
}
