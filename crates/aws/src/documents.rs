//! The documents that requests carry: lists of what to delete, settings, parts. The library reads them whole before an operation sees
//! anything of them, so that their checksums are compared on their way there.

use http::{Method, Request};
use s3s::{Body, S3Result, dto::StreamingBlob};

use crate::{
    checksum::{Announced, Verdict, Verified},
    settings::Verification,
};

/// What the queries of requests with documents begin with or have as a name.
const NAMES: [&str; 5] = ["cors", "delete", "lifecycle", "tagging", "versioning"];

/// A request whose document, if it has one, is compared with what is promised of it; and what will be wrong with it.
pub(crate) fn verified(request: Request<Body>, verification: Verification) -> S3Result<(Request<Body>, Verdict)> {
    if !has_document(&request) {
        return Ok((request, Verdict::default()));
    }
    let announced = Announced::read(request.headers(), None, None)?;
    let (head, body) = request.into_parts();
    let (body, verdict) = Verified::body(Some(StreamingBlob::from(body)), announced, verification);
    Ok((Request::from_parts(head, Body::http_body_unsync(body)), verdict))
}

fn has_document(request: &Request<Body>) -> bool {
    let mut names = request.uri().query().unwrap_or_default().split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    (request.method() == Method::POST || request.method() == Method::PUT)
        && !request.headers().contains_key("x-amz-trailer")
        && names.any(|name| NAMES.contains(&name))
}
