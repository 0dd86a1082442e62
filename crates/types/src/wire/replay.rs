//! What a replay found: the same run, or where it parted from the record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The result of replaying one recorded invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayReport {
    /// The invocation that was replayed.
    #[schema(value_type = String)]
    pub invocation: crate::InvocationId,
    /// The artifact that ran: the recorded one, or another that was given instead.
    #[schema(value_type = String)]
    pub artifact: crate::Digest,
    /// Journal entries that were met in order and were the same.
    pub entries_matched: u32,
    /// Journal entries in all.
    pub entries_recorded: u32,
    /// Where the run parted from the record; none if it did not.
    pub divergence: Option<Divergence>,
    /// The status that the replayed run answered or ended with.
    pub status: u16,
    /// How it ended, for people; the guest's backtrace after it.
    pub outcome: String,
    /// The log lines of the replayed run.
    pub logs: Vec<ReplayedLine>,
    /// Whether it was stopped where `--until` said.
    pub stopped: bool,
}

/// Where a replay parted from the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Divergence {
    /// The index of the journal's entry, from 0.
    pub entry: u32,
    /// What the record has there.
    pub recorded: String,
    /// What the run did.
    pub replayed: String,
}

/// A log line of a replayed run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedLine {
    /// `info`, `warn` …
    pub level: String,
    /// The text, control characters as the guest wrote them.
    pub text: String,
}
