//! Error answers of the gateway itself: a [`Problem`] as text or JSON, by what the caller accepts. Internals stay out of them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ports::Body;
use types::Problem;

/// The header field with the code, as in the refusals of an invocation.
const ERROR: HeaderName = HeaderName::from_static("x-dayfly-error");

/// The problem as an answer to a request with these header fields.
pub(crate) fn response(problem: &Problem, request: &HeaderMap) -> Response<Body> {
    let (content_type, body) = if accepts_json(request) {
        let json = serde_json::to_vec(problem).unwrap_or_else(|_| problem.code.as_str().into());
        ("application/problem+json", Bytes::from(json))
    } else {
        ("text/plain; charset=utf-8", Bytes::from(problem.render()))
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ERROR, HeaderValue::from_static(problem.code.as_str()));
    response
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let names_json = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("/json") || text.contains("+json"));
    headers.get_all(header::ACCEPT).iter().any(names_json)
}

/// The problem as the raw bytes of an HTTP/1.1 answer, for connections that hyper never serves.
pub(crate) fn raw(problem: &Problem) -> Vec<u8> {
    let body = problem.render();
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n{ERROR}: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
        problem.code.as_str()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Code;

    #[test]
    fn every_refusal_carries_its_code_in_a_header() {
        let problem = Problem::new(Code::E0402, "no route answers to /x");
        assert_eq!(response(&problem, &HeaderMap::new()).headers()["x-dayfly-error"], "E0402");
        let raw = String::from_utf8(raw(&problem)).expect("text");
        assert!(raw.contains("\r\nx-dayfly-error: E0402\r\n"), "{raw}");
    }

    #[test]
    fn callers_get_json_when_they_accept_it_and_text_otherwise() {
        let problem = Problem::new(Code::E0402, "no route answers to /x");
        let mut headers = HeaderMap::new();
        assert_eq!(response(&problem, &headers).headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html, application/json;q=0.9"));
        let answer = response(&problem, &headers);
        assert_eq!(
            (answer.status(), &answer.headers()[header::CONTENT_TYPE]),
            (StatusCode::NOT_FOUND, &HeaderValue::from_static("application/problem+json"))
        );
    }
}
