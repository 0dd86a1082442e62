//! Journals of single invocations: shown with secrets replaced, or exported whole for a replay elsewhere.

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use types::{
    Code, Problem,
    wire::{journal::JournalView, query},
};

use super::reply::{Answer, Asked, Reference, Refusal, answer};
use crate::{core::Control, journal};

/// The journal of an invocation, one line an entry, without bodies, values and secret header fields.
#[utoipa::path(get, path = "/v1/invocations/{id}/journal", tag = "invocations",
    params(("id" = String, Path, description = "An id, the beginning of one, or `last`")), responses((status = 200, body = JournalView)))]
pub(crate) async fn journal(State(control): State<Arc<Control>>, Reference(name): Reference) -> Answer<JournalView> {
    let id = control.observer.resolve(&name).await?;
    answer(journal::view(control.journals.shown(id).await?))
}

/// Everything that a replay needs, as one file: the journal in clear, with bodies and header fields, and the component.
#[utoipa::path(get, path = "/v1/invocations/{id}/export", tag = "invocations",
    params(
        ("id" = String, Path, description = "An id, the beginning of one, or `last`"),
        query::Export
    ),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.dayfly.export")))]
pub(crate) async fn export(
    State(control): State<Arc<Control>>,
    Reference(name): Reference,
    Asked(asked): Asked<query::Export>,
) -> Result<([(http::HeaderName, &'static str); 1], Bytes), Refusal> {
    if !asked.unsealed {
        let message = "an export holds bodies and header fields in clear, and the request does not say that its sender knows";
        return Err(Problem::new(Code::E0709, message).help("?unsealed=true").into());
    }
    let id = control.observer.resolve(&name).await?;
    let file = control.journals.export(id).await?;
    tracing::info!(%id, "journal exported in clear");
    Ok(([(CONTENT_TYPE, "application/vnd.dayfly.export")], file))
}
