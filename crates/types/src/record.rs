//! The summary of an invocation: what the telemetry store keeps of every one, folded from its journal.

use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName, FunctionName, InvocationId},
    invocation::{Outcome, Start},
    journal::LogLine,
    problem::Code,
    revision::RevisionNumber,
    time::{Elapsed, Timestamp},
    trace::{SpanId, TraceContext, TraceId},
    usage::Usage,
};

/// One invocation: times, usage, outcome, spans and log lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvocationRecord {
    /// The invocation.
    pub id: InvocationId,
    /// Its app.
    pub app: AppName,
    /// Its environment.
    pub env: EnvName,
    /// Its function.
    pub function: FunctionName,
    /// The revision it ran.
    pub revision: RevisionNumber,
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Its own span.
    pub span: SpanId,
    /// The span that caused it, if the caller named one.
    pub parent: Option<SpanId>,
    /// `GET /ada`: what started it, in a few words.
    pub cause: String,
    /// When it was admitted.
    pub at: Timestamp,
    /// From admission to settlement.
    pub duration: Elapsed,
    /// How its start was spent.
    pub start: Start,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// Service calls, in the order in which they began.
    pub spans: Vec<Span>,
    /// Log lines, in order.
    pub logs: Vec<LogLine>,
    /// Refusals that the guest met, in order.
    pub refusals: Vec<Refusal>,
    /// Whether a journal was kept that can be replayed.
    pub journal_kept: bool,
    /// How its events were delivered, if events caused it.
    #[serde(default)]
    pub delivery: Delivery,
}

/// How what caused an invocation came to it. All zero for a request from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Delivery {
    /// The number of the delivery, from 1; 0 for requests.
    pub attempt: u32,
    /// How many invocations caused one another before this one.
    pub depth: u32,
    /// Traces of further events of its batch, beside the one that it belongs to.
    pub links: Vec<TraceContext>,
}

/// One service call as the trace shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// `kv.cache get "ada"`, `GET api.github.com/users/ada`: secrets and bodies never stand here.
    pub name: String,
    /// How it was answered, in a word or two: `miss`, `200`.
    pub result: String,
    /// When it began, since admission.
    pub at: Elapsed,
    /// How long it took.
    pub duration: Elapsed,
    /// Whether it failed.
    pub failed: bool,
}

/// Something that was refused while the invocation ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When, since admission.
    pub at: Elapsed,
    /// Which refusal.
    pub code: Code,
    /// What, for people.
    pub message: String,
}
