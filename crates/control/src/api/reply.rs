//! What handlers take and give: bodies, queries and path parameters that are refused with a [`Problem`], and problems as responses.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use types::{AppName, ByteCount, Code, EnvName, Problem, limits, revision::AppKey};

/// Seconds after which a write that found the disk full may be tried again: as for events and objects.
const FULL_RETRY: http::HeaderValue = http::HeaderValue::from_static("5");

/// A problem as a response: JSON, with the status of its code or the one that HTTP itself names.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: Problem,
    status: StatusCode,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        // Every code has a status between 400 and 599.
        let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { problem, status }
    }
}
impl From<ports::StoreError> for Refusal {
    fn from(error: ports::StoreError) -> Self {
        Problem::from(error).into()
    }
}
impl Refusal {
    pub(crate) fn with_status(problem: Problem, status: StatusCode) -> Self {
        Self { problem, status }
    }
}
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { problem, status } = self;
        if status.is_server_error() {
            tracing::error!(code = %problem.code, message = %problem.message, "a request of the control API failed");
        }
        let is_full = problem.code == Code::E0602;
        let mut response = (status, Json(problem)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        if is_full {
            response.headers_mut().insert(http::header::RETRY_AFTER, FULL_RETRY);
        }
        response
    }
}

/// What a handler of one JSON answer returns.
pub(crate) type Answer<T> = Result<Json<T>, Refusal>;

pub(crate) fn answer<T: Serialize>(value: T) -> Answer<T> {
    Ok(Json(value))
}

fn invalid(what: &str, error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::E0709, format!("{what} is not valid: {error}"))
}

/// A JSON body.
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = collect(request, limits::CONTROL_BODY, Code::E0709).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| invalid("the request body", error))?;
        Ok(Self(value))
    }
}

/// The whole body, if it is not larger than allowed.
pub(crate) async fn collect(request: Request, allowed: ByteCount, code: Code) -> Result<bytes::Bytes, Problem> {
    let too_large = |measured: String| Problem::limit(code, "request body", measured, allowed);
    let length = request.headers().get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if let Some(length) = length.filter(|length| *length > allowed.0) {
        return Err(too_large(ByteCount(length).to_string()));
    }
    match Limited::new(request.into_body(), allowed.as_usize()).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(format!("more than {allowed}"))),
        Err(error) => Err(invalid("the request body", error)),
    }
}

/// A query string. Names that are not known are refused, since a filter that is not applied is a wrong answer.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = Query::try_from_uri(&parts.uri).map_err(|error| invalid("the query", error.body_text()))?;
        Ok(Self(query.0))
    }
}

/// `{app}/{env}` of the path.
pub(crate) struct Key(pub(crate) AppKey);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<(AppName, EnvName)>::from_request_parts(parts, state).await;
        let Path((app, env)) = path.map_err(|error| invalid("the address", error.body_text()))?;
        Ok(Self(AppKey { app, env }))
    }
}

/// The one parameter of the path that names an invocation or a trace: an id, the beginning of one, or `last`.
pub(crate) struct Reference(pub(crate) String);

/// The longest id there is has 36 characters.
const REFERENCE_BYTES_MAX: usize = 64;

impl<S: Send + Sync> FromRequestParts<S> for Reference {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|error| invalid("the address", error.body_text()))?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
        if text.is_empty() || text.len() > REFERENCE_BYTES_MAX || !text.bytes().all(fits) {
            return Err(invalid("the id", format!("{text:?} is not an id, the beginning of one, or `last`")).into());
        }
        Ok(Self(text))
    }
}
