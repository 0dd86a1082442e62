//! Where summaries, logs, usage and journals are kept and searched.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use types::{
    AppName, Elapsed, EnvName, FunctionName, InvocationId, RevisionNumber, Timestamp, TraceId, Usage,
    journal::{Level, LogLine},
    record::InvocationRecord,
};

use crate::{BoxStream, StoreError};

/// Which invocations are wanted. Fields that are `None` don't narrow; a time range is always given, so no search is unbounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this app.
    pub app: Option<AppName>,
    /// Of this environment.
    pub env: Option<EnvName>,
    /// Of this function.
    pub function: Option<FunctionName>,
    /// Of this revision.
    pub revision: Option<RevisionNumber>,
    /// Of this trace.
    pub trace: Option<TraceId>,
    /// Only errors (true) or only successes (false).
    pub error: Option<bool>,
    /// Of this HTTP status.
    pub status: Option<u16>,
    /// At least this slow.
    pub slower_than: Option<Elapsed>,
    /// Log lines: at least this grave.
    pub level: Option<Level>,
    /// Log lines that contain this text; invocations whose cause or outcome contains it.
    pub text: Option<String>,
    /// At or after.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
    /// At most so many, newest first.
    pub limit: usize,
}

/// One line of log with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The invocation that wrote it.
    pub invocation: InvocationId,
    /// Its trace.
    pub trace: TraceId,
    /// Its app.
    pub app: AppName,
    /// Its environment.
    pub env: EnvName,
    /// Its function.
    pub function: FunctionName,
    /// When it was written.
    pub at: Timestamp,
    /// The line.
    pub line: LogLine,
}

/// The usage of one function in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The app.
    pub app: AppName,
    /// The environment.
    pub env: EnvName,
    /// The function.
    pub function: FunctionName,
    /// The hour's start.
    pub hour: Timestamp,
    /// The sum.
    pub usage: Usage,
    /// How many of the invocations were errors.
    pub errors: u64,
}

/// How the telemetry store is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Records written since the start.
    pub written: u64,
    /// Records dropped because the queue was full or the disk was.
    pub dropped: u64,
    /// Blocks that could not be read and were skipped.
    pub damaged: u64,
}

/// A journal as it is stored: sealed, so that only its app's key opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedJournal {
    /// The invocation.
    pub id: InvocationId,
    /// The sealed bytes.
    pub sealed: Bytes,
}

/// The telemetry store. What is recorded can be found a fraction of a second later, survives a crash from then on, and is removed
/// after the retention time.
#[async_trait]
pub trait Telemetry: Send + Sync {
    /// Takes the record and returns at once. A full queue drops it and counts that.
    fn record(&self, record: Arc<InvocationRecord>, journal: Option<SealedJournal>);
    /// Ends when everything recorded before is durable and can be found.
    async fn flush(&self) -> Result<(), StoreError>;
    /// Records as they are made, from now on. A reader that is too slow misses some.
    fn follow(&self) -> BoxStream<Arc<InvocationRecord>>;

    /// Invocations, newest first.
    async fn invocations(&self, filter: Filter) -> Result<Vec<InvocationRecord>, StoreError>;
    /// One invocation.
    async fn invocation(&self, id: InvocationId) -> Result<Option<InvocationRecord>, StoreError>;
    /// Log lines, newest last; the newest `limit` of those that match. The range of time is that of the lines.
    async fn logs(&self, filter: Filter) -> Result<Vec<LogRecord>, StoreError>;
    /// Usage by function and hour, by their names and then by hour. Exact: sums of what was recorded. App, environment, function and time
    /// narrow it, by whole hours; nothing else does, and no limit cuts it, since a part of a bill is no bill.
    async fn usage(&self, filter: Filter) -> Result<Vec<UsageRow>, StoreError>;
    /// A kept journal.
    async fn journal(&self, id: InvocationId) -> Result<Option<SealedJournal>, StoreError>;
    /// How it is doing.
    fn health(&self) -> Health;
    /// Removes what is older than the retention time, which counts whole days in UTC.
    async fn retain(&self, now: Timestamp) -> Result<(), StoreError>;
}
