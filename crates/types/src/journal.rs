//! The journal: the ordered record of one invocation. Trace, logs, bill and replay are views of it.
//!
//! A guest of WASI 0.2 is one thread that asks its host one thing at a time, so its whole world is the sequence of answers. Two
//! kinds of entry hold that sequence: [`Entry::Call`] and [`Entry::Return`] for calls of a service (they are the spans of the
//! trace), and [`Entry::Answer`] for what the host itself decides: times, which pollables are ready, how many bytes a read gives.
//! Entries of the first kind, logs and the end are kept for every invocation; answers and bodies only where it is recorded.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    app::{Grant, Limits},
    event::CloudEvent,
    id::{AppName, Digest, EnvName, FunctionName, InvocationId},
    invocation::Outcome,
    kv,
    object::{ByteRange, ObjectAttributes, ObjectCondition, ObjectInfo, ObjectPage, ObjectQuery, VersionId},
    problem::Code,
    queue::{Enqueued, Message},
    revision::RevisionNumber,
    sql::{Rows, Statement},
    stream::{Appended, Partition, PartitionStats, Record, Sequence},
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

/// What a function asks of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// One value of a key-value store.
    KvGet {
        /// The store's name as the function knows it.
        store: String,
        /// The key.
        key: Bytes,
    },
    /// Many values at once.
    KvGetMany {
        /// The store's name.
        store: String,
        /// The keys.
        keys: Vec<Bytes>,
    },
    /// A page of keys.
    KvList {
        /// The store's name.
        store: String,
        /// What they begin with.
        prefix: Bytes,
        /// The key after which the page begins.
        after: Option<Bytes>,
        /// The most keys wanted.
        limit: u32,
    },
    /// A transaction.
    KvCommit {
        /// The store's name.
        store: String,
        /// What is asked.
        transaction: kv::Transaction,
    },
    /// An outbound HTTP request. Its body is not part of the comparison until the guest has sent it.
    Http {
        /// The request's head.
        request: RequestHead,
    },
    /// Messages for a queue: all of them or none.
    QueueSend {
        /// The queue's name as the function knows it.
        queue: String,
        /// What is sent.
        messages: Vec<Message>,
    },
    /// A call of a stream.
    Stream {
        /// The stream's name.
        stream: String,
        /// Which call.
        call: StreamCall,
    },
    /// A call of a database.
    Sql {
        /// The database's name.
        database: String,
        /// The number of the connection within its invocation, from 0.
        connection: u32,
        /// Which call.
        call: SqlCall,
    },
    /// A call of a bucket. Bodies are no part of it: those that are read follow as answers to reads.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// Which call.
        call: BucketCall,
    },
    /// Events for a bus: all of them or none.
    Publish {
        /// The bus's name.
        bus: String,
        /// The events.
        events: Vec<CloudEvent>,
    },
    /// The newest value of a secret.
    Secret {
        /// Its name.
        name: String,
    },
}

/// A call of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StreamCall {
    /// Appends records.
    Append {
        /// The records.
        records: Vec<Record>,
        /// The partition's next sequence, where the caller depends on it.
        expect: Option<Sequence>,
    },
    /// Reads records.
    Read {
        /// From where.
        partition: Partition,
        /// The first that is wanted.
        from: Sequence,
        /// The most that are wanted.
        max: u32,
        /// How long the first may be waited for.
        wait: Elapsed,
    },
    /// Asks how the partitions are doing.
    Stats,
}

/// A call of a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SqlCall {
    /// Opens a connection.
    Connect,
    /// Runs a statement.
    Run(Statement),
    /// Runs statements as one transaction.
    Batch(Vec<Statement>),
}

/// A call of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BucketCall {
    /// Looks at an object.
    Head {
        /// Its key.
        key: String,
        /// Its version; the newest if none.
        version: Option<VersionId>,
    },
    /// Reads an object.
    Get {
        /// Its key.
        key: String,
        /// Its version; the newest if none.
        version: Option<VersionId>,
        /// Which bytes; all if none.
        range: Option<ByteRange>,
    },
    /// Writes an object.
    Put {
        /// Its key.
        key: String,
        /// What is said of it.
        attributes: ObjectAttributes,
        /// What must hold.
        condition: ObjectCondition,
    },
    /// Removes an object.
    Delete {
        /// Its key.
        key: String,
        /// The version that goes for ever; none for the object.
        version: Option<VersionId>,
    },
    /// Copies an object within the bucket.
    Copy {
        /// The key that is copied.
        from: String,
        /// Its version; the newest if none.
        version: Option<VersionId>,
        /// The key of the copy.
        key: String,
        /// What replaces that which was said of it.
        attributes: Option<ObjectAttributes>,
        /// What must hold of what is there.
        condition: ObjectCondition,
    },
    /// A page of objects.
    List(ObjectQuery),
    /// When the bucket was made.
    Created,
    /// Makes the bucket if it is not there.
    Create,
}

/// What a service answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// To `KvGet`.
    KvEntry(Option<kv::Entry>),
    /// To `KvGetMany`: one for each key, in order.
    KvEntries(Vec<Option<kv::Entry>>),
    /// To `KvList`.
    KvPage(Vec<kv::Entry>),
    /// To `KvCommit`.
    KvCommitted(kv::Committed),
    /// To `Http`: the response's head. Its body follows as answers to reads.
    Http {
        /// The status.
        status: u16,
        /// The fields.
        headers: Headers,
    },
    /// To any: it failed or was refused.
    Failed(Failure),
    /// To any, where the invocation is not recorded: only that it was answered, and in few words how (`miss`, `200`).
    Summary(String),
    /// To `QueueSend`: one for each message.
    QueueSent(Vec<Enqueued>),
    /// To `StreamCall::Append`: the place of each record.
    StreamAppended(Vec<(Partition, Sequence)>),
    /// To `StreamCall::Read`.
    StreamRecords(Vec<Appended>),
    /// To `StreamCall::Stats`.
    StreamStats(Vec<PartitionStats>),
    /// To `SqlCall::Connect`.
    SqlConnected,
    /// To `SqlCall::Run` and `SqlCall::Batch`: what each statement gave.
    SqlRows {
        /// One for each statement.
        rows: Vec<Rows>,
        /// Whether a transaction is open now.
        in_transaction: bool,
    },
    /// To calls about one object. The body of one that is read follows as answers to reads.
    Object(Option<ObjectInfo>),
    /// To `BucketCall::List`.
    ObjectPage(ObjectPage),
    /// To `BucketCall::Created`.
    BucketCreated(Option<Timestamp>),
    /// To `BucketCall::Create`: whether it is new.
    BucketMade(bool),
    /// To `Publish`.
    Published,
    /// To `Secret`: what may be kept of it, and `None` if it was never set.
    Secret(Option<SecretRef>),
}

/// What a journal keeps of a secret that the function read: enough to tell whether it was another one, and never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRef {
    /// Its version, from 1.
    pub version: u32,
    /// Its length in bytes. A replay gives as many of another kind.
    pub bytes: u32,
    /// A hash of the value under a key of the node that kept the journal.
    pub hash: Digest,
}

impl Operation {
    /// The call in a few words, as the trace shows it: keys are shown; values, statements' parameters and queries are not.
    #[must_use]
    pub fn name(&self) -> String {
        let quoted = |key: &Bytes| format!("{:?}", String::from_utf8_lossy(key));
        match self {
            Self::KvGet { store, key } => format!("kv.{store} get {}", quoted(key)),
            Self::KvGetMany { store, keys } => format!("kv.{store} get {} keys", keys.len()),
            Self::KvList { store, prefix, .. } => format!("kv.{store} list {}", quoted(prefix)),
            Self::KvCommit { store, transaction } => match transaction.writes.as_slice() {
                [kv::Write::Put { key, .. }] => format!("kv.{store} put {}", quoted(key)),
                [kv::Write::Delete { key }] => format!("kv.{store} delete {}", quoted(key)),
                writes => format!("kv.{store} commit {} writes", writes.len()),
            },
            Self::Http { request } => {
                let path = request.target.split('?').next().unwrap_or_default();
                format!("{} {}{path}", request.method, request.authority)
            }
            Self::QueueSend { queue, messages } => format!("queue.{queue} send {}", messages.len()),
            Self::Stream { stream, call } => match call {
                StreamCall::Append { records, .. } => format!("stream.{stream} append {}", records.len()),
                StreamCall::Read { partition, from, .. } => format!("stream.{stream} read {} from {}", partition.0, from.0),
                StreamCall::Stats => format!("stream.{stream} stats"),
            },
            Self::Sql { database, call, .. } => format!("sql.{database} {}", call.name()),
            Self::Bucket { bucket, call } => format!("bucket.{bucket} {}", call.name()),
            Self::Publish { bus, events } => match events.as_slice() {
                [event] => format!("event.{bus} publish {:?}", event.kind),
                events => format!("event.{bus} publish {} events", events.len()),
            },
            Self::Secret { name } => format!("secret.{name} get"),
        }
    }
}

/// So much of a statement is shown: the verb and the table, mostly.
const STATEMENT_SHOWN: usize = 60;

impl SqlCall {
    fn name(&self) -> String {
        match self {
            Self::Connect => "connect".into(),
            Self::Run(statement) => shown(&statement.text),
            Self::Batch(statements) => format!("batch of {}", statements.len()),
        }
    }
}

/// A statement on one line, without its literals: what an app did not pass as a parameter is not shown for that.
fn shown(text: &str) -> String {
    let mut line = String::new();
    let mut inside = None;
    for c in text.chars() {
        match inside {
            Some(quote) if c == quote => inside = None,
            Some(_) => continue,
            None if c == '\'' => {
                inside = Some(c);
                line.push_str("'…'");
            }
            None if c.is_whitespace() => {
                if !line.ends_with(' ') && !line.is_empty() {
                    line.push(' ');
                }
            }
            None => line.push(c),
        }
        if line.chars().count() >= STATEMENT_SHOWN {
            line.push('…');
            break;
        }
    }
    line.trim_end().to_owned()
}

impl BucketCall {
    fn name(&self) -> String {
        match self {
            Self::Head { key, .. } => format!("head {key:?}"),
            Self::Get { key, .. } => format!("get {key:?}"),
            Self::Put { key, .. } => format!("put {key:?}"),
            Self::Delete { key, .. } => format!("delete {key:?}"),
            Self::Copy { from, key, .. } => format!("copy {from:?} to {key:?}"),
            Self::List(query) => format!("list {:?}", query.prefix),
            Self::Created => "look".into(),
            Self::Create => "create".into(),
        }
    }
}

impl Reply {
    /// The answer in a word or two.
    #[must_use]
    pub fn result(&self) -> String {
        match self {
            Self::KvEntry(None) | Self::Object(None) | Self::Secret(None) | Self::BucketCreated(None) => "miss".into(),
            Self::KvEntry(Some(_)) => "hit".into(),
            Self::KvEntries(found) => format!("{} of {}", found.iter().flatten().count(), found.len()),
            Self::KvPage(found) => format!("{} keys", found.len()),
            Self::KvCommitted(kv::Committed::At(_)) => "ok".into(),
            Self::KvCommitted(kv::Committed::Refused { .. }) => "changed since".into(),
            Self::Http { status, .. } => status.to_string(),
            Self::Failed(failure) => failure.code.to_string(),
            Self::Summary(text) => text.clone(),
            Self::StreamRecords(records) => format!("{} records", records.len()),
            Self::SqlRows { rows, .. } => format!("{} rows", rows.iter().map(|rows| rows.rows.len()).sum::<usize>()),
            Self::Object(Some(object)) => format!("{} bytes", object.bytes),
            Self::ObjectPage(page) => format!("{} objects", page.objects.len()),
            Self::Secret(Some(secret)) => format!("version {}", secret.version),
            Self::QueueSent(_)
            | Self::StreamAppended(_)
            | Self::StreamStats(_)
            | Self::SqlConnected
            | Self::BucketCreated(Some(_))
            | Self::BucketMade(_)
            | Self::Published => "ok".into(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_shown_on_one_line_and_without_literals() {
        let run = |text: &str| {
            let call = SqlCall::Run(Statement { text: text.into(), parameters: vec![] });
            Operation::Sql { database: "main".into(), connection: 0, call }.name()
        };
        assert_eq!(run("INSERT INTO t\n  VALUES ('secret', ?)"), "sql.main INSERT INTO t VALUES ('…', ?)");
        assert!(run(&"x".repeat(1_000)).chars().count() < 80);
    }
}
