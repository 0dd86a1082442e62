//! Buckets: listing, objects as streams, and links that hold for a while.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use futures_util::TryStreamExt;
use http::{
    HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG},
};
use http_body_util::BodyExt as _;
use ports::{BodyError, presign::LinkWanted};
use types::{
    Code, Problem,
    app::ResourceKind,
    limits,
    object::{BucketName, ObjectAttributes, ObjectInfo, ObjectQuery, PutOptions},
    wire::data::{Count, ObjectKey, ObjectRange, ObjectRow, ObjectRows, Page, Presign, Presigned, ResourceRow},
};

use super::{
    super::reply::{Answer, Asked, Input, Key, Refusal, answer},
    Named, rows,
};
use crate::core::Control;

/// The longest that a link may hold, as AWS has it.
const PRESIGN_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The app's buckets.
#[utoipa::path(get, operation_id = "buckets", path = "/v1/apps/{app}/{env}/buckets", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), Page), responses((status = 200, body = Vec<ResourceRow>)))]
pub(crate) async fn buckets(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<ResourceRow>> {
    answer(rows(&control.served(&key).await?, ResourceKind::Bucket, &asked))
}

/// A page of a bucket's objects.
#[utoipa::path(get, operation_id = "buckets_objects", path = "/v1/apps/{app}/{env}/buckets/{bucket}/objects", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("bucket" = String, Path), ObjectRange),
    responses((status = 200, body = ObjectRows)))]
pub(crate) async fn objects(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<ObjectRange>,
) -> Answer<ObjectRows> {
    control.knowing(ResourceKind::Bucket, &named).await?;
    let ObjectRange { prefix, delimiter, after, limit } = asked;
    let limit = limit.unwrap_or(limits::BUCKET_PAGE).clamp(1, limits::BUCKET_PAGE);
    let query = ObjectQuery { prefix: prefix.unwrap_or_default(), delimiter, after, limit };
    let page = control.data.objects.list(&bucket(&named), query).await?;
    answer(ObjectRows { objects: page.objects.into_iter().map(row).collect(), prefixes: page.prefixes, next: page.next })
}

/// An object's bytes.
#[utoipa::path(get, operation_id = "buckets_get", path = "/v1/apps/{app}/{env}/buckets/{bucket}/object", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("bucket" = String, Path), ObjectKey),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(crate) async fn get(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<ObjectKey>,
) -> Result<Response, Refusal> {
    control.knowing(ResourceKind::Bucket, &named).await?;
    let found = control.data.objects.get(&bucket(&named), &asked.key, None, None).await?;
    let (info, body) = found.ok_or_else(|| no_object(&named, &asked.key))?;
    let mut response = Response::new(Body::new(body.map_err(|error: BodyError| axum::Error::new(error))));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(info.bytes));
    let media = info.attributes.content_type.and_then(|media| HeaderValue::try_from(media).ok());
    headers.insert(CONTENT_TYPE, media.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.extend(HeaderValue::try_from(format!("\"{}\"", info.etag)).ok().map(|etag| (ETAG, etag)));
    Ok(response)
}

/// Writes an object: the body is its bytes. Functions that the bucket starts hear of it.
#[utoipa::path(put, operation_id = "buckets_put", path = "/v1/apps/{app}/{env}/buckets/{bucket}/object", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("bucket" = String, Path), ObjectKey),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = ObjectRow)))]
pub(crate) async fn put(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<ObjectKey>,
    request: Request,
) -> Answer<ObjectRow> {
    control.knowing(ResourceKind::Bucket, &named).await?;
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).map(str::to_owned);
    let attributes = ObjectAttributes { content_type, ..ObjectAttributes::default() };
    let options = PutOptions { attributes, ..PutOptions::default() };
    answer(row(control.data.objects.put(&bucket(&named), &asked.key, streamed(request), options).await?))
}

/// Removes an object.
#[utoipa::path(delete, operation_id = "buckets_remove", path = "/v1/apps/{app}/{env}/buckets/{bucket}/object", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("bucket" = String, Path), ObjectKey),
    responses((status = 200, body = Count)))]
pub(crate) async fn remove(State(control): State<Arc<Control>>, named: Named, Asked(asked): Asked<ObjectKey>) -> Answer<Count> {
    control.knowing(ResourceKind::Bucket, &named).await?;
    let removed = control.data.objects.delete(&bucket(&named), &asked.key, None, None).await?;
    removed.ok_or_else(|| no_object(&named, &asked.key))?;
    answer(Count { count: 1 })
}

/// A link with which anybody may read or write one object for a while.
#[utoipa::path(post, operation_id = "buckets_presign", path = "/v1/apps/{app}/{env}/buckets/{bucket}/presign", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("bucket" = String, Path)), request_body = Presign,
    responses((status = 200, body = Presigned)))]
pub(crate) async fn presign(
    State(control): State<Arc<Control>>,
    named: Named,
    Input(asked): Input<Presign>,
) -> Answer<Presigned> {
    control.knowing(ResourceKind::Bucket, &named).await?;
    let Presign { key, method, expires_secs } = asked;
    let lasts = Duration::from_secs(expires_secs);
    if !matches!(method.as_str(), "GET" | "PUT") {
        return Err(Problem::new(Code::E0709, format!("a link can't be made for {method}: GET reads, PUT writes")).into());
    }
    if lasts.is_zero() || lasts > PRESIGN_MAX {
        let allowed = types::Elapsed::from(PRESIGN_MAX);
        return Err(Problem::limit(Code::E0709, "time of a link", types::Elapsed::from(lasts), allowed).into());
    }
    let (url, until) = control.data.aws.link(&named.key, &LinkWanted { bucket: named.name, key, method, lasts }).await?;
    answer(Presigned { url, until: until.to_rfc3339() })
}

/// A request's body as ports have it.
pub(super) fn streamed(request: Request) -> ports::Body {
    let broken = |error: axum::Error| BodyError::Broken(error.to_string());
    let frames = TryStreamExt::map_err(request.into_body().into_data_stream(), broken).map_ok(http_body::Frame::data);
    ports::Body::stream(http_body_util::StreamBody::new(frames))
}

fn bucket(Named { key, name }: &Named) -> BucketName {
    BucketName::of(&key.app, &key.env, name)
}

fn no_object(named: &Named, key: &str) -> Problem {
    Problem::new(Code::E0715, format!("bucket.{} has no object {key:?}", named.name))
        .help(format!("dayfly bucket ls {}", named.name))
}

fn row(info: ObjectInfo) -> ObjectRow {
    let ObjectInfo { key, bytes, etag, modified, attributes, .. } = info;
    ObjectRow { key, bytes, etag, modified: modified.to_rfc3339(), content_type: attributes.content_type }
}
