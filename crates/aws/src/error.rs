//! How failures are said in the words of S3: codes, statuses, and what clients may do again.

use std::error::Error;

use http::{HeaderMap, HeaderValue, header};
use ports::StoreError;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// Seconds after which a client may try again when the disk is full: room comes from sweeps, which take some time.
const FULL_RETRY: HeaderValue = HeaderValue::from_static("10");

/// A store's failure; `missing` is what it means that something does not exist.
pub(crate) fn of_store(error: StoreError, missing: S3ErrorCode) -> S3Error {
    match error {
        StoreError::Missing(_) => missing.into(),
        StoreError::Changed(_) => s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"),
        StoreError::Conflict(text) => s3_error!(InvalidPart, "{text}"),
        StoreError::Denied(text) => s3_error!(AccessDenied, "{text}"),
        StoreError::TooLarge { what: "key", .. } => S3ErrorCode::KeyTooLongError.into(),
        error @ StoreError::TooLarge { .. } => s3_error!(EntityTooLarge, "{error}"),
        error @ (StoreError::TooMany { .. } | StoreError::Rejected(_)) => s3_error!(InvalidRequest, "{error}"),
        StoreError::Full => full(),
        error => {
            tracing::warn!(%error, "the object store failed");
            s3_error!(InternalError, "{error}")
        }
    }
}

/// A full disk: what clients of S3 wait for and try again.
fn full() -> S3Error {
    let error = s3_error!(SlowDown, "The disk is full. Reads go on; try again once there is room.");
    with_headers(error, HeaderMap::from_iter([(header::RETRY_AFTER, FULL_RETRY)]))
}

/// A body that broke off. The errors of the library below have no types that could be named here, so their words are read.
pub(crate) fn of_body(cause: &(dyn Error + 'static)) -> S3Error {
    let text = cause.to_string();
    let said = |words: &str| text.contains(words);
    if said("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch, "The signature of a chunk or trailer does not match")
    } else if said("Sha256Mismatch") {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        S3Error::with_message(S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()), message)
            .with_status(http::StatusCode::BAD_REQUEST)
    } else if said("nothing came for too long") {
        s3_error!(
            RequestTimeout,
            "Your socket connection to the server was not read from or written to within the timeout period."
        )
    } else if said("FormatError") || said("TooLarge") || said("TooMany") {
        s3_error!(InvalidRequest, "The chunks of the body can't be read")
    } else {
        s3_error!(IncompleteBody, "The request body terminated unexpectedly")
    }
}

/// There is no such part: a code that the library does not know.
pub(crate) fn of_no_part() -> S3Error {
    S3Error::with_message(S3ErrorCode::Custom("InvalidPartNumber".into()), "The requested partnumber is not satisfiable")
        .with_status(http::StatusCode::RANGE_NOT_SATISFIABLE)
}

/// Setting a status in one expression.
trait WithStatus {
    fn with_status(self, status: http::StatusCode) -> Self;
}

impl WithStatus for S3Error {
    fn with_status(mut self, status: http::StatusCode) -> Self {
        self.set_status_code(status);
        self
    }
}

/// An error with header fields beside its document.
pub(crate) fn with_headers(mut error: S3Error, mut headers: HeaderMap) -> S3Error {
    // These replace the one that the library sets.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_a_store_has_the_code_that_clients_act_on() {
        let rows = [
            (StoreError::Missing("x".into()), "NoSuchKey", 404),
            (StoreError::Changed("x".into()), "PreconditionFailed", 412),
            (StoreError::Conflict("x".into()), "InvalidPart", 400),
            (StoreError::Denied("x".into()), "AccessDenied", 403),
            (StoreError::TooLarge { what: "key", measured: 2, allowed: 1 }, "KeyTooLongError", 400),
            (StoreError::TooLarge { what: "value", measured: 2, allowed: 1 }, "EntityTooLarge", 400),
            (StoreError::Full, "SlowDown", 503),
            (StoreError::Ambiguous("x".into()), "InternalError", 500),
            (StoreError::Damaged("x".into()), "InternalError", 500),
        ];
        for (error, code, status) in rows {
            let error = of_store(error, S3ErrorCode::NoSuchKey);
            assert_eq!((error.code().as_str(), error.status_code().map(|s| s.as_u16())), (code, Some(status)));
        }
        let full = of_store(StoreError::Full, S3ErrorCode::NoSuchKey);
        assert!(full.headers().is_some_and(|headers| headers.contains_key("retry-after")));
    }
}
