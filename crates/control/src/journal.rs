//! A journal as people read it: one line an entry. Bodies and values are shown as their lengths; what they hold is in the export.

use types::{
    Outcome,
    journal::{Answer, Entry, Headers, Invoke, Journal, LogLine, Operation, Reply},
    kv::Committed,
    wire::journal::{JournalLine, JournalView},
};

/// The journal in lines. Secret header values were replaced before: see `ports::Journals::shown`.
pub(crate) fn view(journal: Journal) -> JournalView {
    let Journal { invoke, entries, incomplete, end } = journal;
    let Invoke { id, app, env, function, revision, artifact, engine, request, at, .. } = invoke;
    let outcome = match end.outcome {
        Outcome::Answered { status } => format!("answered {status}"),
        Outcome::Failed { code, message, .. } => format!("{code} {}", message.lines().next().unwrap_or_default()),
    };
    JournalView {
        invocation: id.to_string(),
        app: app.to_string(),
        env: env.to_string(),
        function: function.to_string(),
        revision: revision.0,
        artifact: artifact.to_string(),
        engine,
        at: at.to_rfc3339(),
        request: format!("{} {}://{}{}", request.method, request.scheme, request.authority, request.target),
        headers: texts(&request.headers),
        entries: entries.into_iter().zip(0..).map(|(entry, index)| line(entry, index)).collect(),
        incomplete,
        outcome,
    }
}

fn texts(headers: &Headers) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect()
}

fn line(entry: Entry, index: u32) -> JournalLine {
    let (at, kind, call, text) = match entry {
        Entry::Call { id, at, operation } => (Some(at), "call", Some(id.0), operation_text(&operation)),
        Entry::Return { id, at, reply } => (Some(at), "return", Some(id.0), reply_text(&reply)),
        Entry::Answer(answer) => (None, "answer", None, answer_text(&answer)),
        Entry::Log(LogLine { at, level, context, text }) => {
            (Some(at), "log", None, format!("{} {context}: {text}", level.as_str()))
        }
        Entry::GrowDenied { at, wanted, allowed } => (Some(at), "denied", None, format!("growth to {wanted}, allowed {allowed}")),
        Entry::Refused { at, code, message } => (Some(at), "refused", None, format!("{code} {message}")),
        Entry::Respond { at, status, headers } => (Some(at), "respond", None, format!("{status} with {}", fields(&headers))),
    };
    JournalLine { index, offset_ns: at.map(|at| at.ns()), kind: kind.to_owned(), call, text }
}

fn fields(headers: &Headers) -> String {
    let named: Vec<String> = texts(headers).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    if named.is_empty() { "no fields".to_owned() } else { named.join("; ") }
}

fn operation_text(operation: &Operation) -> String {
    let text = String::from_utf8_lossy;
    match operation {
        Operation::KvGet { store, key } => format!("kv.{store} get {:?}", text(key)),
        Operation::KvGetMany { store, keys } => format!("kv.{store} get {} keys", keys.len()),
        Operation::KvList { store, prefix, after: _, limit } => format!("kv.{store} list {:?}, at most {limit}", text(prefix)),
        Operation::KvCommit { store, transaction } => {
            format!("kv.{store} commit {} writes under {} conditions", transaction.writes.len(), transaction.conditions.len())
        }
        Operation::Http { request } => {
            let path = request.target.split('?').next().unwrap_or_default();
            format!("{} {}://{}{path} with {}", request.method, request.scheme, request.authority, fields(&request.headers))
        }
        other => other.name(),
    }
}

fn reply_text(reply: &Reply) -> String {
    match reply {
        Reply::KvEntry(None) => "miss".to_owned(),
        Reply::KvEntry(Some(entry)) => format!("{} bytes", entry.value.len()),
        Reply::KvEntries(entries) => format!("{} of {}", entries.iter().flatten().count(), entries.len()),
        Reply::KvPage(entries) => format!("{} entries", entries.len()),
        Reply::KvCommitted(committed) => committed_text(committed),
        Reply::Http { status, headers } => format!("{status} with {}", fields(headers)),
        Reply::Failed(failure) => format!("{} {}", failure.code, failure.message),
        other => other.result(),
    }
}

fn committed_text(committed: &Committed) -> String {
    match committed {
        Committed::At(rev) => format!("committed at {}", rev.0),
        Committed::Refused { condition } => format!("refused: condition {condition} did not hold"),
    }
}

fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Monotonic(ns) => format!("monotonic clock {ns} ns"),
        Answer::Wall(time) => format!("wall clock {}", time.to_rfc3339()),
        Answer::IsReady(ready) => format!("ready: {ready}"),
        Answer::Ready(which) => format!("ready: {which:?}"),
        Answer::Read(bytes) => format!("read {} bytes", bytes.len()),
        Answer::Closed => "end of stream".to_owned(),
        Answer::Broken(why) => format!("stream broken: {why}"),
        Answer::Writable(bytes) => format!("writable: {bytes} bytes"),
        Answer::Arrived(arrived) => format!("response arrived: {arrived}"),
        Answer::Trailers(None) => "no trailers".to_owned(),
        Answer::Trailers(Some(trailers)) => format!("trailers {}", fields(trailers)),
        Answer::NoTrailersYet => "no trailers yet".to_owned(),
    }
}
