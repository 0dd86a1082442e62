//! A request's head as the function is to see it: an absolute address, nothing that belongs to one connection, and the platform's own
//! word on where it came from instead of the client's.

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri, Version, header,
    request::Parts,
    uri::{Authority, PathAndQuery, Scheme},
};
use types::{
    Code, Problem, TraceContext,
    field::{is_hop_by_hop, is_platforms},
};

use super::wire::Conn;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TRACEPARENT: &str = "traceparent";
const REQUEST_ID: &str = "x-request-id";

/// The longest request id of a client that is kept.
const REQUEST_ID_MAX: usize = 128;

fn malformed(what: &str) -> Box<Problem> {
    Box::new(Problem::new(Code::E0406, what))
}

/// Makes the request's URI absolute: scheme, authority, path and query.
///
/// # Errors
/// `E0406` if there is no host, or two different ones.
pub(crate) fn make_absolute(parts: &mut Parts, conn: &Conn) -> Result<(), Box<Problem>> {
    let uri = std::mem::take(&mut parts.uri).into_parts();
    let host = parts.headers.get(header::HOST).cloned();
    let authority = match (uri.authority, &host) {
        (Some(authority), None) => authority,
        (Some(authority), Some(host)) if authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) => authority,
        (Some(_), Some(_)) => return Err(malformed("the request names two different hosts")),
        (None, Some(host)) => return set_uri(parts, authority_of(host, conn)?, uri.path_and_query),
        (None, None) if parts.version == Version::HTTP_10 => conn.local.clone(),
        (None, None) => return Err(malformed("the request has no host")),
    };
    if !is_host(authority.as_str()) {
        return Err(malformed("the request's host is not valid"));
    }
    set_uri(parts, authority, uri.path_and_query)
}

/// The host field as an authority. A connection's requests mostly name the same one, which was checked with the first.
fn authority_of(host: &HeaderValue, conn: &Conn) -> Result<Authority, Box<Problem>> {
    let mut last = conn.host.lock();
    if let Some((known, authority)) = &*last
        && known == host
    {
        return Ok(authority.clone());
    }
    let authority = Authority::try_from(host.as_bytes()).ok().filter(|authority| is_host(authority.as_str()));
    let authority = authority.ok_or_else(|| malformed("the request's host is not valid"))?;
    *last = Some((host.clone(), authority.clone()));
    Ok(authority)
}

fn set_uri(parts: &mut Parts, authority: Authority, target: Option<PathAndQuery>) -> Result<(), Box<Problem>> {
    let mut absolute = http::uri::Parts::default();
    absolute.scheme = Some(Scheme::HTTP);
    absolute.authority = Some(authority);
    absolute.path_and_query = Some(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.uri = Uri::from_parts(absolute).map_err(|_| malformed("the request's target is not valid"))?;
    Ok(())
}

/// A host name or address with an optional port, and nothing that a name has not.
fn is_host(authority: &str) -> bool {
    let (host, rest) = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, rest)) => return address.parse::<std::net::Ipv6Addr>().is_ok() && is_port(rest),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(fits) && is_port(rest)
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'))
}

/// Fields that only the platform may set.
fn is_ours(name: &str) -> bool {
    matches!(name, "forwarded" | "x-real-ip")
        || name.starts_with("x-tenant-")
        || name.starts_with("x-forwarded-")
        || is_platforms(name)
}

/// Takes out what clients must not say, and says it ourselves; gives the caller's place in a trace, if it named exactly one.
///
/// The host is passed on as it came, so there is no need for an `x-forwarded-host`.
pub(crate) fn clean(parts: &mut Parts, conn: &Conn) -> Option<TraceContext> {
    let headers = &mut parts.headers;
    // One look at the names tells whether any of the lookups below is worth its hash.
    let (mut doomed, mut request_id, mut traceparent) = (false, false, false);
    for name in headers.keys() {
        match name.as_str() {
            REQUEST_ID => request_id = true,
            TRACEPARENT => traceparent = true,
            text => doomed = doomed || is_hop_by_hop(text) || is_ours(text),
        }
    }
    if doomed {
        remove(headers, |name| is_hop_by_hop(name.as_str()) || is_ours(name.as_str()));
    }
    if request_id && !headers.get_all(REQUEST_ID).iter().all(is_sane) {
        headers.remove(REQUEST_ID);
    }
    headers.insert(FORWARDED_FOR, conn.peer.clone());
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    if traceparent { parent(headers) } else { None }
}

fn remove(headers: &mut HeaderMap, doomed: impl Fn(&HeaderName) -> bool) {
    let mut names: Vec<HeaderName> = headers.keys().filter(|name| doomed(name)).cloned().collect();
    for value in headers.get_all(header::CONNECTION) {
        let listed = value.as_bytes().split(|byte| *byte == b',');
        // The host is ours to judge, not the connection's.
        names.extend(
            listed.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).filter(|name| *name != header::HOST),
        );
    }
    for name in names {
        headers.remove(name);
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    (1..=REQUEST_ID_MAX).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let (first, None) = (values.next()?, values.next()) else { return None };
    TraceContext::from_traceparent(first.to_str().ok()?.trim())
}

/// The host for the route table: without port, without the dot at the end of a full name, in lower case.
pub(crate) fn with_host<T>(uri: &Uri, look_up: impl FnOnce(&str) -> T) -> T {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { look_up(&host.to_ascii_lowercase()) } else { look_up(host) }
}
