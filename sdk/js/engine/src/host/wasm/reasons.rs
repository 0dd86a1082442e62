//! Why a request to somebody else failed, in words: what `fetch` puts behind the address.

use super::bindings::wasi::http::types::ErrorCode;

/// An error code for people. Where the platform has words of its own, they are those.
pub(super) fn words(error: &ErrorCode) -> String {
    let text = match error {
        ErrorCode::InternalError(Some(text)) => return text.clone(),
        ErrorCode::HttpRequestDenied => {
            "not allowed: name the host in the function's `reach` in dayfly.toml (`dayfly allow` does it); private addresses have to be named in full"
        }
        ErrorCode::DnsTimeout => "the name server did not answer",
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => "there is no such host",
        ErrorCode::DestinationUnavailable => "the host can't be reached",
        ErrorCode::DestinationIpProhibited => "the host's address is one that functions may not call",
        ErrorCode::DestinationIpUnroutable => "there is no way to the host's address",
        ErrorCode::ConnectionRefused => "the connection was refused",
        ErrorCode::ConnectionTerminated => "the connection broke off",
        ErrorCode::ConnectionTimeout => "no connection was made in time",
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => "no answer came in time",
        ErrorCode::ConnectionWriteTimeout => "the body was not taken in time",
        ErrorCode::ConnectionLimitReached => "too many connections are open",
        ErrorCode::TlsCertificateError => "the host's certificate is not valid",
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => "the host does not speak TLS as it should",
        ErrorCode::HttpResponseIncomplete => "the answer ended too early",
        ErrorCode::HttpProtocolError => "the answer is no HTTP",
        ErrorCode::HttpRequestBodySize(_) => "the body is larger than may be sent, or not of the length that content-length says",
        ErrorCode::HttpResponseBodySize(_) => "the answer's body is larger than may be received",
        ErrorCode::LoopDetected => "functions call each other without end",
        other => return format!("{other:?}"),
    };
    text.to_owned()
}
