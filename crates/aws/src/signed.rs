//! What is refused before a signature is looked at: ways of signing that leave things open which a signature should close.

use std::time::Duration;

use http::request::Parts;
use s3s::{S3Error, s3_error};
use types::Timestamp;

use crate::encoding::query_value;

/// The longest that a link may hold, as S3 bounds it.
pub(crate) const LINK_TIME_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Why a request is not served, if it is not.
pub(crate) fn refusal(head: &Parts, now: Timestamp) -> Option<S3Error> {
    let query = head.uri.query().unwrap_or_default();
    let header = head.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The older signature in a header has no bound on its age. In links it has one, and AWS's own tools still make such links.
    if header.is_some_and(|value| value.starts_with("AWS ")) {
        return Some(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
    }
    if query_value(query, "Signature").is_some() {
        let until = query_value(query, "Expires").and_then(|until| until.parse::<u64>().ok()).unwrap_or(u64::MAX);
        let bound = now.unix_ns() / 1_000_000_000 + LINK_TIME_MAX.as_secs();
        return (until > bound).then(|| s3_error!(AccessDenied, "A link may hold for {} s", LINK_TIME_MAX.as_secs()));
    }
    let (scope, names) = match header.and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256")) {
        Some(value) => (field(value, "Credential="), field(value, "SignedHeaders=")),
        None => (query_value(query, "X-Amz-Credential"), query_value(query, "X-Amz-SignedHeaders")),
    };
    let (Some(scope), Some(names)) = (scope, names) else { return None };
    if scope.rsplit('/').nth(1) != Some("s3") {
        return Some(s3_error!(
            AuthorizationHeaderMalformed,
            "The authorization header is malformed; incorrect service. This endpoint belongs to \"s3\"."
        ));
    }
    let signed: Vec<_> = names.split(';').map(str::to_ascii_lowercase).collect();
    let is_signed = |name: &str| signed.iter().any(|signed| signed == name);
    // The hash of the payload is compared with the payload, wherever it stands.
    let mut amz = head
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && *name != "x-amz-content-sha256");
    let open = if is_signed("host") { amz.find(|name| !is_signed(name)) } else { Some("host") };
    open.map(|name| s3_error!(AccessDenied, "There were headers present in the request which were not signed: {name}"))
}

/// A field of an `authorization` header.
fn field(value: &str, name: &str) -> Option<String> {
    value.split(',').find_map(|part| part.trim().strip_prefix(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(uri: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        let mut request = http::Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refusal(&request.body(()).expect("a request").into_parts().0, Timestamp::from_unix_ms(1_000))
            .map(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn older_signatures_other_services_and_open_fields_are_refused() {
        let v4 = |service: &str, names: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request, SignedHeaders={names}, Signature=00"
            )
        };
        let good = v4("s3", "host;x-amz-date");
        assert_eq!(code("/b/k", &[("authorization", &good), ("x-amz-date", "x")]), None);
        assert_eq!(code("/b/k", &[]), None);
        assert_eq!(code("/b/k", &[("authorization", "AWS AK:sig")]).as_deref(), Some("InvalidRequest"));
        assert_eq!(code("/b/k?AWSAccessKeyId=AK&Signature=x&Expires=604801", &[]), None);
        for expires in ["604802", "", "x"] {
            let link = format!("/b/k?AWSAccessKeyId=AK&Signature=x&Expires={expires}");
            assert_eq!(code(&link, &[]).as_deref(), Some("AccessDenied"), "{expires}");
        }
        let other = v4("sts", "host;x-amz-date");
        assert_eq!(code("/b/k", &[("authorization", &other)]).as_deref(), Some("AuthorizationHeaderMalformed"));
        let open = [("authorization", good.as_str()), ("x-amz-date", "x"), ("x-amz-meta-role", "admin")];
        assert_eq!(code("/b/k", &open).as_deref(), Some("AccessDenied"));
        let hostless = v4("s3", "x-amz-date");
        assert_eq!(code("/b/k", &[("authorization", &hostless)]).as_deref(), Some("AccessDenied"));
        let link = "/b/k?X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-SignedHeaders=host";
        assert_eq!(code(link, &[]), None);
        assert_eq!(code(link, &[("x-amz-acl", "public-read")]).as_deref(), Some("AccessDenied"));
    }
}
