//! From notes to views: the summary that telemetry keeps, and the whole journal that replay reads.

use types::{
    Code, Elapsed, Outcome,
    journal::{Entry, Journal, LogLine, Operation, Reply},
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
        let entry = match note {
            Note::Entry(entry) => entry,
            Note::Named { at, name } => {
                views.spans.push(begun(name.clone(), *at, end));
                continue;
            }
            Note::Respond { .. } => continue,
        };
        match entry {
            Entry::Call { at, operation, .. } => views.spans.push(begun(operation.name(), *at, end)),
            // Calls are numbered from 0 in the order in which they were noted, so a call's number is its span's place.
            Entry::Return { id, at, reply } => {
                if let Some(span) = views.spans.get_mut(id.0 as usize) {
                    span.duration = at.less(span.at);
                    span.result = reply.result();
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

fn begun(name: String, at: Elapsed, end: Elapsed) -> Span {
    Span { name, result: "unanswered".into(), at, duration: end.less(at), failed: false }
}

/// The journal's entries as replay reads them: all, or those before the cut.
pub(crate) fn entries(mut notes: Vec<Note>, cut: Option<usize>) -> Vec<Entry> {
    notes.truncate(cut.unwrap_or(usize::MAX));
    let entry = |note| match note {
        Note::Entry(entry) => Some(entry),
        Note::Respond { at, status, headers } => {
            Some(Entry::Respond { at, status: status.as_u16(), headers: headers_of(&headers) })
        }
        // What is not recorded comes after the cut.
        Note::Named { .. } => None,
    };
    notes.into_iter().filter_map(entry).collect()
}

/// Whether an outcome is one whose journal `record = "errors"` keeps: what a caller did wrong is no failure of the function.
pub(crate) fn is_failure(outcome: &Outcome) -> bool {
    // That another was faster, or had the events by then, is none of the function's either.
    let innocent = [Code::E0511, Code::E0505, Code::E0405, Code::E0407, Code::E0517];
    outcome.is_error() && !matches!(outcome, Outcome::Failed { code, .. } if innocent.contains(code))
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
