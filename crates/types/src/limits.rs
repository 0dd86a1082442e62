//! Every limit of the platform: one table, printed by `dayfly limits`. A limit that is hit names itself with what was measured.
//!
//! A limit that a manifest may set has a default and a ceiling; the others are constants of the platform.

use std::time::Duration;

use crate::units::ByteCount;

/// Request bodies that are not streamed by the function, and the most a gateway reads of one.
pub const REQUEST_BODY: ByteCount = ByteCount::mib(6);
/// All names and values of a request's header block.
pub const HEADER_BLOCK: ByteCount = ByteCount::kib(64);
/// Header fields of a request.
pub const HEADER_COUNT: usize = 64;
/// The target of a request: path and query.
pub const URI: ByteCount = ByteCount::kib(8);
/// From the first byte of a request to the end of its header block.
pub const HEADER_TIME: Duration = Duration::from_secs(10);
/// Between two bytes of a request body.
pub const BODY_IDLE_TIME: Duration = Duration::from_secs(10);
/// A kept-alive connection with no request on it.
pub const CONNECTION_IDLE_TIME: Duration = Duration::from_secs(60);
/// Concurrent connections to the gateway.
pub const CONNECTIONS: usize = 10_000;
/// Concurrent HTTP/2 streams of one connection.
pub const HTTP2_STREAMS: u32 = 128;
/// Open requests get this long to finish when the node drains.
pub const DRAIN_TIME: Duration = Duration::from_secs(20);

/// Linear memory of one instance unless the manifest says otherwise.
pub const MEMORY_DEFAULT: ByteCount = ByteCount::mib(128);
/// The most a manifest may give a component: a bulk operation on memory can't be interrupted, so this bounds the overrun.
pub const MEMORY_MAX: ByteCount = ByteCount::mib(1024);
/// Wall time of one HTTP invocation unless the manifest says otherwise.
pub const TIME_DEFAULT: Duration = Duration::from_secs(10);
/// The most wall time a manifest may give.
pub const TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// Concurrent invocations of one function unless the manifest says otherwise.
pub const CONCURRENCY_DEFAULT: u32 = 1_000;
/// The most concurrent invocations a manifest may give one function.
pub const CONCURRENCY_MAX: u32 = 10_000;
/// How long an invocation may wait for a permit before it is turned away.
pub const QUEUE_TIME: Duration = Duration::from_millis(1_000);
/// Instances alive at once on one node: some times what one function gets by default, so that none takes them all.
pub const INSTANCES: u32 = 4_000;
/// Compiled functions kept mapped in memory at once on one node; others are mapped again when called.
pub const RESIDENT_FUNCTIONS: usize = 2_000;

/// A manifest, and each file merged into it.
pub const MANIFEST: ByteCount = ByteCount::mib(1);
/// A component as it is uploaded.
pub const COMPONENT: ByteCount = ByteCount::mib(64);
/// All modules of a script, with the text that they were made from.
pub const SCRIPT: ByteCount = ByteCount::mib(16);
/// One file of a script.
pub const SCRIPT_FILE: ByteCount = ByteCount::mib(4);
/// Modules of a script.
pub const SCRIPT_MODULES: usize = 5_000;
/// An expression that `dayfly eval` runs.
pub const SCRIPT_EVAL: ByteCount = ByteCount::kib(64);
/// CPU time for a script's top-level code.
pub const SCRIPT_LOAD_TIME: Duration = Duration::from_secs(1);
/// CPU time that a script which computes when its time is up gets beside it, so that it can be asked where it is.
pub const SCRIPT_LAST_WORDS_CPU: Duration = Duration::from_millis(5);
/// Wall time in which it may use that.
pub const SCRIPT_LAST_WORDS: Duration = Duration::from_millis(200);
/// Memory of a script after its top-level code: what each request begins with.
pub const SCRIPT_MEMORY: ByteCount = ByteCount::mib(64);
/// Memory images of scripts that one node keeps ready; others are made again from disk when called.
pub const SCRIPT_IMAGES: ByteCount = ByteCount::mib(256);
/// Revisions of an app in one environment that are kept, beside those that are served. What only older ones needed is removed.
pub const REVISIONS: usize = 100;
/// The code of one function inside a component.
pub const FUNCTION_BODY: ByteCount = ByteCount::mib(1);
/// CPU time for compiling one component, in seconds: some times what a large one of other people's toolchains takes on a slow machine.
pub const COMPILE_CPU_SECS: u64 = 120;
/// Address space for compiling one component, above what the engine itself maps.
pub const COMPILE_MEMORY: ByteCount = ByteCount::mib(2048);

/// Outbound HTTP calls of one invocation.
pub const OUTBOUND_CALLS: u32 = 1_000;
/// From the call of an outbound request to its connection.
pub const OUTBOUND_CONNECT_TIME: Duration = Duration::from_secs(10);
/// From the sent request to the first byte of the response, and between bytes of it.
pub const OUTBOUND_IDLE_TIME: Duration = Duration::from_secs(60);
/// Resource handles (streams, requests, fields …) that one invocation may hold.
pub const HANDLES: usize = 1_000;
/// One line of log.
pub const LOG_LINE: ByteCount = ByteCount::kib(256);
/// All log lines of one invocation.
pub const LOG_TOTAL: ByteCount = ByteCount::mib(10);
/// Bytes that one call may ask of the random generator.
pub const RANDOM_CALL: ByteCount = ByteCount::kib(64);
/// Bytes that one `fields` resource of a guest may hold.
pub const GUEST_FIELDS: ByteCount = ByteCount::kib(64);
/// Names and values that one `fields` resource of a guest may hold.
pub const GUEST_FIELD_COUNT: usize = 256;

/// A key of a key-value store.
pub const KV_KEY: ByteCount = ByteCount::kib(1);
/// A value of a key-value store.
pub const KV_VALUE: ByteCount = ByteCount::mib(1);
/// Conditions and operations of one key-value transaction.
pub const KV_TRANSACTION: usize = 1_000;
/// All keys and values of one key-value transaction.
pub const KV_TRANSACTION_BYTES: ByteCount = ByteCount::mib(16);
/// An idempotency key is remembered for this long after its first use.
pub const KV_IDEMPOTENCY_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Changes of one namespace that watchers may still ask for; older ones are compacted.
pub const KV_CHANGES: usize = 10_000;
/// Bytes of keys and values that those changes may hold; older ones are compacted.
pub const KV_CHANGE_BYTES: ByteCount = ByteCount::mib(64);

/// A message of a queue, a record of a stream and an event: body and attributes.
pub const EVENT: ByteCount = ByteCount::mib(1);
/// Messages, records or events of one call.
pub const EVENT_BATCH: usize = 1_000;
/// The most messages or records that one invocation may be given.
pub const BATCH_MAX: u32 = 10_000;
/// Messages in one invocation unless the manifest says otherwise.
pub const BATCH_DEFAULT: u32 = 10;
/// The most time that a batch may wait until it is full.
pub const BATCH_WAIT_MAX: Duration = Duration::from_secs(5 * 60);
/// Deliveries after the first unless the manifest says otherwise.
pub const RETRIES_DEFAULT: u32 = 2;
/// The most deliveries after the first.
pub const RETRIES_MAX: u32 = 100;
/// The longest pause before the first retry; it doubles with each, and the pause is a random part of it.
pub const RETRY_BASE: Duration = Duration::from_millis(500);
/// The longest pause before any retry.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5 * 60);
/// The longest delay of a message.
pub const QUEUE_DELAY: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// A deduplication key is remembered for this long, also after the message is gone.
pub const QUEUE_DEDUP_TIME: Duration = Duration::from_secs(5 * 60);
/// Messages, records and dead letters are kept for this long unless the manifest says otherwise.
pub const RETENTION_TIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Partitions of a stream.
pub const PARTITIONS: u32 = 64;
/// How many invocations may cause one another through events and calls.
pub const CAUSAL_DEPTH: u32 = 32;
/// Messages, records and events that one invocation may send, and effects that one unit may hold.
pub const UNIT_EFFECTS: usize = 10_000;
/// Bytes that the effects of one unit may hold.
pub const UNIT_BYTES: ByteCount = ByteCount::mib(64);
/// A response that waits until the function's effects are committed, and a function's answer to a batch.
pub const HELD_RESPONSE: ByteCount = ByteCount::mib(1);
/// How often an invocation is run again at once because another was faster, before that counts as a failed delivery.
pub const UNIT_CONFLICTS: u32 = 20;
/// A schedule, a filter or a pattern of a trigger.
pub const EXPRESSION: ByteCount = ByteCount::kib(4);
/// Times that a schedule with `missed = "all"` makes up for.
pub const CRON_MISSED: u32 = 1_000;
/// Rows that one SQL statement may give.
pub const SQL_ROWS: usize = 10_000;
/// Bytes that the rows of one SQL statement may hold.
pub const SQL_BYTES: ByteCount = ByteCount::mib(16);
/// The text of one SQL statement.
pub const SQL_STATEMENT: ByteCount = ByteCount::mib(1);
/// Time that one SQL statement may take.
pub const SQL_TIME: Duration = Duration::from_secs(10);
/// SQL statements of one batch.
pub const SQL_BATCH: usize = 1_000;
/// SQL connections that one invocation may hold.
pub const SQL_CONNECTIONS: usize = 8;
/// A secret's value.
pub const SECRET: ByteCount = ByteCount::kib(64);
/// Versions of a secret that are kept.
pub const SECRET_VERSIONS: u32 = 10;
/// Entries of one page of a bucket's listing.
pub const BUCKET_PAGE: usize = 1_000;
/// An object that comes whole; larger ones come in parts.
pub const OBJECT_WHOLE: ByteCount = ByteCount::mib(5 * 1024);
/// An object.
pub const OBJECT: ByteCount = ByteCount::mib(5 * 1024 * 1024);
/// Bytes of an object that a function reads in one call instead of as a stream.
pub const OBJECT_AT_ONCE: ByteCount = ByteCount::mib(16);
/// Parts of an upload.
pub const OBJECT_PARTS: u32 = 10_000;
/// A key of an object.
pub const OBJECT_KEY: ByteCount = ByteCount::kib(1);
/// Names and values that the writer of an object gives it.
pub const OBJECT_METADATA: ByteCount = ByteCount::kib(8);
/// A bucket's settings.
pub const BUCKET_SETTINGS: ByteCount = ByteCount::kib(64);
/// Checksums of an object, names and values.
pub const OBJECT_CHECKSUMS: ByteCount = ByteCount::kib(1);
/// Files of a static site.
pub const SITE_FILES: usize = 20_000;
/// Bytes of all files of a static site.
pub const SITE_BYTES: ByteCount = ByteCount::mib(1024);
/// Migrations of one database.
pub const MIGRATIONS: usize = 1_000;
/// The text of one migration; a deployment's are bounded by the size of its request too.
pub const MIGRATION: ByteCount = ByteCount::mib(1);
/// One file of a static site.
pub const SITE_FILE: ByteCount = ByteCount::mib(64);
/// Files of static sites that one node keeps in memory.
pub const SITE_CACHE: ByteCount = ByteCount::mib(64);

/// Records that one invocation's journal may hold; past this it is kept as incomplete.
pub const JOURNAL_RECORDS: usize = 10_000;
/// Bytes that one invocation's journal may hold; past this it is kept as incomplete.
pub const JOURNAL_BYTES: ByteCount = ByteCount::mib(16);
/// So much of a response's beginning is kept in the journal, for showing a difference.
pub const JOURNAL_INLINE: ByteCount = ByteCount::kib(4);
/// A request body of the control API, other than an artifact.
pub const CONTROL_BODY: ByteCount = ByteCount::mib(16);
/// Telemetry is kept for this many days.
pub const RETENTION_DAYS: u32 = 14;
/// Records waiting to be written by the telemetry store; more are counted and dropped.
pub const TELEMETRY_QUEUE: usize = 65_536;
/// Bytes of logs and journals in those records; past this, records are counted and dropped too.
pub const TELEMETRY_QUEUE_BYTES: ByteCount = ByteCount::mib(256);

/// One row of the printed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The limit's name, as errors print it.
    pub name: &'static str,
    /// What holds when the manifest says nothing.
    pub value: String,
    /// The most that a manifest may set, where it may set it.
    pub max: Option<String>,
    /// The manifest key that sets it, where there is one.
    pub key: Option<&'static str>,
}

fn fixed(name: &'static str, value: impl ToString) -> Row {
    Row { name, value: value.to_string(), max: None, key: None }
}

fn time(duration: Duration) -> String {
    crate::Elapsed::from(duration).to_string()
}

/// The whole table in the order in which it is printed.
#[must_use]
pub fn table() -> Vec<Row> {
    [of_functions(), of_state(), of_records()].concat()
}

/// The words about the time of an invocation that was too long: what it had, and what may be set.
#[must_use]
pub fn time_allowed(allowed: crate::Elapsed) -> String {
    format!("allowed {allowed} (limits.time sets up to {})", time(TIME_MAX))
}

fn set(name: &'static str, value: String, max: String, key: &'static str) -> Row {
    Row { name, value, max: Some(max), key: Some(key) }
}

fn of_functions() -> Vec<Row> {
    vec![
        set("memory", MEMORY_DEFAULT.to_string(), MEMORY_MAX.to_string(), "limits.memory"),
        set("time", time(TIME_DEFAULT), time(TIME_MAX), "limits.time"),
        set("concurrency", CONCURRENCY_DEFAULT.to_string(), CONCURRENCY_MAX.to_string(), "limits.concurrency"),
        fixed("request body", REQUEST_BODY),
        fixed("header block", HEADER_BLOCK),
        fixed("header fields", HEADER_COUNT),
        fixed("request target", URI),
        fixed("header time", time(HEADER_TIME)),
        fixed("body idle time", time(BODY_IDLE_TIME)),
        fixed("connection idle time", time(CONNECTION_IDLE_TIME)),
        fixed("connections", CONNECTIONS),
        fixed("http/2 streams a connection", HTTP2_STREAMS),
        fixed("drain time", time(DRAIN_TIME)),
        fixed("queue time", time(QUEUE_TIME)),
        fixed("instances a node", INSTANCES),
        fixed("resident functions a node", RESIDENT_FUNCTIONS),
        fixed("manifest", MANIFEST),
        fixed("component", COMPONENT),
        fixed("script", SCRIPT),
        fixed("script file", SCRIPT_FILE),
        fixed("script modules", SCRIPT_MODULES),
        fixed("script eval", SCRIPT_EVAL),
        fixed("script load cpu time", time(SCRIPT_LOAD_TIME)),
        fixed("script last words", format!("{} of cpu time within {}", time(SCRIPT_LAST_WORDS_CPU), time(SCRIPT_LAST_WORDS))),
        fixed("script memory", SCRIPT_MEMORY),
        fixed("script images a node", SCRIPT_IMAGES),
        fixed("revisions of an app", REVISIONS),
        fixed("function body", FUNCTION_BODY),
        fixed("compile cpu time", format!("{COMPILE_CPU_SECS} s")),
        fixed("compile memory", COMPILE_MEMORY),
        fixed("outbound calls", OUTBOUND_CALLS),
        fixed("outbound connect time", time(OUTBOUND_CONNECT_TIME)),
        fixed("outbound idle time", time(OUTBOUND_IDLE_TIME)),
        fixed("handles", HANDLES),
        fixed("log line", LOG_LINE),
        fixed("log total", LOG_TOTAL),
        fixed("random bytes a call", RANDOM_CALL),
        fixed("guest fields", GUEST_FIELDS),
        fixed("guest field count", GUEST_FIELD_COUNT),
    ]
}

fn of_state() -> Vec<Row> {
    vec![
        fixed("kv key", KV_KEY),
        fixed("kv value", KV_VALUE),
        fixed("kv transaction", KV_TRANSACTION),
        fixed("kv transaction bytes", KV_TRANSACTION_BYTES),
        fixed("kv idempotency time", time(KV_IDEMPOTENCY_TIME)),
        fixed("kv changes", KV_CHANGES),
        fixed("kv change bytes", KV_CHANGE_BYTES),
        fixed("event", EVENT),
        fixed("events a call", EVENT_BATCH),
        set("batch", BATCH_DEFAULT.to_string(), BATCH_MAX.to_string(), "on.batch"),
        set("batch wait", "0 s".into(), time(BATCH_WAIT_MAX), "on.wait"),
        set("retries", RETRIES_DEFAULT.to_string(), RETRIES_MAX.to_string(), "on.retries"),
        fixed("retry pause", format!("{} to {}", time(RETRY_BASE), time(RETRY_PAUSE_MAX))),
        fixed("queue delay", time(QUEUE_DELAY)),
        fixed("queue dedup time", time(QUEUE_DEDUP_TIME)),
        fixed("event retention", time(RETENTION_TIME)),
        fixed("partitions a stream", PARTITIONS),
        fixed("causal depth", CAUSAL_DEPTH),
        fixed("effects a unit", UNIT_EFFECTS),
        fixed("effect bytes a unit", UNIT_BYTES),
        fixed("held response", HELD_RESPONSE),
        fixed("unit conflicts", UNIT_CONFLICTS),
        fixed("trigger expression", EXPRESSION),
        fixed("missed cron times", CRON_MISSED),
        fixed("sql rows", SQL_ROWS),
        fixed("sql row bytes", SQL_BYTES),
        fixed("sql statement", SQL_STATEMENT),
        fixed("sql time", time(SQL_TIME)),
        fixed("sql statements a batch", SQL_BATCH),
        fixed("sql connections", SQL_CONNECTIONS),
        fixed("secret", SECRET),
        fixed("secret versions", SECRET_VERSIONS),
        fixed("bucket page", BUCKET_PAGE),
        fixed("object whole", OBJECT_WHOLE),
        fixed("object", OBJECT),
        fixed("object at once", OBJECT_AT_ONCE),
        fixed("object parts", OBJECT_PARTS),
        fixed("object key", OBJECT_KEY),
        fixed("object metadata", OBJECT_METADATA),
        fixed("object checksums", OBJECT_CHECKSUMS),
        fixed("bucket settings", BUCKET_SETTINGS),
        fixed("site files", SITE_FILES),
        fixed("site file", SITE_FILE),
        fixed("site cache", SITE_CACHE),
        fixed("site bytes", SITE_BYTES),
        fixed("migrations", MIGRATIONS),
        fixed("migration", MIGRATION),
    ]
}

fn of_records() -> Vec<Row> {
    vec![
        fixed("journal records", JOURNAL_RECORDS),
        fixed("journal bytes", JOURNAL_BYTES),
        fixed("control request body", CONTROL_BODY),
        fixed("retention", format!("{RETENTION_DAYS} d")),
        fixed("telemetry queue", TELEMETRY_QUEUE),
        fixed("telemetry queue bytes", TELEMETRY_QUEUE_BYTES),
    ]
}
