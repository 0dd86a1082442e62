//! The JSON in which records are shown: what the control API answers and the command line prints.
//!
//! `observe` makes these from records, `cli` draws them; neither knows the other. Keys are stable: one may be added, none changes
//! its meaning. Units stand in the key (`duration_ns`, `memory_peak_bytes`), times are RFC 3339 in UTC, ids are texts, and money
//! is a decimal text beside its currency, since a JSON number would round it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// The exact decimal amount: `0.000000412`.
    pub amount: String,
    /// The ISO 4217 code of the currency.
    pub currency: String,
}

/// What an invocation used, or many together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Invocations.
    pub requests: u64,
    /// From admission to settlement.
    pub wall_ns: u64,
    /// CPU time.
    pub cpu_ns: u64,
    /// The largest linear memory.
    pub memory_peak_bytes: u64,
    /// Peak memory × wall time in KiB·µs, as a decimal text: sums pass what a JSON number holds.
    pub memory_time_kib_us: String,
    /// Bytes of requests.
    pub in_bytes: u64,
    /// Bytes of responses.
    pub out_bytes: u64,
    /// Calls of key-value stores.
    pub kv_calls: u64,
    /// Outbound HTTP calls.
    pub outbound_calls: u64,
    /// Bytes of outbound calls.
    pub outbound_bytes: u64,
    /// Bytes of log text.
    pub log_bytes: u64,
    /// Messages sent to queues.
    #[serde(default)]
    pub queue: Traffic,
    /// Calls of streams.
    #[serde(default)]
    pub stream: Traffic,
    /// Calls of databases.
    #[serde(default)]
    pub sql: Traffic,
    /// Calls of buckets.
    #[serde(default)]
    pub bucket: Traffic,
    /// Events published.
    #[serde(default)]
    pub event: Traffic,
}

/// Calls of one kind of service, and the bytes that they carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Traffic {
    /// Calls.
    pub calls: u64,
    /// Bytes either way.
    pub bytes: u64,
}

/// How an invocation's start was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Start {
    /// `resident`, `loaded` or `compiled`.
    pub class: String,
    /// Waiting for a permit.
    pub queued_ns: u64,
    /// Getting the code.
    pub loaded_ns: u64,
    /// Making the instance.
    pub instantiated_ns: u64,
    /// All of these.
    pub total_ns: u64,
}

/// Why an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// The error's code: `E0501`.
    pub code: String,
    /// What the code means.
    pub title: String,
    /// What happened: one paragraph.
    pub message: String,
    /// Where in the source, if that is known: the line with its number, and a mark below what is meant.
    #[serde(default)]
    pub source: Vec<String>,
    /// The guest's backtrace, one line a frame; empty if there is none.
    pub backtrace: Vec<String>,
}

/// Something that the guest was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// When, since admission.
    pub offset_ns: u64,
    /// The error's code.
    pub code: String,
    /// What was refused.
    pub message: String,
}

/// A line of log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Log {
    /// When it was written.
    pub at: String,
    /// `trace`, `debug`, `info`, `warn`, `error` or `critical`.
    pub level: String,
    /// The app.
    pub app: String,
    /// Its environment.
    pub env: String,
    /// The function.
    pub function: String,
    /// The invocation that wrote it.
    pub invocation: String,
    /// Its trace.
    pub trace: String,
    /// `stdout`, `stderr`, or the context that the guest gave.
    pub context: String,
    /// The text as the guest wrote it: whoever prints it to a terminal escapes control characters.
    pub text: String,
}

/// One invocation: a row of a list, and the line and the failure block that `up` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// The invocation.
    pub invocation: String,
    /// Its trace.
    pub trace: String,
    /// The short form of the trace that people type: `7f3a`.
    pub short: String,
    /// The app.
    pub app: String,
    /// Its environment.
    pub env: String,
    /// The function.
    pub function: String,
    /// The revision that ran.
    pub revision: u32,
    /// What started it: `GET /ada`.
    pub cause: String,
    /// The status that the caller got.
    pub status: u16,
    /// Whether it counts as an error.
    pub error: bool,
    /// When it was admitted.
    pub at: String,
    /// From admission to settlement.
    pub duration_ns: u64,
    /// How its start was spent.
    pub start: Start,
    /// What it used.
    pub usage: Usage,
    /// What that costs.
    pub cost: Money,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// What it was refused, in order.
    pub refusals: Vec<Refusal>,
    /// How many lines it logged.
    pub log_lines: u64,
    /// Its last lines, oldest first.
    pub logs: Vec<Log>,
    /// Whether it can be replayed.
    pub replayable: bool,
    /// The number of the delivery that it worked off, from 1; 0 for requests.
    #[serde(default)]
    pub attempt: u32,
    /// How many invocations caused one another before it.
    #[serde(default)]
    pub depth: u32,
    /// Traces of further events of its batch.
    #[serde(default)]
    pub links: Vec<String>,
}

/// What a span of a trace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// One invocation, with its start, its handler and what that called beneath it.
    Invocation,
    /// Everything before the guest's code ran.
    Start,
    /// The guest's code.
    Handler,
    /// A call of a service.
    Call,
}

/// One span of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// Its name: `kv.cache get "ada"`.
    pub name: String,
    /// How it ended, in a word or two; may be empty.
    pub result: String,
    /// Whether it failed.
    pub failed: bool,
    /// When it began, since the trace did.
    pub offset_ns: u64,
    /// How long it took.
    pub duration_ns: u64,
    /// The invocation, where this is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation: Option<String>,
    /// How it failed, where this is the handler of an invocation that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What happened within it, in order of time.
    #[schema(no_recursion)]
    pub children: Vec<Span>,
}

/// A whole trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// The trace.
    pub trace: String,
    /// Its short form.
    pub short: String,
    /// What started its first invocation.
    pub cause: String,
    /// The status of its first invocation.
    pub status: u16,
    /// Whether any of its invocations is an error.
    pub error: bool,
    /// When it began.
    pub at: String,
    /// From its beginning to its last end.
    pub duration_ns: u64,
    /// Its invocations that no other of its invocations caused, as trees.
    pub roots: Vec<Span>,
    /// The lines that all its invocations logged.
    pub log_lines: u64,
    /// What all its invocations used.
    pub usage: Usage,
    /// What that costs.
    pub cost: Money,
    /// The invocations that can be replayed, by id, first first.
    pub replayable: Vec<String>,
}

/// What usage is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostBy {
    /// One row for each function.
    #[default]
    Function,
    /// One row for each app and environment.
    App,
    /// One row for each day.
    Day,
    /// The sum alone.
    Total,
}

/// What something cost, by what caused it; decimal amounts in the currency of the whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct CostParts {
    /// For being invoked.
    pub requests: String,
    /// For CPU time.
    pub cpu: String,
    /// For memory.
    pub memory: String,
    /// For bytes in, out and outbound.
    pub transfer: String,
    /// For key-value calls.
    pub kv: String,
    /// For logs.
    pub logs: String,
    /// For queues, streams, databases, buckets and buses.
    #[serde(default)]
    pub services: String,
    /// All together.
    pub total: String,
}

/// One row of a bill. The names that it was not grouped by are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct CostRow {
    /// The app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The day in UTC: `2026-11-21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// What was used.
    pub usage: Usage,
    /// How many of the requests were errors.
    pub errors: u64,
    /// What it cost.
    pub cost: CostParts,
}

/// A bill. Each row's parts are rounded once, after its counts were added; the total is the sum of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bill {
    /// From the beginning of the hour of this point on.
    pub from: String,
    /// Before this point.
    pub until: String,
    /// The ISO 4217 code of the currency.
    pub currency: String,
    /// What the rows are grouped by.
    pub by: CostBy,
    /// The rows, in the order of their names.
    pub rows: Vec<CostRow>,
    /// All rows together.
    pub total: CostRow,
}
