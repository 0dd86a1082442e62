//! How an upload in parts becomes an object: everything is checked that the client says of its parts, then the store joins them.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use ports::objects::{BucketName, ObjectInfo, Part, PutOptions, Upload};
use s3s::{
    S3ErrorCode, S3Request, S3Response, S3Result,
    crypto::{Checksum as _, Md5},
    dto::{ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart},
    s3_error,
};
use types::limits;

use super::{Api, cause, multipart, write};
use crate::{
    checksum::Algorithm,
    conditions,
    convert::{checksum_type, etag, fill_checksums, version},
    joined::{self, Kind},
};

/// Parts that are asked for at once.
const PAGE: usize = 1_000;

pub(super) async fn complete(
    api: &Api,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = &req.input;
    let bucket = api.bucket(&req, &input.bucket)?;
    let named = named(input)?;
    let condition = conditions::of_write(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let (upload, kept) = match kept(api, &bucket, input).await {
        Ok(found) => found,
        // The answer to an earlier call may have been lost on its way: what it made is told again.
        Err(error) if *error.code() == S3ErrorCode::NoSuchUpload => match already(api, &bucket, &input.key, &named).await {
            Some(info) => return Ok(S3Response::new(completed(input, &info))),
            None => return Err(error),
        },
        Err(error) => return Err(error),
    };
    let parts = chosen(&named, &kept)?;
    sizes(&parts, api.part_min.0, input.mpu_object_size)?;
    let checksums = checksums(input, &parts)?;
    let tags: Vec<_> = parts.iter().map(|part| (part.number, part.etag.clone())).collect();
    let options = PutOptions { attributes: upload.attributes, condition: condition.clone(), cause: cause(&req), checksums };
    match api.objects.complete_upload(&bucket, &input.upload_id, &tags, options).await {
        Ok(info) => Ok(S3Response::new(completed(input, &info))),
        Err(error @ ports::StoreError::Missing(_)) => Err(multipart::failed(api, &bucket, error).await),
        Err(error) => Err(write::unwritten(api, &bucket, &input.key, &condition, error).await),
    }
}

fn completed(input: &CompleteMultipartUploadInput, info: &ObjectInfo) -> CompleteMultipartUploadOutput {
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(etag(&info.etag)),
        version_id: version(&info.version),
        checksum_type: checksum_type(&info.checksums),
        ..CompleteMultipartUploadOutput::default()
    };
    fill_checksums!(output, &info.checksums);
    output
}

/// The parts that the client names, in ascending order as they must be.
fn named(input: &CompleteMultipartUploadInput) -> S3Result<Vec<(u32, String, &CompletedPart)>> {
    let listed = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
    let malformed =
        || s3_error!(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema");
    if listed.is_empty() || listed.len() > limits::OBJECT_PARTS as usize {
        return Err(malformed());
    }
    let mut named: Vec<(u32, String, &CompletedPart)> = Vec::with_capacity(listed.len());
    for part in listed {
        let number = multipart::number(part.part_number.ok_or_else(malformed)?)?;
        let etag = part.e_tag.as_ref().ok_or_else(malformed)?.value().to_owned();
        if named.last().is_some_and(|(before, ..)| *before >= number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        named.push((number, etag, part));
    }
    Ok(named)
}

/// The upload with all of its parts.
async fn kept(api: &Api, bucket: &BucketName, input: &CompleteMultipartUploadInput) -> S3Result<(Upload, BTreeMap<u32, Part>)> {
    let (mut all, mut after) = (BTreeMap::new(), 0);
    loop {
        let (upload, parts) = multipart::uploaded(api, bucket, (&input.key, &input.upload_id), after, PAGE).await?;
        let more = parts.len() == PAGE;
        after = parts.last().map_or(after, |part| part.number);
        all.extend(parts.into_iter().map(|part| (part.number, part)));
        if !more {
            return Ok((upload, all));
        }
    }
}

/// The kept parts that the client names, each being what it says.
fn chosen<'a>(named: &[(u32, String, &CompletedPart)], kept: &'a BTreeMap<u32, Part>) -> S3Result<Vec<&'a Part>> {
    let invalid = |number: u32| {
        s3_error!(
            InvalidPart,
            "Part {number} could not be found. It may not have been uploaded, or its entity tag or checksum may not match."
        )
    };
    let mut parts = Vec::with_capacity(named.len());
    for (number, etag, said) in named {
        let part = kept.get(number).filter(|part| part.etag == *etag).ok_or_else(|| invalid(*number))?;
        let same = |algorithm: Algorithm| match (said_of_part(said, algorithm), find(&part.checksums, algorithm)) {
            (Some(said), Some(kept)) => said == kept,
            _ => true,
        };
        if !Algorithm::ALL.into_iter().all(same) {
            return Err(invalid(*number));
        }
        parts.push(part);
    }
    Ok(parts)
}

fn sizes(parts: &[&Part], part_min: u64, said: Option<i64>) -> S3Result<()> {
    let all_but_last = parts.split_last().map(|(_, before)| before).unwrap_or_default();
    if let Some(small) = all_but_last.iter().find(|part| part.bytes < part_min) {
        return Err(s3_error!(
            EntityTooSmall,
            "Part {} has {} bytes, but each part except the last must have at least {part_min}",
            small.number,
            small.bytes
        ));
    }
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    if bytes > limits::OBJECT.0 {
        return Err(s3_error!(EntityTooLarge, "{bytes} bytes, allowed {}", limits::OBJECT.0));
    }
    match said {
        Some(said) if u64::try_from(said) != Ok(bytes) => Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {bytes}"
        )),
        _ => Ok(()),
    }
}

/// The checksums of the whole, from those that all parts have, compared with what the client says.
fn checksums(input: &CompleteMultipartUploadInput, parts: &[&Part]) -> S3Result<Vec<(String, String)>> {
    let kind = input
        .checksum_type
        .as_ref()
        .map(|kind| if kind.as_str() == ChecksumType::FULL_OBJECT { Kind::Whole } else { Kind::OfParts });
    let mut checksums = Vec::new();
    for algorithm in Algorithm::ALL {
        let each: Option<Vec<_>> = parts.iter().map(|part| Some((find(&part.checksums, algorithm)?, part.bytes))).collect();
        let whole = each.and_then(|each| joined::join(algorithm, kind.unwrap_or(Kind::by_default(algorithm)), &each));
        match (said_of_whole(input, algorithm), whole) {
            (Some(said), Some(whole)) if said != whole && !whole.starts_with(&format!("{said}-")) => {
                return Err(s3_error!(
                    BadDigest,
                    "The {} you specified did not match: {said}, worked out {whole}",
                    algorithm.name()
                ));
            }
            (Some(_), None) => {
                return Err(s3_error!(InvalidRequest, "The parts were uploaded without the checksum {}", algorithm.name()));
            }
            (_, Some(whole)) => checksums.push((algorithm.name().to_owned(), whole)),
            (None, None) => {}
        }
    }
    Ok(checksums)
}

/// The object that an earlier call with the same parts made, if it did.
async fn already(api: &Api, bucket: &BucketName, key: &str, named: &[(u32, String, &CompletedPart)]) -> Option<ObjectInfo> {
    let mut md5 = Md5::new();
    for (_, etag, _) in named {
        md5.update(&HEXLOWER.decode(etag.as_bytes()).ok()?);
    }
    let expected = format!("{}-{}", HEXLOWER.encode(md5.finalize().as_ref()), named.len());
    let info = api.objects.head(bucket, key, None).await.ok()??;
    (info.etag == expected).then_some(info)
}

fn find(checksums: &[(String, String)], algorithm: Algorithm) -> Option<&str> {
    checksums.iter().find(|(name, _)| name == algorithm.name()).map(|(_, value)| value.as_str())
}

fn said_of_part(part: &CompletedPart, algorithm: Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Crc32 => part.checksum_crc32.as_deref(),
        Algorithm::Crc32c => part.checksum_crc32c.as_deref(),
        Algorithm::Crc64Nvme => part.checksum_crc64nvme.as_deref(),
        Algorithm::Sha1 => part.checksum_sha1.as_deref(),
        Algorithm::Sha256 => part.checksum_sha256.as_deref(),
    }
}

fn said_of_whole(input: &CompleteMultipartUploadInput, algorithm: Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Crc32 => input.checksum_crc32.as_deref(),
        Algorithm::Crc32c => input.checksum_crc32c.as_deref(),
        Algorithm::Crc64Nvme => input.checksum_crc64nvme.as_deref(),
        Algorithm::Sha1 => input.checksum_sha1.as_deref(),
        Algorithm::Sha256 => input.checksum_sha256.as_deref(),
    }
}
