//! Reading: objects, ranges and parts of them, and what is known of them without their bytes.

use http::{HeaderMap, HeaderValue, header};
use ports::objects::{BucketName, ByteRange, ObjectInfo};
use s3s::{
    Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        self, Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectInput,
        GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectPart, StreamingBlob,
    },
    s3_error,
};

use super::Api;
use crate::{
    conditions::{self, Conditions, Verdict},
    convert::{self, checksum_type, etag, fill_attributes, fill_checksums, timestamp, version, version_asked},
    error,
};
use types::object::VersionId;

/// Parts of one page of attributes.
const PARTS: usize = 1_000;

pub(super) async fn get(api: &Api, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    let wanted = version_asked(input.version_id.as_ref());
    let asked = Asked { range: input.range, part: input.part_number };
    let range = match asked.part {
        Some(_) => asked.of(&known(api, &bucket, &input.key, wanted.as_ref()).await?)?,
        None => input.range.map(convert::range),
    };
    let found = api.objects.get(&bucket, &input.key, wanted.as_ref(), range).await;
    let found = found.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    let Some((info, body)) = found else { return Err(absent(api, &bucket, wanted.as_ref()).await) };
    marker(&info)?;
    let conditions = Conditions {
        matches: input.if_match.as_ref(),
        none_match: input.if_none_match.as_ref(),
        modified_since: input.if_modified_since.as_ref(),
        unmodified_since: input.if_unmodified_since.as_ref(),
    };
    check(&conditions, &info)?;
    let (first, length) = within(range, &info)?;
    let mut output = GetObjectOutput::default();
    fill_attributes!(output, &info);
    output.content_length = Some(convert::size(length));
    output.content_range = range.map(|_| content_range(first, length, info.bytes));
    output.tag_count = Some(info.attributes.tags.len()).filter(|tags| *tags > 0).and_then(|tags| i32::try_from(tags).ok());
    if input.checksum_mode.is_some() && length == info.bytes {
        fill_checksums!(output, &info.checksums);
        output.checksum_type = checksum_type(&info.checksums);
    }
    output.body = Some(StreamingBlob::from(Body::http_body_unsync(body)));
    Ok(S3Response::new(output))
}

pub(super) async fn head(api: &Api, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    let wanted = version_asked(input.version_id.as_ref());
    let info = known(api, &bucket, &input.key, wanted.as_ref()).await?;
    marker(&info)?;
    let conditions = Conditions {
        matches: input.if_match.as_ref(),
        none_match: input.if_none_match.as_ref(),
        modified_since: input.if_modified_since.as_ref(),
        unmodified_since: input.if_unmodified_since.as_ref(),
    };
    check(&conditions, &info)?;
    let range = Asked { range: input.range, part: input.part_number }.of(&info)?;
    let (first, length) = within(range, &info)?;
    let mut output = HeadObjectOutput::default();
    fill_attributes!(output, &info);
    output.content_length = Some(convert::size(length));
    output.content_range = range.map(|_| content_range(first, length, info.bytes));
    if input.checksum_mode.is_some() && length == info.bytes {
        fill_checksums!(output, &info.checksums);
        output.checksum_type = checksum_type(&info.checksums);
    }
    instead(&mut output.cache_control, input.response_cache_control.as_ref());
    instead(&mut output.content_disposition, input.response_content_disposition.as_ref());
    instead(&mut output.content_encoding, input.response_content_encoding.as_ref());
    instead(&mut output.content_language, input.response_content_language.as_ref());
    instead(&mut output.content_type, input.response_content_type.as_ref());
    instead(&mut output.expires, input.response_expires.as_ref());
    Ok(S3Response::new(output))
}

pub(super) async fn attributes(
    api: &Api,
    req: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    let info = known(api, &bucket, &input.key, version_asked(input.version_id.as_ref()).as_ref()).await?;
    marker(&info)?;
    // Clients send one field with all names in it, which the library hands over as one name.
    let names = input.object_attributes.iter().flat_map(|attribute| attribute.as_str().split(',')).map(str::trim);
    let names: Vec<_> = names.collect();
    let asked = |name: &str| names.contains(&name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(timestamp(info.modified)),
        version_id: version(&info.version),
        ..Default::default()
    };
    if asked(dto::ObjectAttributes::ETAG) {
        output.e_tag = Some(etag(&info.etag));
    }
    if asked(dto::ObjectAttributes::OBJECT_SIZE) {
        output.object_size = Some(convert::size(info.bytes));
    }
    if asked(dto::ObjectAttributes::STORAGE_CLASS) {
        output.storage_class = Some(dto::StorageClass::from_static(dto::StorageClass::STANDARD));
    }
    if asked(dto::ObjectAttributes::CHECKSUM) && !info.checksums.is_empty() {
        let mut checksum = Checksum { checksum_type: checksum_type(&info.checksums), ..Checksum::default() };
        fill_checksums!(checksum, &info.checksums);
        output.checksum = Some(checksum);
    }
    if asked(dto::ObjectAttributes::OBJECT_PARTS) && !info.parts.is_empty() {
        output.object_parts = Some(parts(&info, input.part_number_marker, input.max_parts));
    }
    Ok(S3Response::new(output))
}

fn parts(info: &ObjectInfo, marker: Option<i32>, max: Option<i32>) -> GetObjectAttributesParts {
    let after = marker.and_then(|marker| usize::try_from(marker).ok()).unwrap_or(0);
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(PARTS).min(PARTS);
    let number = |index: usize| i32::try_from(index + 1).ok();
    let page: Vec<_> = (info.parts.iter().enumerate().skip(after).take(max))
        .map(|(index, bytes)| ObjectPart {
            part_number: number(index),
            size: Some(convert::size(*bytes)),
            ..ObjectPart::default()
        })
        .collect();
    GetObjectAttributesParts {
        is_truncated: Some(after + page.len() < info.parts.len()),
        max_parts: i32::try_from(max).ok(),
        next_part_number_marker: page.last().and_then(|part| part.part_number),
        part_number_marker: marker,
        parts: Some(page),
        total_parts_count: i32::try_from(info.parts.len()).ok(),
    }
}

/// What is known of an object that has to be there.
pub(super) async fn known(api: &Api, bucket: &BucketName, key: &str, wanted: Option<&VersionId>) -> S3Result<ObjectInfo> {
    let found = api.objects.head(bucket, key, wanted).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?;
    match found {
        Some(info) => Ok(info),
        None => Err(absent(api, bucket, wanted).await),
    }
}

async fn absent(api: &Api, bucket: &BucketName, wanted: Option<&VersionId>) -> S3Error {
    let code = if wanted.is_some() { S3ErrorCode::NoSuchVersion } else { S3ErrorCode::NoSuchKey };
    api.missing(bucket, code).await
}

/// A version that says that the object was deleted has no bytes.
fn marker(info: &ObjectInfo) -> S3Result<()> {
    if !info.is_delete_marker {
        return Ok(());
    }
    let error = s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.");
    Err(error::with_headers(error, HeaderMap::from_iter([(DELETE_MARKER, HeaderValue::from_static("true"))])))
}

const DELETE_MARKER: http::HeaderName = http::HeaderName::from_static("x-amz-delete-marker");

fn check(conditions: &Conditions<'_>, info: &ObjectInfo) -> S3Result<()> {
    match conditions.judge(info) {
        Verdict::Go => Ok(()),
        Verdict::Failed => Err(conditions::failed("If-Match or If-Unmodified-Since")),
        Verdict::NotModified => {
            let etag = HeaderValue::try_from(format!("\"{}\"", info.etag)).ok();
            let headers = etag.into_iter().map(|etag| (header::ETAG, etag));
            Err(error::with_headers(S3ErrorCode::NotModified.into(), headers.collect()))
        }
    }
}

/// The bytes that a reader asks for.
struct Asked {
    range: Option<dto::Range>,
    part: Option<i32>,
}

impl Asked {
    /// The range within an object, of which a part may be one.
    fn of(&self, info: &ObjectInfo) -> S3Result<Option<ByteRange>> {
        let Some(number) = self.part else { return Ok(self.range.map(convert::range)) };
        if self.range.is_some() {
            return Err(s3_error!(InvalidRequest, "Cannot specify both Range header and partNumber query parameter"));
        }
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        match (index, info.parts.as_slice()) {
            (Some(0), []) => Ok(None),
            (Some(index), parts) if index < parts.len() => {
                let first: u64 = parts[..index].iter().sum();
                Ok(Some(ByteRange::Between(first, first + parts[index].saturating_sub(1))))
            }
            _ => Err(error::of_no_part()),
        }
    }
}

/// The first byte and the length of what is asked for, which must be there.
fn within(range: Option<ByteRange>, info: &ObjectInfo) -> S3Result<(u64, u64)> {
    let Some(range) = range else { return Ok((0, info.bytes)) };
    range.within(info.bytes).ok_or_else(|| {
        let size = HeaderValue::try_from(format!("bytes */{}", info.bytes)).ok();
        let headers = size.into_iter().map(|size| (header::CONTENT_RANGE, size)).collect();
        error::with_headers(s3_error!(InvalidRange, "The requested range is not satisfiable"), headers)
    })
}

fn content_range(first: u64, length: u64, bytes: u64) -> String {
    format!("bytes {first}-{}/{bytes}", (first + length).saturating_sub(1))
}

fn instead<T: Clone>(value: &mut Option<T>, asked: Option<&T>) {
    if let Some(asked) = asked {
        *value = Some(asked.clone());
    }
}
