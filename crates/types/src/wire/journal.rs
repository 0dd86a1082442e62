//! A journal as it is shown: one line of text an entry, lengths in place of bodies and values.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The journal of one invocation, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JournalView {
    /// The invocation.
    pub invocation: String,
    /// The app.
    pub app: String,
    /// Its environment.
    pub env: String,
    /// The function.
    pub function: String,
    /// The revision that ran.
    pub revision: u32,
    /// The artifact that ran.
    pub artifact: String,
    /// The engine that ran it.
    pub engine: String,
    /// When it was admitted: RFC 3339 in UTC.
    pub at: String,
    /// The request's method and URL.
    pub request: String,
    /// The request's header fields in order, secret values replaced.
    pub headers: Vec<(String, String)>,
    /// What happened, in order.
    pub entries: Vec<JournalLine>,
    /// Whether entries are missing at the end because a limit was hit.
    pub incomplete: bool,
    /// How it ended, in a few words.
    pub outcome: String,
}

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JournalLine {
    /// Its place, from 0: what `replay --until` takes.
    pub index: u32,
    /// When, since admission; none for the host's own answers, which are not timed.
    pub offset_ns: Option<u64>,
    /// `call`, `return`, `answer`, `log`, `denied`, `refused` or `respond`.
    pub kind: String,
    /// The number of the service call that it belongs to, if it belongs to one.
    pub call: Option<u32>,
    /// What happened.
    pub text: String,
}
