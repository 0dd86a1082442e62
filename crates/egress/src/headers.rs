//! Header fields on their way out and back: what belongs to one connection is taken out, and who is called is said by us.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header,
    uri::{self, Authority, PathAndQuery, Scheme},
};
use types::{field::is_hop_by_hop, journal::Failure};

use crate::{failure::not_sendable, target::Target};

/// Whether a field is between us and one of the two sides. What is expected before a body is sent is settled with each of them.
fn is_between_two(name: &HeaderName) -> bool {
    *name == header::EXPECT || is_hop_by_hop(name.as_str())
}

/// Takes out what concerns one connection, and what its `connection` fields list.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if !headers.keys().any(is_between_two) {
        return;
    }
    let mut names: Vec<HeaderName> = headers.keys().filter(|name| is_between_two(name)).cloned().collect();
    for value in headers.get_all(header::CONNECTION) {
        let listed = value.as_bytes().split(|byte| *byte == b',');
        names.extend(listed.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()));
    }
    for name in names {
        headers.remove(name);
    }
}

/// Makes a request's fields ready: nothing of a connection's, and the length said once.
///
/// # Errors
/// `E0210` if the guest gave lengths that are not one number.
pub(crate) fn prepare(headers: &mut HeaderMap, exact_length: Option<u64>) -> Result<(), Failure> {
    strip(headers);
    if exact_length.is_some() {
        headers.remove(header::CONTENT_LENGTH);
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    if let Some(first) = lengths.next() {
        let number = first.to_str().is_ok_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        if !number || lengths.next().is_some() {
            return Err(not_sendable("the request's content length is not one number"));
        }
    }
    Ok(())
}

/// Whether a request without a body says so: servers of these methods expect one (RFC 9110 §8.6).
fn says_empty(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// HTTP/1.1 names the path in the request line and the host in its field: the one that is called, whatever the guest wrote.
pub(crate) fn for_http1<B: http_body::Body>(mut request: Request<B>, target: &Target) -> Request<B> {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    *request.version_mut() = Version::HTTP_11;
    let host = HeaderValue::try_from(target.host_field()).expect("a checked host has only visible characters");
    request.headers_mut().insert(header::HOST, host);
    if request.body().size_hint().exact() == Some(0) && says_empty(request.method()) {
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    request
}

/// HTTP/2 names all of it in the address.
pub(crate) fn for_http2<B>(mut request: Request<B>, target: &Target) -> Request<B> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(if target.https { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Authority::try_from(target.host_field()).ok();
    parts.path_and_query = Some(request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).expect("a checked host is an authority");
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(header::HOST);
    request
}
