//! Writing objects: their bytes are read once, counted and hashed on the way, and published only if all that was promised holds.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use ports::{
    StoreError,
    objects::{BucketName, ObjectCondition, ObjectInfo, PutOptions},
};
use s3s::{
    S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{PutObjectInput, PutObjectOutput},
    s3_error,
};
use types::limits;

use super::{Api, cause, refuse};
use crate::{
    checksum::{Announced, Verified},
    conditions,
    convert::{Said, checksum_type, etag, fill_checksums, version},
    error,
};

/// Also serves uploads by a form, as browsers send them, which the library makes look like this.
pub(super) async fn put(api: &Api, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let trailers = req.trailing_headers.take();
    let announced = match req.method {
        Method::POST => {
            refuse("naming objects after files of a form", req.input.key.contains("${filename}"))?;
            Announced::read(&fields(&req.input), None, None)?
        }
        _ => Announced::read(&req.headers, req.input.content_length, trailers)?,
    };
    let info = write(api, &mut req, announced).await?;
    let mut output =
        PutObjectOutput { e_tag: Some(etag(&info.etag)), version_id: version(&info.version), ..PutObjectOutput::default() };
    fill_checksums!(output, &info.checksums);
    output.checksum_type = checksum_type(&info.checksums);
    Ok(S3Response::new(output))
}

/// What the fields of a form say of its file, which header fields say otherwise.
fn fields(input: &PutObjectInput) -> HeaderMap {
    let fields = [
        ("content-md5", &input.content_md5),
        ("x-amz-checksum-crc32", &input.checksum_crc32),
        ("x-amz-checksum-crc32c", &input.checksum_crc32c),
        ("x-amz-checksum-crc64nvme", &input.checksum_crc64nvme),
        ("x-amz-checksum-sha1", &input.checksum_sha1),
        ("x-amz-checksum-sha256", &input.checksum_sha256),
    ];
    let field =
        |(name, value): (_, &Option<String>)| Some((HeaderName::from_static(name), HeaderValue::try_from(value.as_ref()?).ok()?));
    fields.into_iter().filter_map(field).collect()
}

async fn write(api: &Api, req: &mut S3Request<PutObjectInput>, announced: Announced) -> S3Result<ObjectInfo> {
    served(&req.input)?;
    let bucket = api.bucket(req, &req.input.bucket)?;
    let attributes = Said::from(&req.input).attributes()?;
    let condition = conditions::of_write(req.input.if_match.as_ref(), req.input.if_none_match.as_ref())?;
    let options = PutOptions { attributes, condition: condition.clone(), cause: cause(req), checksums: Vec::new() };
    let (body, verdict) = Verified::body(req.input.body.take(), announced, api.verification);
    match api.objects.put(&bucket, &req.input.key, body, options).await {
        Ok(info) => Ok(info),
        Err(error) => match verdict.take() {
            Some(refused) => Err(refused),
            None => Err(unwritten(api, &bucket, &req.input.key, &condition, error).await),
        },
    }
}

/// Why a write did not happen. A condition on an object that is not there at all is told apart, as S3 does.
pub(super) async fn unwritten(
    api: &Api,
    bucket: &BucketName,
    key: &str,
    condition: &ObjectCondition,
    error: StoreError,
) -> S3Error {
    let absent = match (&error, condition) {
        (StoreError::Changed(_), ObjectCondition::Matches(_)) => matches!(api.objects.head(bucket, key, None).await, Ok(None)),
        _ => false,
    };
    if absent { S3ErrorCode::NoSuchKey.into() } else { error::of_store(error, S3ErrorCode::NoSuchBucket) }
}

/// Whether all is served that a request asks for.
fn served(input: &PutObjectInput) -> S3Result<()> {
    refuse("encryption by the server", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some())?;
    refuse("object lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some())?;
    refuse("appending", input.write_offset_bytes.is_some())?;
    storage_class(input.storage_class.as_ref().map(|class| class.as_str()))?;
    acl(input.acl.as_ref().map(|acl| acl.as_str()))?;
    match input.content_length.and_then(|length| u64::try_from(length).ok()) {
        Some(length) if length > limits::OBJECT_WHOLE.0 => Err(s3_error!(
            EntityTooLarge,
            "{length} bytes at once, allowed {}; larger objects come in parts",
            limits::OBJECT_WHOLE.0
        )),
        _ => Ok(()),
    }
}

/// There is one class of storage.
pub(super) fn storage_class(class: Option<&str>) -> S3Result<()> {
    match class {
        None | Some("STANDARD") => Ok(()),
        Some(class) => Err(s3_error!(InvalidStorageClass, "The storage class {class:?} is not one of: STANDARD")),
    }
}

/// Keys decide who may do what. What clients say by default is accepted, a wish for more is refused.
pub(super) fn acl(acl: Option<&str>) -> S3Result<()> {
    match acl {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(S3Error::with_message(
            S3ErrorCode::AccessControlListNotSupported,
            "The bucket does not allow ACLs: access keys decide who may do what",
        )),
    }
}
