//! The journal of a running invocation: typed entries in memory, encoded only if they are kept.
//!
//! Calls, logs, refusals and the end are noted for every invocation, since trace, logs and bill are made from them. Answers and full
//! replies are noted only where the invocation is recorded. Nothing is unbounded: past the limits the journal goes on counting, and
//! says that it is incomplete.

pub(crate) mod fold;
pub(crate) mod open;
pub(crate) mod seal;
pub(crate) mod tally;

use http::{HeaderMap, StatusCode};
use types::{
    Elapsed,
    journal::{Answer, CallId, Entry, Headers, LogLine, Operation, Reply},
    limits,
};

use self::tally::{BodyTally, Counts};

/// What is noted, in order. The response's head stays as HTTP has it until the journal is encoded.
#[derive(Debug)]
pub(crate) enum Note {
    Entry(Entry),
    Respond { at: Elapsed, status: StatusCode, headers: HeaderMap },
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Whether answers and full replies are noted.
    pub(crate) detailed: bool,
    pub(crate) notes: Vec<Note>,
    bytes: u64,
    pub(crate) incomplete: bool,
    calls: u32,
    log_bytes: u64,
    pub(crate) counts: Counts,
    pub(crate) body: BodyTally,
    /// When the instance was made.
    pub(crate) instantiated: Option<Elapsed>,
}

impl Writer {
    pub(crate) fn new(detailed: bool) -> Self {
        Self {
            detailed,
            notes: Vec::new(),
            bytes: 0,
            incomplete: false,
            calls: 0,
            log_bytes: 0,
            counts: Counts::default(),
            body: BodyTally::default(),
            instantiated: None,
        }
    }

    /// Notes the beginning of a call and numbers it.
    pub(crate) fn call(&mut self, at: Elapsed, operation: Operation) -> CallId {
        let id = CallId(self.calls);
        self.calls += 1;
        self.counts.call(&operation);
        let bytes = operation_bytes(&operation);
        self.push(Note::Entry(Entry::Call { id, at, operation }), bytes);
        id
    }

    /// Notes the answer to a call.
    pub(crate) fn reply(&mut self, id: CallId, at: Elapsed, reply: Reply) {
        let bytes = reply_bytes(&reply);
        self.push(Note::Entry(Entry::Return { id, at, reply }), bytes);
    }

    /// Notes an answer of the host itself.
    pub(crate) fn answer(&mut self, answer: Answer) {
        if self.detailed {
            let bytes = if let Answer::Read(bytes) = &answer { bytes.len() as u64 } else { 16 };
            self.push(Note::Entry(Entry::Answer(answer)), bytes);
        }
    }

    /// Notes a line of log, cut to the limit of a line; lines past the limit of an invocation are counted and dropped.
    pub(crate) fn log(&mut self, mut line: LogLine) {
        let allowed = limits::LOG_LINE.as_usize();
        if line.text.len() > allowed {
            let end = (0..=allowed).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
            line.text.truncate(end);
        }
        let bytes = (line.text.len() + line.context.len()) as u64;
        if self.log_bytes + bytes > limits::LOG_TOTAL.0 {
            self.counts.dropped_logs += 1;
            return;
        }
        self.log_bytes += bytes;
        self.counts.log_bytes += bytes;
        self.push(Note::Entry(Entry::Log(line)), bytes);
    }

    /// Notes anything else.
    pub(crate) fn note(&mut self, note: Note) {
        self.push(note, 64);
    }

    fn push(&mut self, note: Note, bytes: u64) {
        let bytes = bytes + 32;
        if self.incomplete || self.notes.len() >= limits::JOURNAL_RECORDS || self.bytes + bytes > limits::JOURNAL_BYTES.0 {
            self.incomplete = true;
            return;
        }
        self.bytes += bytes;
        self.notes.push(note);
    }
}

/// Header fields as the journal keeps them.
pub(crate) fn headers_of(map: &HeaderMap) -> Headers {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), bytes::Bytes::copy_from_slice(value.as_bytes()))).collect()
}

/// About as many bytes as the operation holds; exact enough to bound a journal.
fn operation_bytes(operation: &Operation) -> u64 {
    let size = match operation {
        Operation::KvGet { key, .. } => key.len(),
        Operation::KvGetMany { keys, .. } => keys.iter().map(|key| key.len() + 32).sum(),
        Operation::KvList { prefix, after, .. } => prefix.len() + after.as_ref().map_or(0, bytes::Bytes::len),
        Operation::KvCommit { transaction, .. } => {
            let values = transaction.writes.iter().map(|write| match write {
                types::kv::Write::Put { key, value, .. } => key.len() + value.len() + 32,
                types::kv::Write::Delete { key } => key.len() + 32,
            });
            values.sum::<usize>() + transaction.conditions.len() * 64
        }
        Operation::Http { request } => request.target.len() + headers_bytes(&request.headers),
    };
    size as u64
}

fn reply_bytes(reply: &Reply) -> u64 {
    let entry = |entry: &types::kv::Entry| entry.key.len() + entry.value.len() + 32;
    let size = match reply {
        Reply::KvEntry(found) => found.as_ref().map_or(0, entry),
        Reply::KvEntries(found) => found.iter().map(|found| found.as_ref().map_or(8, entry)).sum(),
        Reply::KvPage(found) => found.iter().map(entry).sum(),
        Reply::KvCommitted(_) => 16,
        Reply::Http { headers, .. } => headers_bytes(headers),
        Reply::Failed(failure) => failure.message.len(),
        Reply::Summary(text) => text.len(),
    };
    size as u64
}

fn headers_bytes(headers: &Headers) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
}

#[cfg(test)]
mod tests {
    use types::journal::Level;

    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine { at: Elapsed::ZERO, level: Level::Info, context: "stdout".into(), text: text.into() }
    }

    #[test]
    fn a_journal_stops_at_its_limits_and_says_so() {
        let mut writer = Writer::new(true);
        for _ in 0..=limits::JOURNAL_RECORDS {
            writer.answer(Answer::IsReady(true));
        }
        assert_eq!((writer.notes.len(), writer.incomplete), (limits::JOURNAL_RECORDS, true));
    }

    #[test]
    fn answers_are_not_noted_when_nothing_is_recorded() {
        let mut writer = Writer::new(false);
        writer.answer(Answer::IsReady(true));
        writer.log(line("kept"));
        assert_eq!((writer.notes.len(), writer.incomplete), (1, false));
    }

    #[test]
    fn a_flood_of_logs_is_cut_and_counted() {
        let mut writer = Writer::new(false);
        let long = "ä".repeat(limits::LOG_LINE.as_usize());
        for _ in 0..100 {
            writer.log(line(&long));
        }
        assert!(writer.counts.log_bytes <= limits::LOG_TOTAL.0);
        assert!(writer.counts.dropped_logs > 0);
    }
}
