//! Invoking a function by name, past the route table: the same admission, limits and journal as any request.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Limited};
use ports::{Body, Invocation};
use types::{
    Code, FunctionName, LiveApp, LiveFunction, Problem,
    field::is_platforms,
    limits,
    wire::{
        Base64,
        api::{Invoke, Invoked},
    },
};

use super::reply::{Answer, Input, Key, answer};
use crate::core::{Control, no_app};

/// Runs a function once and gives its whole answer.
#[utoipa::path(post, path = "/v1/apps/{app}/{env}/invoke", tag = "invocations",
    params(("app" = String, Path), ("env" = String, Path)), request_body = Invoke, responses((status = 200, body = Invoked)))]
pub(crate) async fn invoke(State(control): State<Arc<Control>>, Key(key): Key, Input(invoke): Input<Invoke>) -> Answer<Invoked> {
    let live = control.publisher.app(&key).ok_or_else(|| no_app(&key))?;
    let function = named(&live, &invoke.function)?;
    let invocation = invocation(&control, function, invoke)?;
    let begun = invocation.received_ns;
    let response = control.invoker.invoke(invocation).await;
    let mut invoked = whole(response).await?;
    invoked.duration_ns = control.clock.monotonic_ns() - begun;
    answer(invoked)
}

/// The function of that name. The ticket of the first share: an invocation by name is for trying out, not for measuring a canary.
pub(super) fn named(live: &LiveApp, name: &FunctionName) -> Result<Arc<LiveFunction>, Problem> {
    let functions = &live.pick(0).functions;
    functions.get(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = functions.keys().map(FunctionName::as_str).collect();
        Problem::new(Code::E0708, format!("{} has no function {name}: it has {}", live.key, names.join(", ")))
    })
}

fn invocation(control: &Control, function: Arc<LiveFunction>, invoke: Invoke) -> Result<Invocation, Problem> {
    let Invoke { function: _, method, path, headers, body: Base64(body) } = invoke;
    let wrong = |what: &str, error: &dyn std::fmt::Display| Problem::new(Code::E0709, format!("{what} is not valid: {error}"));
    let host = format!("{}.localhost", function.key.app);
    let uri: Uri = format!("http://{host}{path}").parse().map_err(|error| wrong(&format!("path {path:?}"), &error))?;
    if !path.starts_with('/') || path.len() > limits::URI.as_usize() {
        return Err(wrong(&format!("path {path:?}"), &format!("it begins with a slash and has at most {}", limits::URI)));
    }
    if body.len() > limits::REQUEST_BODY.as_usize() {
        return Err(Problem::limit(Code::E0405, "request body", body.len(), limits::REQUEST_BODY));
    }
    let measured = headers.len();
    if measured > limits::HEADER_COUNT {
        return Err(Problem::limit(Code::E0404, "header fields", measured, limits::HEADER_COUNT));
    }
    let mut request = Request::new(Body::from(body));
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|error| wrong(&format!("method {method:?}"), &error))?;
    *request.uri_mut() = uri;
    for (name, value) in headers {
        let field = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&format!("header {name:?}"), &error))?;
        let value = HeaderValue::from_str(&value).map_err(|error| wrong(&format!("the value of header {name:?}"), &error))?;
        if is_platforms(field.as_str()) {
            continue;
        }
        request.headers_mut().append(field, value);
    }
    let host = HeaderValue::from_str(&host).expect("a name is a header's value");
    request.headers_mut().entry(http::header::HOST).or_insert(host);
    Ok(Invocation { function, request, parent: None, received_ns: control.clock.monotonic_ns(), depth: 0, batch: None })
}

/// The response with all of its body, as far as a JSON answer can hold it.
pub(super) async fn whole(response: Response<Body>) -> Result<Invoked, Problem> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, limits::REQUEST_BODY.as_usize()).collect().await.map_err(|error| {
        let message = format!("the function's response broke off or is larger than {}: {error}", limits::REQUEST_BODY);
        Problem::new(Code::E0509, message)
    })?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Invoked {
        invocation: head.headers.get("x-request-id").and_then(|id| id.to_str().ok()?.parse().ok()),
        status: head.status.as_u16(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: Base64(body.to_bytes()),
        duration_ns: 0,
    })
}
