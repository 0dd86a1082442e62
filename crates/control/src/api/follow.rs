//! Streams that go on: one JSON object a line, until the client closes or the node drains. Their number is bounded.

use std::{convert::Infallible, sync::Arc};

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;
use types::{
    Code, Problem,
    wire::{query::Search, view::Request},
};

use super::reply::{Asked, Refusal};
use crate::core::Control;

/// Invocations from now on, as they end, with their last lines of log: one JSON object a line, until the client closes.
#[utoipa::path(get, path = "/v1/follow", tag = "invocations", params(Search),
    responses((status = 200, body = Request, content_type = "application/x-ndjson")))]
pub(crate) async fn follow(State(control): State<Arc<Control>>, Asked(search): Asked<Search>) -> Result<Response, Refusal> {
    let requests = control.observer.follow_requests(search);
    lines(&control, requests)
}

/// The items as lines of JSON.
///
/// # Errors
/// `E0512` if too many clients follow already.
pub(crate) fn lines<T: Serialize>(control: &Control, items: impl Stream<Item = T> + Send + 'static) -> Result<Response, Refusal> {
    let room = Arc::clone(&control.followers).try_acquire_owned();
    let room = room.map_err(|_| Problem::new(Code::E0512, "too many clients follow this node at once"))?;
    let mut draining = control.draining.subscribe();
    let drained = async move {
        // Ends when the node drains, or with the node.
        let _ = draining.wait_for(|draining| *draining).await;
    };
    let lines = items.take_until(drained).map(move |item| {
        let _held_until_the_stream_ends = &room;
        let mut line = serde_json::to_vec(&item).expect("views have no keys but texts");
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}
