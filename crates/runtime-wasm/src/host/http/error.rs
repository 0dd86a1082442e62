//! Errors of `wasi:http`, from ours and back to words.
//!
//! | ours | what the guest gets |
//! |---|---|
//! | `E0207`, `E0208`, `E0210`: the request may not be sent | `HTTP-request-denied` |
//! | `E0510`: too many calls | `connection-limit-reached` |
//! | `E0209`: it failed on the way | by the words of the message, see [`ON_THE_WAY`]; else `internal-error` with the message |
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

/// What a message of `E0209` begins with and has in it, and the guest's word for that. The first row that fits counts.
struct Row(&'static str, &'static str, fn() -> ErrorCode);

/// The messages are those of the crate `egress`.
const ON_THE_WAY: [Row; 10] = [
    Row("dns: ", "no answer", || ErrorCode::DnsTimeout),
    Row("dns: ", "", || ErrorCode::DnsError(DnsErrorPayload { rcode: None, info_code: None })),
    Row("connection refused", "", || ErrorCode::ConnectionRefused),
    Row("connecting to ", "no answer", || ErrorCode::ConnectionTimeout),
    Row("connecting to ", "", || ErrorCode::DestinationUnavailable),
    Row("tls: ", "no answer", || ErrorCode::ConnectionTimeout),
    Row("tls: ", "certificate", || ErrorCode::TlsCertificateError),
    Row("tls: ", "", || ErrorCode::TlsProtocolError),
    Row("no answer from ", "", || ErrorCode::HttpResponseTimeout),
    Row("", "broke off", || ErrorCode::ConnectionTerminated),
];

/// What a guest is told of a request that failed.
pub(crate) fn code_of(failure: &Failure) -> ErrorCode {
    match failure.code {
        Code::E0207 | Code::E0208 | Code::E0210 => ErrorCode::HttpRequestDenied,
        Code::E0510 => ErrorCode::ConnectionLimitReached,
        Code::E0209 => {
            let message = &failure.message;
            let row = ON_THE_WAY.iter().find(|Row(begins, has, _)| message.starts_with(begins) && message.contains(has));
            row.map_or_else(|| ErrorCode::InternalError(Some(message.clone())), |Row(_, _, code)| code())
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
            (Code::E0209, "dns: no answer about x in time", "dns-timeout"),
            (Code::E0209, "dns: no such host: x", "dns-error(DnsErrorPayload { rcode: None, info-code: None })"),
            (Code::E0209, "connection refused by 10.0.0.1:80", "connection-refused"),
            (Code::E0209, "connecting to 10.0.0.1:80: no answer for 10 s", "connection-timeout"),
            (Code::E0209, "connecting to 10.0.0.1:80: no route to host", "destination-unavailable"),
            (Code::E0209, "tls: no answer from 10.0.0.1:443 in time", "connection-timeout"),
            (Code::E0209, "tls: invalid peer certificate: Expired", "tls-certificate-error"),
            (Code::E0209, "tls: received corrupt message", "tls-protocol-error"),
            (Code::E0209, "no answer from x for 60 s", "http-response-timeout"),
            (Code::E0209, "the call to x broke off: connection reset", "connection-terminated"),
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
