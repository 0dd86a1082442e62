//! A file as a response: content coding, conditions, ranges (RFC 9110 §12.5.3, §13, §14).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_range_header::parse_range_header;
use ports::{Body, BoxFuture};
use types::site::SiteEncoding;

use super::{
    SiteCache,
    files::{File, Found, Representation},
};
use crate::http::problem;

/// What a request asks of a site.
pub(crate) struct Asked {
    found: Found,
    is_head: bool,
    query: Option<String>,
}

/// A response, or one whose bytes have to be read first.
pub(crate) enum Served {
    Now(Response<Body>),
    Later(BoxFuture<Response<Body>>),
}

/// What is sent of a file.
enum Sent {
    Nothing(StatusCode),
    Whole,
    /// The first byte and the last.
    Range(u64, u64),
}

impl Asked {
    pub(crate) fn new(found: Found, parts: &Parts) -> Self {
        Self { found, is_head: parts.method == Method::HEAD, query: parts.uri.query().map(str::to_owned) }
    }

    /// The response to a request with these header fields.
    pub(crate) fn serve(self, headers: &HeaderMap, cache: &Arc<SiteCache>) -> Served {
        let file = match self.found {
            Found::File(file) => file,
            Found::Moved(path) => return Served::Now(moved(&path, self.query.as_deref())),
        };
        let (encoding, form) = chosen(&file, headers);
        let sent = sent(form, headers);
        let head = head(&file, encoding, form, &sent);
        if self.is_head || matches!(sent, Sent::Nothing(_)) {
            return Served::Now(head);
        }
        if let Some(bytes) = cache.kept(&form.digest) {
            return Served::Now(head.map(|_| Body::from(part(&bytes, &sent))));
        }
        let (cache, digest) = (Arc::clone(cache), form.digest);
        Served::Later(Box::pin(async move {
            match cache.load(&digest).await {
                Ok(bytes) => head.map(|_| Body::from(part(&bytes, &sent))),
                Err(error) => problem::response(&error, &HeaderMap::new()),
            }
        }))
    }
}

/// The page's other address; the query goes along.
fn moved(path: &str, query: Option<&str>) -> Response<Body> {
    let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The smallest form that the client takes. Ranges are of the plain bytes: a part of compressed bytes serves nobody.
fn chosen<'a>(file: &'a File, headers: &HeaderMap) -> (Option<SiteEncoding>, &'a Representation) {
    if !file.encoded.is_empty() && !headers.contains_key(header::RANGE) {
        let accepted = headers.get_all(header::ACCEPT_ENCODING);
        let takes =
            |encoding: SiteEncoding| accepted.iter().any(|value| value.to_str().is_ok_and(|text| accepts(text, encoding)));
        if let Some((encoding, form)) = file.encoded.iter().find(|(encoding, _)| takes(*encoding)) {
            return (Some(*encoding), form);
        }
    }
    (None, &file.plain)
}

/// Whether an `accept-encoding` takes a coding: named, or by `*`, with a weight above zero.
fn accepts(text: &str, encoding: SiteEncoding) -> bool {
    let mut by_star = false;
    for item in text.split(',') {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        let is_taken = weight.is_ok_and(|weight| weight > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case(encoding.as_str()) => return is_taken,
            "*" => by_star = is_taken,
            _ => {}
        }
    }
    by_star
}

fn sent(form: &Representation, headers: &HeaderMap) -> Sent {
    let same = |name| headers.get_all(name).iter().any(|value| names(value, &form.etag));
    if headers.contains_key(header::IF_MATCH) && !same(header::IF_MATCH) {
        return Sent::Nothing(StatusCode::PRECONDITION_FAILED);
    }
    if same(header::IF_NONE_MATCH) {
        return Sent::Nothing(StatusCode::NOT_MODIFIED);
    }
    // A range of another version is no range of this one.
    let current = headers.get(header::IF_RANGE).is_none_or(|tag| *tag == form.etag);
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).filter(|_| current);
    let Some(parsed) = asked.and_then(|text| parse_range_header(text).ok()) else { return Sent::Whole };
    match parsed.validate(form.bytes) {
        // Several ranges may be answered with the whole.
        Ok(ranges) => match &ranges[..] {
            [range] => Sent::Range(*range.start(), *range.end()),
            _ => Sent::Whole,
        },
        Err(_) => Sent::Nothing(StatusCode::RANGE_NOT_SATISFIABLE),
    }
}

/// Whether a list of entity tags names this one, by the weak comparison.
fn names(list: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(list), Ok(etag)) = (list.to_str(), etag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn head(file: &File, encoding: Option<SiteEncoding>, form: &Representation, sent: &Sent) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, form.etag.clone());
    headers.insert(header::CACHE_CONTROL, file.cache_control.clone());
    if !file.encoded.is_empty() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    let (status, length) = match *sent {
        Sent::Nothing(status) => {
            if status == StatusCode::RANGE_NOT_SATISFIABLE
                && let Ok(range) = HeaderValue::try_from(format!("bytes */{}", form.bytes))
            {
                headers.insert(header::CONTENT_RANGE, range);
            }
            (status, None)
        }
        Sent::Whole => (StatusCode::OK, Some(form.bytes)),
        Sent::Range(first, last) => {
            if let Ok(range) = HeaderValue::try_from(format!("bytes {first}-{last}/{}", form.bytes)) {
                headers.insert(header::CONTENT_RANGE, range);
            }
            (StatusCode::PARTIAL_CONTENT, Some(last - first + 1))
        }
    };
    if let Some(length) = length {
        headers.insert(header::CONTENT_TYPE, file.content_type.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.as_str()));
        }
    }
    *response.status_mut() = status;
    response
}

fn part(bytes: &Bytes, sent: &Sent) -> Bytes {
    match *sent {
        Sent::Range(first, last) => {
            let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            bytes.slice(within(first)..within(last.saturating_add(1)))
        }
        _ => bytes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_taken_by_name_by_star_and_not_with_weight_zero() {
        for (text, expected) in [
            ("gzip, br", true),
            ("br;q=0.5", true),
            ("br;q=0", false),
            ("*", true),
            ("*;q=0", false),
            ("br;q=0, *", false),
            ("gzip", false),
            ("BR", true),
            ("", false),
        ] {
            assert_eq!(accepts(text, SiteEncoding::Br), expected, "{text:?}");
        }
    }

    fn form() -> Representation {
        let digest = types::Digest::from_bytes([1; 32]);
        Representation { digest, bytes: 100, etag: HeaderValue::from_static("\"x\"") }
    }

    fn check(fields: &[(header::HeaderName, &'static str)], expected: &str) {
        let headers = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let got = match sent(&form(), &headers) {
            Sent::Nothing(status) => status.as_u16().to_string(),
            Sent::Whole => "whole".into(),
            Sent::Range(first, last) => format!("{first}-{last}"),
        };
        assert_eq!(got, expected, "{fields:?}");
    }

    #[test]
    fn conditions_and_ranges_are_answered_as_the_standard_says() {
        check(&[], "whole");
        check(&[(header::IF_NONE_MATCH, "\"y\", W/\"x\"")], "304");
        check(&[(header::IF_NONE_MATCH, "\"y\"")], "whole");
        check(&[(header::IF_MATCH, "\"y\"")], "412");
        check(&[(header::RANGE, "bytes=0-9")], "0-9");
        check(&[(header::RANGE, "bytes=90-")], "90-99");
        check(&[(header::RANGE, "bytes=-10")], "90-99");
        check(&[(header::RANGE, "bytes=0-9,20-29")], "whole");
        check(&[(header::RANGE, "bytes=100-")], "416");
        check(&[(header::RANGE, "lines=1-2")], "whole");
        check(&[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, "\"y\"")], "whole");
        check(&[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, "\"x\"")], "0-9");
    }
}
