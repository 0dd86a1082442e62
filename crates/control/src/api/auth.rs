//! The token: asked for by every route, and by what is no route, so that nothing can be learned without it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::header::AUTHORIZATION;
use types::{Code, Problem};

use super::reply::Refusal;
use crate::core::Control;

pub(crate) async fn check(State(control): State<Arc<Control>>, request: Request, next: Next) -> Result<Response, Refusal> {
    let sent = request.headers().get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
    if !control.token.admits(sent) {
        let message = if sent.is_some() { "the token is wrong" } else { "the token is missing" };
        let help = "send `authorization: Bearer <token>`; the token of a node lies in the file `token` of its data folder";
        return Err(Problem::new(Code::E0702, message).help(help).into());
    }
    Ok(next.run(request).await)
}
