//! Errors of `wasi:http`, from ours and back to words.
//!
//! | ours | what the guest gets |
//! |---|---|
//! | `E0207`, `E0208`, `E0210`: the request may not be sent | `HTTP-request-denied` |
//! | `E0510`: too many calls | `connection-limit-reached` |
//! | `E0209`: it failed on the way | by the first words of the message, see [`ON_THE_WAY`]; else `internal-error` with the message |
//! | anything else | `internal-error` with the message |
//! | body: `Gone`, `Idle` | `connection-terminated`, `connection-read-timeout` |
//! | body: `TooLarge` | `HTTP-request-body-size`, or `HTTP-response-body-size` for what an outbound request brought |
//! | body: `Broken` | `HTTP-protocol-error` |
//!
//! The other way round there is nothing to map: a guest that answers with an error instead of a response fails with `E0504`, and the
//! error's name is told.

use ports::BodyError;
use types::{Code, journal::Failure};

use crate::host::bindings::wasi::http::types::{DnsErrorPayload, ErrorCode};

/// How messages of `E0209` say what failed, and the guest's word for it.
const ON_THE_WAY: [(&str, fn() -> ErrorCode); 12] = [
    ("name lookup timed out", || ErrorCode::DnsTimeout),
    ("name lookup failed", || ErrorCode::DnsError(DnsErrorPayload { rcode: None, info_code: None })),
    ("connection refused", || ErrorCode::ConnectionRefused),
    ("connecting timed out", || ErrorCode::ConnectionTimeout),
    ("host unreachable", || ErrorCode::DestinationUnavailable),
    ("certificate", || ErrorCode::TlsCertificateError),
    ("tls", || ErrorCode::TlsProtocolError),
    ("response timed out", || ErrorCode::HttpResponseTimeout),
    ("response stalled", || ErrorCode::ConnectionReadTimeout),
    ("connection closed", || ErrorCode::ConnectionTerminated),
    ("response incomplete", || ErrorCode::HttpResponseIncomplete),
    ("protocol error", || ErrorCode::HttpProtocolError),
];

/// What a guest is told of a request that failed.
pub(crate) fn code_of(failure: &Failure) -> ErrorCode {
    match failure.code {
        Code::E0207 | Code::E0208 | Code::E0210 => ErrorCode::HttpRequestDenied,
        Code::E0510 => ErrorCode::ConnectionLimitReached,
        Code::E0209 => {
            let named = ON_THE_WAY.iter().find(|(words, _)| failure.message.starts_with(words));
            named.map_or_else(|| ErrorCode::InternalError(Some(failure.message.clone())), |(_, code)| code())
        }
        _ => ErrorCode::InternalError(Some(failure.message.clone())),
    }
}

/// What a guest is told of a body that broke off: that of its own request, or of a response to a request that it sent.
pub(crate) fn code_of_body(error: &BodyError, of_request: bool) -> ErrorCode {
    match error {
        BodyError::Gone => ErrorCode::ConnectionTerminated,
        BodyError::Idle => ErrorCode::ConnectionReadTimeout,
        BodyError::TooLarge { allowed } if of_request => ErrorCode::HttpRequestBodySize(Some(*allowed)),
        BodyError::TooLarge { allowed } => ErrorCode::HttpResponseBodySize(Some(*allowed)),
        BodyError::Broken(_) => ErrorCode::HttpProtocolError,
    }
}

/// The error that was recorded as its text: a replay gives the guest the same code again.
pub(crate) fn body_from_text(text: &str) -> BodyError {
    let allowed = || text.strip_prefix("more than ")?.strip_suffix(" bytes")?.parse().ok();
    let plain = [BodyError::Gone, BodyError::Idle].into_iter().find(|error| error.to_string() == text);
    plain.or_else(|| Some(BodyError::TooLarge { allowed: allowed()? })).unwrap_or_else(|| BodyError::Broken(text.to_owned()))
}

/// The error's name as the interface writes it, with what it carries.
pub(crate) fn words(code: &ErrorCode) -> String {
    // `ConnectionRefused` becomes `connection-refused`.
    let debug = format!("{code:?}");
    let mut words = String::with_capacity(debug.len() + 4);
    let name = debug.strip_prefix("ErrorCode::").unwrap_or(&debug);
    let (name, payload) = name.find(['(', ' ']).map_or((name, ""), |at| name.split_at(at));
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words + payload
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: Code, message: &str) -> String {
        words(&code_of(&Failure { code, message: message.to_owned() }))
    }

    #[test]
    fn every_failure_has_its_code() {
        let rows = [
            (Code::E0207, "may not reach x", "http-request-denied"),
            (Code::E0208, "10.0.0.1 is private", "http-request-denied"),
            (Code::E0210, "CONNECT is not sent", "http-request-denied"),
            (Code::E0510, "outbound calls 1001", "connection-limit-reached"),
            (Code::E0209, "name lookup timed out: x", "dns-timeout"),
            (Code::E0209, "name lookup failed: x", "dns-error(DnsErrorPayload { rcode: None, info-code: None })"),
            (Code::E0209, "connection refused: x", "connection-refused"),
            (Code::E0209, "connecting timed out: x", "connection-timeout"),
            (Code::E0209, "host unreachable: x", "destination-unavailable"),
            (Code::E0209, "certificate expired: x", "tls-certificate-error"),
            (Code::E0209, "tls handshake: x", "tls-protocol-error"),
            (Code::E0209, "response timed out: x", "http-response-timeout"),
            (Code::E0209, "response stalled: x", "connection-read-timeout"),
            (Code::E0209, "connection closed: x", "connection-terminated"),
            (Code::E0209, "response incomplete: x", "http-response-incomplete"),
            (Code::E0209, "protocol error: x", "http-protocol-error"),
            (Code::E0209, "odd", "internal-error(Some(\"odd\"))"),
            (Code::E0513, "odd", "internal-error(Some(\"odd\"))"),
        ];
        for (code, message, expected) in rows {
            assert_eq!(told(code, message), expected, "{message}");
        }
    }

    #[test]
    fn body_errors_survive_being_recorded() {
        let rows = [
            (BodyError::Gone, "connection-terminated"),
            (BodyError::Idle, "connection-read-timeout"),
            (BodyError::TooLarge { allowed: 7 }, "http-request-body-size(Some(7))"),
            (BodyError::Broken("more than a few bytes".into()), "http-protocol-error"),
        ];
        for (error, expected) in rows {
            assert_eq!(words(&code_of_body(&error, true)), expected);
            assert_eq!(words(&code_of_body(&body_from_text(&error.to_string()), true)), expected);
        }
    }
}
