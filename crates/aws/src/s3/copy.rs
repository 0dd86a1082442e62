//! Copying objects within an app, whole or as parts of an upload.

use ports::objects::{BucketName, ObjectAttributes, ObjectInfo, PutOptions};
use s3s::{
    S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, MetadataDirective, Range,
        TaggingDirective, UploadPartCopyInput, UploadPartCopyOutput,
    },
    s3_error,
};
use types::object::VersionId;

use super::{Api, cause, multipart, read, refuse, write};
use crate::{
    auth::Caller,
    conditions::{self, Conditions, Verdict},
    convert::{self, Said, checksum_type, etag, fill_checksums, timestamp, version},
    error,
};

/// What a copy is made of.
struct Source {
    bucket: BucketName,
    key: String,
    version: Option<VersionId>,
    info: ObjectInfo,
}

impl Source {
    /// Finds the source, which is the caller's too, and judges the conditions on it.
    async fn find(api: &Api, caller: &Caller, named: &CopySource, conditions: &Conditions<'_>) -> S3Result<Self> {
        let CopySource::Bucket { bucket, key, version_id } = named else {
            return Err(s3_error!(NotImplemented, "copying from an access point is not implemented"));
        };
        let (bucket, key) = (caller.bucket(bucket), key.to_string());
        let version = version_id.as_ref().map(|version| VersionId(version.to_string()));
        let info = read::known(api, &bucket, &key, version.as_ref()).await?;
        if info.is_delete_marker {
            return Err(s3_error!(
                InvalidRequest,
                "The source of a copy request may not specifically refer to a delete marker by version id."
            ));
        }
        if conditions.judge(&info) != Verdict::Go {
            return Err(conditions::failed("x-amz-copy-source-if-…"));
        }
        Ok(Self { bucket, key, version, info })
    }
}

pub(super) async fn copy(api: &Api, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = &req.input;
    served(input)?;
    let caller = Caller::of(&req)?;
    let target = caller.bucket(&input.bucket);
    let conditions = Conditions {
        matches: input.copy_source_if_match.as_ref(),
        none_match: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    let source = Source::find(api, caller, &input.copy_source, &conditions).await?;
    let attributes = attributes(input, &source.info)?;
    if attributes.is_none() && source.version.is_none() && source.bucket == target && source.key == input.key {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata."
        ));
    }
    let options = PutOptions { cause: cause(&req), checksums: source.info.checksums.clone(), ..PutOptions::default() };
    let named = (&source.bucket, source.key.as_str(), source.version.as_ref());
    let copied = api.objects.copy(named, (&target, &input.key), attributes, options).await;
    let copied = copied.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    let Some(info) = copied else { return Err(api.missing(&target, S3ErrorCode::NoSuchKey).await) };
    let mut result = CopyObjectResult {
        e_tag: Some(etag(&info.etag)),
        last_modified: Some(timestamp(info.modified)),
        ..CopyObjectResult::default()
    };
    fill_checksums!(result, &info.checksums);
    result.checksum_type = checksum_type(&info.checksums);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: version(&source.info.version),
        version_id: version(&info.version),
        ..CopyObjectOutput::default()
    }))
}

fn served(input: &CopyObjectInput) -> S3Result<()> {
    refuse("encryption by the server", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some())?;
    refuse("object lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some())?;
    write::storage_class(input.storage_class.as_ref().map(|class| class.as_str()))?;
    write::acl(input.acl.as_ref().map(|acl| acl.as_str()))
}

/// What replaces the attributes of the source, if anything does: its tags and the rest are replaced one without the other.
fn attributes(input: &CopyObjectInput, source: &ObjectInfo) -> S3Result<Option<ObjectAttributes>> {
    let metadata = input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let tagging = input.tagging_directive.as_ref().is_some_and(|directive| directive.as_str() == TaggingDirective::REPLACE);
    if !metadata && !tagging {
        return Ok(None);
    }
    let said = Said::from(input).attributes()?;
    let mut attributes = if metadata { said.clone() } else { source.attributes.clone() };
    attributes.tags = if tagging { said.tags } else { source.attributes.tags.clone() };
    Ok(Some(attributes))
}

pub(super) async fn part(api: &Api, req: S3Request<UploadPartCopyInput>) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = &req.input;
    let caller = Caller::of(&req)?;
    let target = caller.bucket(&input.bucket);
    let number = multipart::number(input.part_number)?;
    let conditions = Conditions {
        matches: input.copy_source_if_match.as_ref(),
        none_match: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    let source = Source::find(api, caller, &input.copy_source, &conditions).await?;
    let range = input.copy_source_range.as_deref().map(|text| range(text, source.info.bytes)).transpose()?;
    let found = api.objects.get(&source.bucket, &source.key, source.version.as_ref(), range).await;
    let found = found.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    let Some((_, body)) = found else { return Err(api.missing(&source.bucket, S3ErrorCode::NoSuchKey).await) };
    let part = match api.objects.put_part(&target, &input.upload_id, number, body, Vec::new()).await {
        Ok(part) => part,
        Err(error) => return Err(multipart::failed(api, &target, error).await),
    };
    let mut result = CopyPartResult {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.modified)),
        ..CopyPartResult::default()
    };
    fill_checksums!(result, &part.checksums);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: version(&source.info.version),
        ..UploadPartCopyOutput::default()
    }))
}

/// A copied range names both ends, and both are there.
fn range(text: &str, bytes: u64) -> S3Result<ports::objects::ByteRange> {
    match Range::parse(text) {
        Ok(Range::Int { first, last: Some(last) }) if first <= last && last < bytes => {
            Ok(convert::range(Range::Int { first, last: Some(last) }))
        }
        _ => Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last within the {bytes} bytes"
        )),
    }
}
