//! From notes to views: the summary that telemetry keeps, and the whole journal that replay reads.

use types::{
    Code, Elapsed, Outcome,
    journal::{Entry, Journal, LogLine, Operation, Reply},
    kv::{Committed, Write},
    limits,
    record::{Refusal, Span},
};

use super::{Note, Writer, headers_of};

/// Spans, logs and refusals of one invocation, in order.
pub(crate) struct Views {
    pub(crate) spans: Vec<Span>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) refusals: Vec<Refusal>,
}

/// Folds the notes into what every view shows. A call that was never answered lasts until `end`.
pub(crate) fn views(writer: &Writer, end: Elapsed) -> Views {
    let mut views = Views { spans: Vec::new(), logs: Vec::new(), refusals: Vec::new() };
    for note in &writer.notes {
        let Note::Entry(entry) = note else { continue };
        match entry {
            Entry::Call { at, operation, .. } => views.spans.push(Span {
                name: name(operation),
                result: "unanswered".into(),
                at: *at,
                duration: end.less(*at),
                failed: false,
            }),
            // Calls are numbered from 0 in the order in which they were noted, so a call's number is its span's place.
            Entry::Return { id, at, reply } => {
                if let Some(span) = views.spans.get_mut(id.0 as usize) {
                    span.duration = at.less(span.at);
                    span.result = result(reply);
                    span.failed = matches!(reply, Reply::Failed(_));
                }
            }
            Entry::Log(line) => views.logs.push(line.clone()),
            Entry::Refused { at, code, message } => {
                views.refusals.push(Refusal { at: *at, code: *code, message: message.clone() });
            }
            Entry::GrowDenied { at, wanted, allowed } => views.refusals.push(Refusal {
                at: *at,
                code: Code::E0503,
                message: format!("memory was not grown: {wanted} bytes, allowed {allowed}"),
            }),
            Entry::Answer(_) | Entry::Respond { .. } => {}
        }
    }
    if writer.cut.is_some() {
        let message = format!(
            "the record was cut at {} or {} entries: a replay stops there",
            limits::JOURNAL_BYTES,
            limits::JOURNAL_RECORDS
        );
        views.refusals.push(Refusal { at: end, code: Code::E0802, message });
    }
    if writer.counts.dropped_spans > 0 {
        let message = format!("{} calls past {} are counted and not shown", writer.counts.dropped_spans, limits::JOURNAL_RECORDS);
        views.refusals.push(Refusal { at: end, code: Code::E0802, message });
    }
    if writer.counts.dropped_logs > 0 {
        let message = format!("{} log lines were dropped past {}", writer.counts.dropped_logs, limits::LOG_TOTAL);
        views.refusals.push(Refusal { at: end, code: Code::E0507, message });
    }
    views
}

/// The journal's entries as replay reads them: all, or those before the cut.
pub(crate) fn entries(mut notes: Vec<Note>, cut: Option<usize>) -> Vec<Entry> {
    notes.truncate(cut.unwrap_or(usize::MAX));
    let entry = |note| match note {
        Note::Entry(entry) => entry,
        Note::Respond { at, status, headers } => Entry::Respond { at, status: status.as_u16(), headers: headers_of(&headers) },
    };
    notes.into_iter().map(entry).collect()
}

/// Whether an outcome is one whose journal `record = "errors"` keeps: what a caller did wrong is no failure of the function.
pub(crate) fn is_failure(outcome: &Outcome) -> bool {
    let gone = matches!(outcome, Outcome::Failed { code: Code::E0511 | Code::E0505 | Code::E0405 | Code::E0407, .. });
    outcome.is_error() && !gone
}

/// Header names whose values are never shown.
const HIDDEN: [&str; 6] = ["authorization", "cookie", "set-cookie", "x-api-key", "proxy-authorization", "proxy-authenticate"];

/// The journal as it may be shown: values of secret headers replaced by their length.
#[must_use]
pub fn redacted(mut journal: Journal) -> Journal {
    let hide = |headers: &mut types::journal::Headers| {
        for (_, value) in headers.iter_mut().filter(|(name, _)| HIDDEN.contains(&name.as_str())) {
            *value = format!("[{} bytes hidden]", value.len()).into();
        }
    };
    hide(&mut journal.invoke.request.headers);
    for entry in &mut journal.entries {
        match entry {
            Entry::Call { operation: Operation::Http { request }, .. } => hide(&mut request.headers),
            Entry::Return { reply: Reply::Http { headers, .. }, .. } | Entry::Respond { headers, .. } => hide(headers),
            _ => {}
        }
    }
    journal
}

/// A call in a few words, as the trace shows it: keys are shown, values and queries are not.
pub(crate) fn name(operation: &Operation) -> String {
    let key = |key: &bytes::Bytes| format!("{:?}", String::from_utf8_lossy(key));
    match operation {
        Operation::KvGet { store, key: wanted } => format!("kv.{store} get {}", key(wanted)),
        Operation::KvGetMany { store, keys } => format!("kv.{store} get {} keys", keys.len()),
        Operation::KvList { store, prefix, .. } => format!("kv.{store} list {}", key(prefix)),
        Operation::KvCommit { store, transaction } => match transaction.writes.as_slice() {
            [Write::Put { key: written, .. }] => format!("kv.{store} put {}", key(written)),
            [Write::Delete { key: removed }] => format!("kv.{store} delete {}", key(removed)),
            writes => format!("kv.{store} commit {} writes", writes.len()),
        },
        Operation::Http { request } => {
            let path = request.target.split('?').next().unwrap_or_default();
            format!("{} {}{path}", request.method, request.authority)
        }
    }
}

/// An answer in a word or two.
pub(crate) fn result(reply: &Reply) -> String {
    match reply {
        Reply::KvEntry(None) => "miss".into(),
        Reply::KvEntry(Some(_)) => "hit".into(),
        Reply::KvEntries(found) => format!("{} of {}", found.iter().flatten().count(), found.len()),
        Reply::KvPage(found) => format!("{} keys", found.len()),
        Reply::KvCommitted(Committed::At(_)) => "ok".into(),
        Reply::KvCommitted(Committed::Refused { .. }) => "changed since".into(),
        Reply::Http { status, .. } => status.to_string(),
        Reply::Failed(failure) => failure.code.to_string(),
        Reply::Summary(text) => text.clone(),
    }
}
