//! What was recorded: requests, traces, logs and bills. The views are `observe`'s; here they get their addresses.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse as _};
use types::wire::{
    query::{Cost, Period, Search},
    view::{Bill, Log, Request, Trace},
};

use super::{
    follow,
    reply::{Answer, Asked, Reference, Refusal, answer},
};
use crate::core::Control;

/// Invocations, newest first, without their logs.
#[utoipa::path(get, path = "/v1/invocations", tag = "invocations", params(Search), responses((status = 200, body = Vec<Request>)))]
pub(crate) async fn invocations(State(control): State<Arc<Control>>, Asked(search): Asked<Search>) -> Answer<Vec<Request>> {
    answer(control.observer.requests(&search).await?)
}

/// One invocation with its last lines of log.
#[utoipa::path(get, path = "/v1/invocations/{id}", tag = "invocations",
    params(("id" = String, Path, description = "An id of an invocation or a trace, the beginning of one, or `last`")),
    responses((status = 200, body = Request)))]
pub(crate) async fn invocation(State(control): State<Arc<Control>>, Reference(name): Reference) -> Answer<Request> {
    answer(control.observer.request(&name).await?)
}

/// A whole trace.
#[utoipa::path(get, path = "/v1/traces/{id}", tag = "invocations",
    params(("id" = String, Path, description = "An id of an invocation or a trace, the beginning of one, or `last`")),
    responses((status = 200, body = Trace)))]
pub(crate) async fn trace(State(control): State<Arc<Control>>, Reference(name): Reference) -> Answer<Trace> {
    answer(control.observer.trace(&name).await?)
}

/// Lines of log, newest last. With `follow`, lines from now on instead: one JSON object a line, until the client closes.
#[utoipa::path(get, path = "/v1/logs", tag = "invocations", params(Search),
    responses((status = 200, body = Vec<Log>, content_type = "application/json")))]
pub(crate) async fn logs(
    State(control): State<Arc<Control>>,
    Asked(search): Asked<Search>,
) -> Result<axum::response::Response, Refusal> {
    if search.follow {
        let lines = control.observer.follow_logs(search);
        return follow::lines(&control, lines);
    }
    Ok(answer(control.observer.logs(&search).await?).into_response())
}

/// What was used in a period, and what that cost.
#[utoipa::path(get, path = "/v1/cost", tag = "invocations", params(Cost), responses((status = 200, body = Bill)))]
pub(crate) async fn cost(State(control): State<Arc<Control>>, Asked(cost): Asked<Cost>) -> Answer<Bill> {
    let Cost { app, env, function, from_ms, until_ms, by } = cost;
    answer(control.observer.bill(&Period { app, env, function, from_ms, until_ms }, by).await?)
}
