//! Journals of single invocations: shown with secrets replaced, or exported whole for a replay elsewhere.

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use types::{
    Code, Problem,
    wire::{
        api::{UNSEALED_HEADER, UNSEALED_VALUE},
        journal::JournalView,
    },
};

use super::{
    records,
    reply::{Answer, Reference, Refusal, answer},
};
use crate::{core::Control, journal};

/// The journal of an invocation, one line an entry, without bodies, values and secret header fields.
#[utoipa::path(get, path = "/v1/invocations/{id}/journal", tag = "invocations",
    params(("id" = String, Path, description = "An id, the beginning of one, or `last`")), responses((status = 200, body = JournalView)))]
pub(crate) async fn journal(State(control): State<Arc<Control>>, Reference(id): Reference) -> Answer<JournalView> {
    let id = records::find(&control, &id).await?.id;
    answer(journal::view(control.journals.shown(id).await?))
}

/// Everything that a replay needs, as one file: the journal in clear, with bodies and header fields, and the component.
#[utoipa::path(get, path = "/v1/invocations/{id}/export", tag = "invocations",
    params(
        ("id" = String, Path, description = "An id, the beginning of one, or `last`"),
        ("dayfly-unsealed" = String, Header, description = "`yes`: the caller knows that the file holds bodies and header fields in clear")
    ),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.dayfly.export")))]
pub(crate) async fn export(
    State(control): State<Arc<Control>>,
    Reference(id): Reference,
    headers: HeaderMap,
) -> Result<([(http::HeaderName, &'static str); 1], Bytes), Refusal> {
    if headers.get(UNSEALED_HEADER).is_none_or(|value| value != UNSEALED_VALUE) {
        let message = "an export holds bodies and header fields in clear, and the request does not say that its sender knows";
        return Err(Problem::new(Code::E0709, message).help(format!("{UNSEALED_HEADER}: {UNSEALED_VALUE}")).into());
    }
    let id = records::find(&control, &id).await?.id;
    let file = control.journals.export(id).await?;
    tracing::info!(%id, "journal exported in clear");
    Ok(([(CONTENT_TYPE, "application/vnd.dayfly.export")], file))
}
