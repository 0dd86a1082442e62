//! What a replay found: the same run, or where it parted from the record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::Failure;

/// The result of replaying one recorded invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayReport {
    /// The invocation that was replayed.
    #[schema(value_type = String)]
    pub invocation: crate::InvocationId,
    /// The artifact that ran: the recorded one, or another that was given instead.
    #[schema(value_type = String)]
    pub artifact: crate::Digest,
    /// Whether the run did what the record says, as far as the record goes.
    pub faithful: bool,
    /// Steps of the record: calls, and answers of the host itself.
    pub steps_recorded: u64,
    /// Steps that the run took.
    pub steps_replayed: u64,
    /// Why the run stopped before the guest's end, if it did.
    pub halt: Option<Halt>,
    /// What differs in the output: one line each; empty if nothing does, or if the run was stopped before its end.
    pub differences: Vec<String>,
    /// How the run ended: `answered 200`, or the failure with the guest's backtrace after it. None if it was stopped.
    pub outcome: Option<String>,
    /// The failure in parts, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The status of the response, if there was one.
    pub status: Option<u16>,
    /// The log lines of the run.
    pub logs: Vec<ReplayedLine>,
    /// Secrets in whose place the run was given something else of the same length, since no record holds them.
    #[serde(default)]
    pub secrets_replaced: Vec<String>,
}

/// Why a replay goes no further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Halt {
    /// The guest asked something else than it did then.
    Diverged {
        /// The step, from 1.
        step: u64,
        /// What the record has there.
        recorded: String,
        /// What the guest did.
        replayed: String,
    },
    /// The record ends here: the run was cut off then.
    EndOfRecord,
    /// The record ends here because the journal was full then (`E0802`): how the run went on is not known.
    Incomplete,
    /// The wanted step was reached.
    Until,
}

/// A log line of a replayed run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedLine {
    /// `info`, `warn` …
    pub level: String,
    /// `stdout`, `stderr`, or the context that the guest gave.
    pub context: String,
    /// The text, control characters as the guest wrote them.
    pub text: String,
}
