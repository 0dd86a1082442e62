//! The journal of a running invocation: typed entries in memory, encoded only if they are kept.
//!
//! Calls, logs, refusals and the end are noted for every invocation, since trace, logs and bill are made from them. Answers and full
//! replies are noted only where the invocation is recorded. Nothing is unbounded, and each kind has its own bound, so that a guest that
//! reads much does not lose the log lines that explain how it ended: past the record's bound the record ends there and is incomplete,
//! while spans, logs and refusals go on to theirs.

pub(crate) mod fold;
pub(crate) mod mask;
pub(crate) mod open;
pub(crate) mod seal;
pub(crate) mod tally;
mod weight;

use http::{HeaderMap, StatusCode};
use types::{
    Elapsed,
    journal::{Answer, CallId, Entry, Headers, LogLine, Operation, Reply},
    limits,
};

use self::{
    mask::Hidden,
    tally::{BodyTally, Counts},
};

/// What is noted, in order. The response's head stays as HTTP has it until the journal is encoded.
#[derive(Debug)]
pub(crate) enum Note {
    Entry(Entry),
    Respond {
        at: Elapsed,
        status: StatusCode,
        headers: HeaderMap,
    },
    /// A call that is not recorded, without what it carried.
    Named {
        at: Elapsed,
        name: String,
    },
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Whether answers and full replies are noted.
    pub(crate) detailed: bool,
    pub(crate) notes: Vec<Note>,
    bytes: u64,
    /// Where the record ends, if it was cut: notes from there on are shown, and are not replayed.
    pub(crate) cut: Option<usize>,
    calls: u32,
    log_bytes: u64,
    others: usize,
    pub(crate) counts: Counts,
    pub(crate) body: BodyTally,
    /// When the instance was made.
    pub(crate) instantiated: Option<Elapsed>,
    /// Values of secrets that the guest has read: they are noted as what a replay gives in their place.
    pub(crate) hidden: Vec<Hidden>,
}

impl Writer {
    pub(crate) fn new(detailed: bool) -> Self {
        Self {
            detailed,
            notes: Vec::new(),
            bytes: 0,
            cut: None,
            calls: 0,
            log_bytes: 0,
            others: 0,
            counts: Counts::default(),
            body: BodyTally::default(),
            instantiated: None,
            hidden: Vec::new(),
        }
    }

    /// Whether what is noted now can be replayed: then it is noted in full.
    pub(crate) fn records(&self) -> bool {
        self.detailed && self.cut.is_none()
    }

    /// Keeps a value out of what is noted from now on.
    pub(crate) fn hide(&mut self, hidden: Option<Hidden>) {
        self.hidden.extend(hidden.filter(|hidden| !self.hidden.contains(hidden)));
    }

    /// Notes the beginning of a call and numbers it. Calls past the bound are counted and not shown.
    pub(crate) fn call(&mut self, at: Elapsed, mut operation: Operation) -> CallId {
        let id = CallId(self.calls);
        self.calls += 1;
        self.counts.call(&operation);
        if !self.hidden.is_empty() {
            mask::mask(&mut operation, &self.hidden);
        }
        let recorded = self.records() && self.fits(weight::operation(&operation));
        if id.0 as usize >= limits::JOURNAL_RECORDS {
            self.counts.dropped_spans += 1;
            return id;
        }
        self.notes.push(match operation {
            operation if recorded => Note::Entry(Entry::Call { id, at, operation }),
            kv @ (Operation::KvGet { .. }
            | Operation::KvGetMany { .. }
            | Operation::KvList { .. }
            | Operation::KvCommit { .. }) => Note::Entry(Entry::Call { id, at, operation: weight::lean(kv) }),
            http @ Operation::Http { .. } => Note::Entry(Entry::Call { id, at, operation: weight::lean(http) }),
            other => Note::Named { at, name: other.name() },
        });
        id
    }

    /// Notes the answer to a call: in full where it is recorded, else in a word or two.
    pub(crate) fn reply(&mut self, id: CallId, at: Elapsed, reply: Reply) {
        self.counts.reply(&reply);
        if id.0 as usize >= limits::JOURNAL_RECORDS {
            return;
        }
        let recorded = self.records() && self.fits(weight::reply(&reply));
        let reply = if recorded || matches!(reply, Reply::Failed(_)) { reply } else { Reply::Summary(reply.result()) };
        self.notes.push(Note::Entry(Entry::Return { id, at, reply }));
    }

    /// Notes an answer of the host itself.
    pub(crate) fn answer(&mut self, answer: Answer) {
        let bytes = if let Answer::Read(bytes) = &answer { bytes.len() as u64 } else { 16 };
        if self.records() && self.fits(bytes) {
            self.notes.push(Note::Entry(Entry::Answer(answer)));
        }
    }

    /// Notes a line of log, cut to the limit of a line; lines past the limit of an invocation are counted and dropped.
    pub(crate) fn log(&mut self, mut line: LogLine) {
        let allowed = limits::LOG_LINE.as_usize();
        if line.text.len() > allowed {
            let end = (0..=allowed).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
            line.text.truncate(end);
        }
        let text = (line.text.len() + line.context.len()) as u64;
        // A line costs memory beside its text: without that, empty lines would be free and without number.
        let bytes = text + size_of::<Note>() as u64;
        if self.log_bytes + bytes > limits::LOG_TOTAL.0 {
            self.counts.dropped_logs += 1;
            return;
        }
        self.log_bytes += bytes;
        self.counts.log_bytes += text;
        self.notes.push(Note::Entry(Entry::Log(line)));
    }

    /// Notes anything else: refusals, denied growth, the response's head.
    pub(crate) fn note(&mut self, note: Note) {
        self.others += 1;
        if self.others <= limits::JOURNAL_RECORDS {
            self.notes.push(note);
        }
    }

    /// Whether so many bytes more fit into the record. If not, the record ends here.
    fn fits(&mut self, bytes: u64) -> bool {
        let bytes = bytes + 32;
        if self.notes.len() >= limits::JOURNAL_RECORDS || self.bytes + bytes > limits::JOURNAL_BYTES.0 {
            self.cut = Some(self.notes.len());
            return false;
        }
        self.bytes += bytes;
        true
    }
}

/// Header fields as the journal keeps them.
pub(crate) fn headers_of(map: &HeaderMap) -> Headers {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), bytes::Bytes::copy_from_slice(value.as_bytes()))).collect()
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
        assert_eq!((writer.notes.len(), writer.cut), (limits::JOURNAL_RECORDS, Some(limits::JOURNAL_RECORDS)));
    }

    #[test]
    fn answers_are_not_noted_when_nothing_is_recorded() {
        let mut writer = Writer::new(false);
        writer.answer(Answer::IsReady(true));
        writer.log(line("kept"));
        assert_eq!((writer.notes.len(), writer.cut), (1, None));
    }

    #[test]
    fn a_full_record_goes_on_to_show_logs_spans_and_refusals() {
        let mut writer = Writer::new(true);
        let chunk = bytes::Bytes::from(vec![0; 1 << 20]);
        (0..20).for_each(|_| writer.answer(Answer::Read(chunk.clone())));
        writer.log(line("why it failed"));
        let id = writer.call(Elapsed::ZERO, Operation::KvGet { store: "s".into(), key: chunk.slice(..3) });
        writer.reply(id, Elapsed::ZERO, Reply::KvEntry(None));
        writer.note(Note::Entry(Entry::GrowDenied { at: Elapsed::ZERO, wanted: 2, allowed: 1 }));
        let views = fold::views(&writer, Elapsed::ZERO);
        assert_eq!((views.logs[0].text.as_str(), views.spans[0].result.as_str()), ("why it failed", "miss"));
        assert!(views.refusals.len() == 2, "the denied growth, and that the record was cut: {:?}", views.refusals);
        assert_eq!(fold::entries(writer.notes, writer.cut).len(), 15, "the record has what it holds in full");
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
