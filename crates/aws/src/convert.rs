//! Between what the store says of objects and what S3 clients read and write of them.

use std::{collections::BTreeMap, time::Duration};

use ports::objects::{ByteRange, ObjectAttributes, ObjectInfo};
use s3s::{
    S3Result,
    dto::{self, CopyObjectInput, CreateMultipartUploadInput, ETag, PutObjectInput, TimestampFormat},
    s3_error,
};
use types::{Timestamp, limits, object::VersionId};

use crate::encoding::tags_of_header;

/// A time in the library's form.
pub(crate) fn timestamp(time: Timestamp) -> dto::Timestamp {
    (std::time::SystemTime::UNIX_EPOCH + Duration::from_nanos(time.unix_ns())).into()
}

/// A time in whole seconds, as header fields have it and conditions compare it.
pub(crate) fn seconds(time: Timestamp) -> dto::Timestamp {
    (std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix_ns() / 1_000_000_000)).into()
}

/// An entity tag in the library's form.
pub(crate) fn etag(text: &str) -> ETag {
    ETag::Strong(text.to_owned())
}

/// The version for a response: an object that has no versions names none.
pub(crate) fn version(version: &VersionId) -> Option<String> {
    (version.0 != "null").then(|| version.0.clone())
}

/// The version that a request names.
pub(crate) fn version_asked(version: Option<&String>) -> Option<VersionId> {
    version.map(|version| VersionId(version.clone()))
}

/// A size in the library's form.
pub(crate) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A range in the store's form.
pub(crate) fn range(range: dto::Range) -> ByteRange {
    match range {
        dto::Range::Int { first, last: Some(last) } => ByteRange::Between(first, last),
        dto::Range::Int { first, last: None } => ByteRange::From(first),
        dto::Range::Suffix { length } => ByteRange::Last(length),
    }
}

/// The checksum of one algorithm among those that are kept.
pub(crate) fn checksum(checksums: &[(String, String)], name: &str) -> Option<String> {
    checksums.iter().find(|(kept, _)| kept == name).map(|(_, value)| value.clone())
}

/// Whether checksums are of whole objects, or of their parts' checksums.
pub(crate) fn checksum_type(checksums: &[(String, String)]) -> Option<dto::ChecksumType> {
    let (_, value) = checksums.first()?;
    let kind = if value.contains('-') { dto::ChecksumType::COMPOSITE } else { dto::ChecksumType::FULL_OBJECT };
    Some(dto::ChecksumType::from_static(kind))
}

/// The checksum algorithms for a listing.
pub(crate) fn algorithms(checksums: &[(String, String)]) -> Option<Vec<dto::ChecksumAlgorithm>> {
    let names = checksums.iter().map(|(name, _)| dto::ChecksumAlgorithm::from(name.to_ascii_uppercase()));
    (!checksums.is_empty()).then(|| names.collect())
}

/// Fills the five checksum fields of one of the library's structs.
macro_rules! fill_checksums {
    ($output:expr, $checksums:expr) => {{
        let checksums: &[(String, String)] = $checksums;
        $output.checksum_crc32 = $crate::convert::checksum(checksums, "crc32");
        $output.checksum_crc32c = $crate::convert::checksum(checksums, "crc32c");
        $output.checksum_crc64nvme = $crate::convert::checksum(checksums, "crc64nvme");
        $output.checksum_sha1 = $crate::convert::checksum(checksums, "sha1");
        $output.checksum_sha256 = $crate::convert::checksum(checksums, "sha256");
    }};
}
pub(crate) use fill_checksums;

/// What a client may say of an object, in each of the requests in which it may.
pub(crate) struct Said<'a> {
    cache_control: Option<&'a String>,
    content_disposition: Option<&'a String>,
    content_encoding: Option<&'a String>,
    content_language: Option<&'a String>,
    content_type: Option<&'a String>,
    expires: Option<&'a dto::Timestamp>,
    metadata: Option<&'a dto::Metadata>,
    tagging: Option<&'a String>,
    redirect: Option<&'a String>,
}

macro_rules! said {
    ($input:ty) => {
        impl<'a> From<&'a $input> for Said<'a> {
            fn from(input: &'a $input) -> Self {
                Self {
                    cache_control: input.cache_control.as_ref(),
                    content_disposition: input.content_disposition.as_ref(),
                    content_encoding: input.content_encoding.as_ref(),
                    content_language: input.content_language.as_ref(),
                    content_type: input.content_type.as_ref(),
                    expires: input.expires.as_ref(),
                    metadata: input.metadata.as_ref(),
                    tagging: input.tagging.as_ref(),
                    redirect: input.website_redirect_location.as_ref(),
                }
            }
        }
    };
}
said!(PutObjectInput);
said!(CopyObjectInput);
said!(CreateMultipartUploadInput);

/// The field under which a redirect is kept, which is no standard header field.
const REDIRECT: &str = "x-amz-website-redirect-location";

impl Said<'_> {
    /// The same in the store's form, within its bounds.
    pub(crate) fn attributes(&self) -> S3Result<ObjectAttributes> {
        let mut headers = BTreeMap::new();
        let mut keep = |name: &str, value: Option<String>| value.map(|value| headers.insert(name.to_owned(), value));
        keep("cache-control", self.cache_control.cloned());
        keep("content-disposition", self.content_disposition.cloned());
        keep("content-encoding", self.content_encoding.and_then(|coding| without_chunked(coding)));
        keep("content-language", self.content_language.cloned());
        keep("expires", self.expires.and_then(http_date));
        keep(REDIRECT, self.redirect.cloned());
        let metadata: BTreeMap<_, _> =
            self.metadata.into_iter().flatten().map(|(k, v)| (k.to_ascii_lowercase(), v.clone())).collect();
        let measured: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if measured > limits::OBJECT_METADATA.as_usize() {
            return Err(s3_error!(MetadataTooLarge, "{measured} bytes of metadata, allowed {}", limits::OBJECT_METADATA.0));
        }
        let tags = self.tagging.map(|tags| tags_of_header(tags)).transpose()?.unwrap_or_default();
        Ok(ObjectAttributes { content_type: self.content_type.cloned(), headers, metadata, tags })
    }
}

/// A content coding without `aws-chunked`, which belongs to the way and not to the object.
fn without_chunked(coding: &str) -> Option<String> {
    let codings =
        coding.split(',').map(str::trim).filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"));
    let rest = codings.collect::<Vec<_>>().join(", ");
    (!rest.is_empty()).then_some(rest)
}

fn http_date(time: &dto::Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Fills what writers said of an object into a response with its bytes or without.
macro_rules! fill_attributes {
    ($output:expr, $info:expr) => {{
        let (info, output): (&ports::objects::ObjectInfo, _) = ($info, &mut $output);
        let header = |name: &str| info.attributes.headers.get(name).cloned();
        output.accept_ranges = Some("bytes".to_owned());
        output.cache_control = header("cache-control");
        output.content_disposition = header("content-disposition");
        output.content_encoding = header("content-encoding");
        output.content_language = header("content-language");
        output.content_type = $crate::convert::media_type(info);
        output.expires =
            header("expires").and_then(|text| s3s::dto::Timestamp::parse(s3s::dto::TimestampFormat::HttpDate, &text).ok());
        output.e_tag = Some($crate::convert::etag(&info.etag));
        output.last_modified = Some($crate::convert::timestamp(info.modified));
        output.metadata =
            Some(info.attributes.metadata.clone().into_iter().collect()).filter(|all: &s3s::dto::Metadata| !all.is_empty());
        output.version_id = $crate::convert::version(&info.version);
        output.website_redirect_location = header("x-amz-website-redirect-location");
        output.parts_count = (!info.parts.is_empty()).then(|| i32::try_from(info.parts.len()).unwrap_or(i32::MAX));
    }};
}
pub(crate) use fill_attributes;

/// An object's media type; S3 has one for objects whose writer named none.
pub(crate) fn media_type(info: &ObjectInfo) -> Option<String> {
    Some(info.attributes.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_of_the_way_is_not_kept() {
        assert_eq!(without_chunked("aws-chunked"), None);
        assert_eq!(without_chunked("aws-chunked, gzip").as_deref(), Some("gzip"));
        assert_eq!(without_chunked("gzip").as_deref(), Some("gzip"));
    }

    #[test]
    fn checksums_of_parts_are_told_from_those_of_bytes() {
        let kind = |value: &str| checksum_type(&[("crc32".into(), value.into())]).map(|kind| kind.as_str().to_owned());
        assert_eq!(kind("AAAAAA==-3").as_deref(), Some("COMPOSITE"));
        assert_eq!(kind("AAAAAA==").as_deref(), Some("FULL_OBJECT"));
    }
}
