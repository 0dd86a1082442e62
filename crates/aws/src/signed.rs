//! What is refused before a signature is looked at: ways of signing that leave things open which a signature should close.

use http::request::Parts;
use s3s::{S3Error, s3_error};

use crate::encoding::query_value;

/// Why a request is not served, if it is not.
pub(crate) fn refusal(head: &Parts) -> Option<S3Error> {
    let query = head.uri.query().unwrap_or_default();
    let header = head.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The older signature is one of SHA-1 over less of the request, without a bound on its age.
    if header.is_some_and(|value| value.starts_with("AWS ")) || query_value(query, "Signature").is_some() {
        return Some(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
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
        refusal(&request.body(()).expect("a request").into_parts().0).map(|error| error.code().as_str().to_owned())
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
        assert_eq!(code("/b/k?AWSAccessKeyId=AK&Signature=x&Expires=1", &[]).as_deref(), Some("InvalidRequest"));
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
