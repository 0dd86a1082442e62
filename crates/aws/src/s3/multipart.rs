//! Uploads in parts: begun, fed, listed and given up. How they become objects is `complete`.

use ports::{
    StoreError,
    objects::{self, BucketName, Upload},
};
use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CommonPrefix, CreateMultipartUploadInput,
        CreateMultipartUploadOutput, EncodingType, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
        ListPartsOutput, MultipartUpload, Part, StorageClass, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use types::limits;

use super::{Api, refuse, write};
use crate::{
    checksum::{Announced, Verified},
    convert::{self, Said, etag, fill_checksums, timestamp},
    encoding::percent_encode,
    error,
};

/// Entries of one page of parts or uploads.
const PAGE: usize = 1_000;

pub(super) async fn create(
    api: &Api,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = &req.input;
    refuse("encryption by the server", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some())?;
    refuse("object lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some())?;
    write::storage_class(input.storage_class.as_ref().map(|class| class.as_str()))?;
    write::acl(input.acl.as_ref().map(|acl| acl.as_str()))?;
    let bucket = api.bucket(&req, &input.bucket)?;
    let attributes = Said::from(input).attributes()?;
    let upload = api.objects.begin_upload(&bucket, &input.key, attributes).await;
    let upload = upload.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(upload.id),
        checksum_algorithm: input.checksum_algorithm.clone(),
        checksum_type: input.checksum_type.clone(),
        ..CreateMultipartUploadOutput::default()
    }))
}

/// A part's number within S3's bounds.
pub(super) fn number(asked: i32) -> S3Result<u32> {
    let number = u32::try_from(asked).ok().filter(|number| (1..=limits::OBJECT_PARTS).contains(number));
    number.ok_or_else(|| {
        s3_error!(InvalidArgument, "Part number must be an integer between 1 and {}, inclusive", limits::OBJECT_PARTS)
    })
}

pub(super) async fn part(api: &Api, mut req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    let number = number(req.input.part_number)?;
    refuse("encryption by the server", req.input.sse_customer_algorithm.is_some())?;
    if req.input.content_length.is_some_and(|length| length > convert::size(limits::OBJECT_WHOLE.0)) {
        return Err(s3_error!(EntityTooLarge, "A part may have {} bytes", limits::OBJECT_WHOLE.0));
    }
    let announced = Announced::read(&req.headers, req.input.content_length, req.trailing_headers.take())?;
    let (body, verdict) = Verified::body(req.input.body.take(), announced, api.verification);
    let part = match api.objects.put_part(&bucket, &req.input.upload_id, number, body, Vec::new()).await {
        Ok(part) => part,
        Err(error) => match verdict.take() {
            Some(refused) => return Err(refused),
            None => return Err(failed(api, &bucket, error).await),
        },
    };
    let mut output = UploadPartOutput { e_tag: Some(etag(&part.etag)), ..UploadPartOutput::default() };
    fill_checksums!(output, &part.checksums);
    Ok(S3Response::new(output))
}

/// Why something with an upload failed: the bucket may be what is missing.
pub(super) async fn failed(api: &Api, bucket: &BucketName, error: StoreError) -> S3Error {
    match error {
        StoreError::Missing(_) => match api.config(bucket).await {
            Ok(_) => s3_error!(
                NoSuchUpload,
                "The specified multipart upload does not exist. The upload ID might be invalid, or it was aborted or completed."
            ),
            Err(error) => error,
        },
        error => error::of_store(error, S3ErrorCode::NoSuchUpload),
    }
}

/// An upload with some of its parts, if it is one of this key.
pub(super) async fn uploaded(
    api: &Api,
    bucket: &BucketName,
    (key, upload): (&str, &str),
    after: u32,
    max: usize,
) -> S3Result<(Upload, Vec<objects::Part>)> {
    let found = match api.objects.parts(bucket, upload, after, max).await {
        Ok(found) => found,
        Err(error) => return Err(failed(api, bucket, error).await),
    };
    if found.0.key != key {
        return Err(s3_error!(NoSuchUpload, "The specified multipart upload is one of another key"));
    }
    Ok(found)
}

pub(super) async fn abort(
    api: &Api,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let bucket = api.bucket(&req, &req.input.bucket)?;
    uploaded(api, &bucket, (&req.input.key, &req.input.upload_id), 0, 1).await?;
    match api.objects.abort_upload(&bucket, &req.input.upload_id).await {
        Ok(()) => Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT)),
        Err(error) => Err(failed(api, &bucket, error).await),
    }
}

pub(super) async fn parts(api: &Api, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    let after = input.part_number_marker.and_then(|marker| u32::try_from(marker).ok()).unwrap_or(0);
    let max = input.max_parts.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let (_, mut parts) = uploaded(api, &bucket, (&input.key, &input.upload_id), after, max + 1).await?;
    let is_truncated = parts.len() > max;
    parts.truncate(max);
    let next = parts.last().and_then(|part| i32::try_from(part.number).ok());
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(input.upload_id.clone()),
        is_truncated: Some(is_truncated),
        max_parts: i32::try_from(max).ok(),
        part_number_marker: input.part_number_marker,
        next_part_number_marker: next.filter(|_| is_truncated),
        parts: Some(parts.iter().map(listed).collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..ListPartsOutput::default()
    }))
}

fn listed(part: &objects::Part) -> Part {
    let mut listed = Part {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.modified)),
        part_number: i32::try_from(part.number).ok(),
        size: Some(convert::size(part.bytes)),
        ..Part::default()
    };
    fill_checksums!(listed, &part.checksums);
    listed
}

pub(super) async fn uploads(
    api: &Api,
    req: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    api.config(&bucket).await?;
    let url = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    let write = |text: &str| if url { percent_encode(text) } else { text.to_owned() };
    let max = input.max_uploads.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let prefix = input.prefix.as_deref().unwrap_or_default();
    // Without the id of an upload, a key stands for all of its uploads.
    let last_id = input.upload_id_marker.as_deref().filter(|id| !id.is_empty()).unwrap_or("\u{10ffff}");
    let after = input.key_marker.as_deref().filter(|key| !key.is_empty()).map(|key| (key, last_id));
    let found = api.objects.uploads(&bucket, prefix, after, max + 1).await;
    let mut found = found.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    let is_truncated = found.len() > max;
    found.truncate(max);
    let last = found.last().filter(|_| is_truncated).cloned();
    let (groups, single) = grouped(found, prefix, input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()));
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket.clone()),
        common_prefixes: Some(groups.iter().map(|group| CommonPrefix { prefix: Some(write(group)) }).collect()),
        delimiter: input.delimiter.as_deref().map(write),
        encoding_type: input.encoding_type.clone(),
        is_truncated: Some(is_truncated),
        key_marker: input.key_marker.as_deref().map(write),
        max_uploads: i32::try_from(max).ok(),
        next_key_marker: last.as_ref().map(|upload| write(&upload.key)),
        next_upload_id_marker: last.map(|upload| upload.id),
        prefix: input.prefix.as_deref().map(write),
        upload_id_marker: input.upload_id_marker.clone(),
        uploads: Some(single.iter().map(|upload| begun(upload, write(&upload.key))).collect()),
        request_charged: None,
    }))
}

/// What stands for several keys up to a delimiter, and the uploads of the others.
fn grouped(uploads: Vec<Upload>, prefix: &str, delimiter: Option<&str>) -> (Vec<String>, Vec<Upload>) {
    let (mut groups, mut single) = (Vec::<String>::new(), Vec::new());
    for upload in uploads {
        let rest = upload.key.strip_prefix(prefix).unwrap_or_default();
        match delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len())) {
            Some(end) => {
                let group = format!("{prefix}{}", &rest[..end]);
                if groups.last() != Some(&group) {
                    groups.push(group);
                }
            }
            None => single.push(upload),
        }
    }
    (groups, single)
}

fn begun(upload: &Upload, key: String) -> MultipartUpload {
    MultipartUpload {
        initiated: Some(timestamp(upload.began)),
        key: Some(key),
        upload_id: Some(upload.id.clone()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..MultipartUpload::default()
    }
}
