//! The journal: the ordered record of one invocation. Trace, logs, bill and replay are views of it.
//!
//! A guest of WASI 0.2 is one thread that asks its host one thing at a time, so its whole world is the sequence of answers. Two
//! kinds of entry hold that sequence: [`Entry::Call`] and [`Entry::Return`] for calls of a service (they are the spans of the
//! trace), and [`Entry::Answer`] for what the host itself decides: times, which pollables are ready, how many bytes a read gives.
//! Entries of the first kind, logs and the end are kept for every invocation; answers and bodies only where it is recorded.

mod call;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use self::call::{BucketCall, Operation, Reply, SecretRef, SqlCall, StreamCall};
use crate::{
    app::{Grant, Limits},
    id::{AppName, Digest, EnvName, FunctionName, InvocationId},
    invocation::Outcome,
    problem::Code,
    revision::RevisionNumber,
    time::{Elapsed, Timestamp},
    trace::TraceContext,
    usage::Usage,
};

/// A whole journal, as replay reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// What was invoked, with what.
    pub invoke: Invoke,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// Whether entries are missing at the end because a limit was hit: replay then stops there.
    pub incomplete: bool,
    /// How it ended.
    pub end: End,
}

/// The first record: everything that the run depends on beside the answers it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invoke {
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
    /// The artifact it ran.
    pub artifact: Digest,
    /// The engine that ran it: version and settings that change what guests see.
    pub engine: String,
    /// The request's head.
    pub request: RequestHead,
    /// Its place in the trace.
    pub trace: TraceContext,
    /// When it was admitted.
    pub at: Timestamp,
    /// Seeds the guest's random generator.
    pub seed: [u8; 32],
    /// Its bounds.
    pub limits: Limits,
    /// The environment variables it saw, and what its settings answered.
    pub environment: BTreeMap<String, String>,
    /// What it was granted.
    pub uses: Vec<Grant>,
}

/// The head of an HTTP request as the guest sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// The method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, values as bytes, in order.
    pub headers: Headers,
}

/// Header fields in order: names in lower case, values as bytes.
pub type Headers = Vec<(String, Bytes)>;

/// The number of a service call within its invocation, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId(pub u32);

/// One thing that happened. `at` is the time since the invocation was admitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A service call begins.
    Call {
        /// Its number.
        id: CallId,
        /// When.
        at: Elapsed,
        /// What is called.
        operation: Operation,
    },
    /// A service call is answered.
    Return {
        /// The number of its call.
        id: CallId,
        /// When.
        at: Elapsed,
        /// The answer.
        reply: Reply,
    },
    /// The host answers a question of the guest that no service is asked.
    Answer(Answer),
    /// A line of log.
    Log(LogLine),
    /// Memory or a table was not grown because the limit was reached.
    GrowDenied {
        /// When.
        at: Elapsed,
        /// Bytes or elements wanted.
        wanted: u64,
        /// Bytes or elements allowed.
        allowed: u64,
    },
    /// A limit was hit or something was refused that the guest may survive; shown with the request if it fails.
    Refused {
        /// When.
        at: Elapsed,
        /// Which refusal.
        code: Code,
        /// What, for people.
        message: String,
    },
    /// The response's head leaves the guest.
    Respond {
        /// When.
        at: Elapsed,
        /// Its status.
        status: u16,
        /// Its fields.
        headers: Headers,
    },
}

/// Why a service call failed: enough to give the guest the same error again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which failure.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
}

/// An answer that the host itself gives. In replay the recorded one is given again, in the recorded order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// The monotonic clock, in nanoseconds.
    Monotonic(u64),
    /// The wall clock.
    Wall(Timestamp),
    /// Whether one pollable was ready.
    IsReady(bool),
    /// Which of the polled were ready, by index.
    Ready(Vec<u32>),
    /// What a read of a body gave; fewer bytes than asked, or none, are an answer too.
    Read(Bytes),
    /// A read found the end.
    Closed,
    /// A read or write found the stream broken.
    Broken(String),
    /// How many bytes could be written.
    Writable(u64),
    /// Whether an outbound response had arrived.
    Arrived(bool),
    /// Trailers of a body, if it had any.
    Trailers(Option<Headers>),
    /// The trailers had not come yet.
    NoTrailersYet,
}

/// Where a line of log came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `wasi:logging` trace.
    Trace,
    /// `wasi:logging` debug.
    Debug,
    /// `wasi:logging` info, and standard output.
    Info,
    /// `wasi:logging` warn.
    Warn,
    /// `wasi:logging` error, and standard error.
    Error,
    /// `wasi:logging` critical.
    Critical,
}

impl Level {
    /// Every level from least to gravest.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical];
    /// The lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One line of log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, since the invocation was admitted.
    pub at: Elapsed,
    /// How grave.
    pub level: Level,
    /// `stdout`, `stderr`, or the context that the guest gave.
    pub context: String,
    /// The text, without the line break, control characters as the guest wrote them: whoever prints it escapes them.
    pub text: String,
}

/// The last record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Elapsed,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used; calls of other services than key-value stores are not counted here, but are in the entries.
    #[serde(with = "crate::wire::usage")]
    pub usage: Usage,
    /// The response's body, hashed as it left the guest.
    pub response_body: BodyDigest,
}

/// A body's length and digest: enough to tell whether another is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyDigest {
    /// Its length in bytes.
    pub bytes: u64,
    /// The blake3 digest of all of it.
    pub digest: Digest,
    /// Its beginning, for showing a difference.
    pub head: Bytes,
}
