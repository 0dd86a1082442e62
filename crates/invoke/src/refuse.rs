//! What a caller gets instead of a function's response.

use http::{HeaderValue, Response, StatusCode, header};
use ports::Body;
use types::{Code, InvocationId, Problem, journal::Failure};

/// The response for a failure: the code's status, its title and the id to ask about, and nothing of what went on inside. That stands in its
/// extensions, which no stranger sees.
pub(crate) fn response(failure: Failure, id: InvocationId) -> Response<Body> {
    let mut response = bare(failure.code, id);
    response.extensions_mut().insert(failure);
    response
}

/// The response for a failure of which no more is known than its code.
pub(crate) fn bare(code: Code, id: InvocationId) -> Response<Body> {
    let mut response = Response::new(Body::from(Problem::external(code, Some(&id.to_string()))));
    *response.status_mut() = status(code);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-dayfly-error", HeaderValue::from_static(code.as_str()));
    if matches!(code, Code::E0505 | Code::E0512 | Code::E0409) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The status that a caller sees for a code; what the platform or the function got wrong is never the caller's 4xx.
pub(crate) fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
