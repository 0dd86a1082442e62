//! Listings, in pages: both forms of it, and the one of all versions.

use data_encoding::BASE64URL_NOPAD;
use ports::objects::{ObjectInfo, ObjectPage, ObjectQuery};
use s3s::{
    S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput,
        ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass, ObjectVersion,
        ObjectVersionStorageClass, Owner,
    },
    s3_error,
};
use types::{limits, object::VersionId};

use super::Api;
use crate::{
    auth::Caller,
    convert::{self, algorithms, checksum_type, etag, timestamp},
    encoding::percent_encode,
    error,
};

/// How names are written in a listing.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    url: bool,
}

impl Encoding {
    fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self { url: false }),
            Some(EncodingType::URL) => Ok(Self { url: true }),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }
    fn write(self, text: &str) -> String {
        if self.url { percent_encode(text) } else { text.to_owned() }
    }
    fn prefixes(self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.write(prefix)) }).collect()
    }
}

/// How many entries a page may have: what is asked for, within bounds.
fn limit(max: Option<i32>) -> S3Result<usize> {
    match max.map(usize::try_from) {
        None => Ok(limits::BUCKET_PAGE),
        Some(Ok(max)) => Ok(max.min(limits::BUCKET_PAGE)),
        Some(Err(_)) => Err(s3_error!(InvalidArgument, "Argument max-keys must be an integer between 0 and 2147483647")),
    }
}

/// A page, where one of no entries is no question to the store.
async fn page<T>(api: &Api, req: &S3Request<T>, bucket: &str, query: ObjectQuery) -> S3Result<ObjectPage> {
    let bucket = api.bucket(req, bucket)?;
    if query.limit == 0 {
        return api.config(&bucket).await.map(|_| ObjectPage::default());
    }
    api.objects.list(&bucket, query).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))
}

fn some(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

pub(super) async fn v1(api: &Api, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = &req.input;
    let (encoding, limit) = (Encoding::of(input.encoding_type.as_ref())?, limit(input.max_keys)?);
    let (prefix, delimiter) = (input.prefix.clone().unwrap_or_default(), some(input.delimiter.as_ref()));
    let query = ObjectQuery { prefix, delimiter, after: some(input.marker.as_ref()), limit };
    let page = page(api, &req, &input.bucket, query).await?;
    let owner = owner(Caller::of(&req)?);
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
        marker: Some(encoding.write(input.marker.as_deref().unwrap_or_default())),
        max_keys: i32::try_from(limit).ok(),
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next.as_deref().map(|next| encoding.write(next)),
        contents: Some(page.objects.iter().map(|info| object(info, encoding, Some(owner.clone()))).collect()),
        common_prefixes: Some(encoding.prefixes(&page.prefixes)),
        delimiter: input.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type.clone(),
        request_charged: None,
    }))
}

pub(super) async fn v2(api: &Api, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = &req.input;
    let (encoding, limit) = (Encoding::of(input.encoding_type.as_ref())?, limit(input.max_keys)?);
    let after = match &input.continuation_token {
        Some(token) => Some(from_token(token)?),
        None => some(input.start_after.as_ref()),
    };
    let (prefix, delimiter) = (input.prefix.clone().unwrap_or_default(), some(input.delimiter.as_ref()));
    let page = page(api, &req, &input.bucket, ObjectQuery { prefix, delimiter, after, limit }).await?;
    let owner = (input.fetch_owner == Some(true)).then(|| Caller::of(&req).map(owner)).transpose()?;
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
        max_keys: i32::try_from(limit).ok(),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        continuation_token: input.continuation_token.clone(),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_deref().map(to_token),
        contents: Some(page.objects.iter().map(|info| object(info, encoding, owner.clone())).collect()),
        common_prefixes: Some(encoding.prefixes(&page.prefixes)),
        delimiter: input.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type.clone(),
        start_after: input.start_after.as_deref().map(|after| encoding.write(after)),
        request_charged: None,
    }))
}

pub(super) async fn versions(
    api: &Api,
    req: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = &req.input;
    let (encoding, limit) = (Encoding::of(input.encoding_type.as_ref())?, limit(input.max_keys)?);
    let bucket = api.bucket(&req, &input.bucket)?;
    let after = some(input.key_marker.as_ref());
    let after_version = some(input.version_id_marker.as_ref()).map(VersionId);
    if after_version.is_some() && after.is_none() {
        return Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."));
    }
    api.config(&bucket).await?;
    let (prefix, delimiter) = (input.prefix.clone().unwrap_or_default(), some(input.delimiter.as_ref()));
    let query = ObjectQuery { prefix, delimiter, after: after.clone(), limit };
    let page = match limit {
        0 => ObjectPage::default(),
        _ => (api.objects.list_versions(&bucket, query, after_version.as_ref()).await)
            .map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))?,
    };
    let owner = owner(Caller::of(&req)?);
    let mut output = ListObjectVersionsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
        key_marker: Some(encoding.write(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: input.version_id_marker.clone(),
        max_keys: i32::try_from(limit).ok(),
        is_truncated: Some(page.next.is_some()),
        next_key_marker: page.next.as_deref().map(|next| encoding.write(next)),
        // A page that ends within a key says after which of its versions; one that ends with a prefix has nothing to say.
        next_version_id_marker: (page.objects.last())
            .filter(|last| page.next.as_deref() == Some(last.key.as_str()))
            .map(|last| last.version.0.clone()),
        common_prefixes: Some(encoding.prefixes(&page.prefixes)),
        delimiter: input.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type.clone(),
        ..ListObjectVersionsOutput::default()
    };
    let (mut kept, mut markers) = (Vec::new(), Vec::new());
    // The newest version of a key comes first, so each is the newest that is not of the key before; that one may lie on the page before.
    let mut before = after_version.and(after);
    for info in &page.objects {
        let is_latest = before.as_deref() != Some(info.key.as_str());
        before = Some(info.key.clone());
        if info.is_delete_marker {
            markers.push(marker(info, is_latest, encoding, &owner));
        } else {
            kept.push(version(info, is_latest, encoding, &owner));
        }
    }
    (output.versions, output.delete_markers) = (Some(kept), Some(markers));
    Ok(S3Response::new(output))
}

fn object(info: &ObjectInfo, encoding: Encoding, owner: Option<Owner>) -> Object {
    Object {
        key: Some(encoding.write(&info.key)),
        size: Some(convert::size(info.bytes)),
        e_tag: Some(etag(&info.etag)),
        last_modified: Some(timestamp(info.modified)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        checksum_algorithm: algorithms(&info.checksums),
        checksum_type: checksum_type(&info.checksums),
        owner,
        restore_status: None,
    }
}

fn version(info: &ObjectInfo, is_latest: bool, encoding: Encoding, owner: &Owner) -> ObjectVersion {
    ObjectVersion {
        key: Some(encoding.write(&info.key)),
        version_id: Some(info.version.0.clone()),
        is_latest: Some(is_latest),
        size: Some(convert::size(info.bytes)),
        e_tag: Some(etag(&info.etag)),
        last_modified: Some(timestamp(info.modified)),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        checksum_algorithm: algorithms(&info.checksums),
        checksum_type: checksum_type(&info.checksums),
        owner: Some(owner.clone()),
        restore_status: None,
    }
}

fn marker(info: &ObjectInfo, is_latest: bool, encoding: Encoding, owner: &Owner) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(encoding.write(&info.key)),
        version_id: Some(info.version.0.clone()),
        is_latest: Some(is_latest),
        last_modified: Some(timestamp(info.modified)),
        owner: Some(owner.clone()),
    }
}

/// All objects of an app belong to the app.
fn owner(caller: &Caller) -> Owner {
    let app = caller.app.to_string();
    Owner { id: Some(app.clone()), display_name: Some(app) }
}

fn to_token(next: &str) -> String {
    BASE64URL_NOPAD.encode(next.as_bytes())
}

fn from_token(token: &str) -> S3Result<String> {
    let next = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    next.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}
