//! Calls of services and their answers: what a journal has of them, and how people see them in a trace.
//!
//! The order of variants and fields is the journals' form: what is new stands at the end.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Failure, Headers, RequestHead};
use crate::{
    event::CloudEvent,
    id::Digest,
    kv,
    object::{ByteRange, ObjectAttributes, ObjectCondition, ObjectInfo, ObjectPage, ObjectQuery, VersionId},
    queue::{Enqueued, Message},
    sql::{Rows, Statement},
    stream::{Appended, Partition, PartitionStats, Record, Sequence},
    time::{Elapsed, Timestamp},
};

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
