//! A trace as a waterfall: invocations with their start, their handler and what it called, nested by the span that caused them.

use std::collections::BTreeMap;

use types::{
    Outcome, PriceSheet, SpanId, Timestamp, Usage,
    record::InvocationRecord,
    wire::view::{self, Span, SpanKind},
};

use crate::requests::{failure, money, short, usage};

/// Invocations nested deeper hang from the deepest that is shown: readers of JSON bound how deep it may nest.
const NESTING_MAX: usize = 16;

/// The trace that these records make; `None` if there are none. All must be of one trace.
#[must_use]
pub fn trace(records: &[InvocationRecord], prices: &PriceSheet) -> Option<view::Trace> {
    let mut records: Vec<_> = records.iter().collect();
    records.sort_by_key(|record| (record.at, record.id));
    let first = *records.first()?;
    let end = records.iter().map(|record| record.at.plus(record.duration)).max().unwrap_or_default();
    let mut sum = Usage::default();
    records.iter().for_each(|record| sum += record.usage);
    Some(view::Trace {
        trace: first.trace.to_string(),
        short: short(first.trace),
        cause: first.cause.clone(),
        status: first.outcome.status(),
        error: records.iter().any(|record| record.outcome.is_error()),
        at: first.at.to_rfc3339(),
        duration_ns: end.since(first.at).ns(),
        roots: Tree::of(&records).roots(first.at),
        log_lines: records.iter().map(|record| record.logs.len() as u64).sum(),
        usage: usage(&sum),
        cost: money(&sum, prices),
        replayable: records.iter().filter(|record| record.journal_kept).map(|record| record.id.to_string()).collect(),
    })
}

/// Records by the span that caused them.
struct Tree<'a> {
    roots: Vec<&'a InvocationRecord>,
    children: BTreeMap<SpanId, Vec<&'a InvocationRecord>>,
}

impl<'a> Tree<'a> {
    fn of(records: &[&'a InvocationRecord]) -> Self {
        let mut tree = Self { roots: Vec::new(), children: BTreeMap::new() };
        let mut seen: Vec<SpanId> = Vec::new();
        for &record in records {
            // A cause comes before what it causes. What claims a later one, or itself, as its cause stands alone, so there are no circles.
            match record.parent.filter(|parent| seen.contains(parent)) {
                Some(parent) => tree.children.entry(parent).or_default().push(record),
                None => tree.roots.push(record),
            }
            seen.push(record.span);
        }
        tree
    }

    fn roots(&self, begin: Timestamp) -> Vec<Span> {
        self.roots.iter().map(|record| self.invocation(record, begin, 1)).collect()
    }

    fn invocation(&self, record: &InvocationRecord, begin: Timestamp, depth: usize) -> Span {
        let offset = record.at.since(begin);
        let started = record.start.total().ns().min(record.duration.ns());
        let start = Span {
            kind: SpanKind::Start,
            name: format!("start ({})", record.start.class.describe()),
            result: String::new(),
            failed: false,
            offset_ns: offset.ns(),
            duration_ns: started,
            invocation: None,
            failure: None,
            children: phases(record, offset.ns()),
        };
        let handler = Span {
            kind: SpanKind::Handler,
            name: format!("{} handler", record.function),
            // Why it failed: the status alone may be that of an answer that had begun.
            result: match &record.outcome {
                Outcome::Failed { code, .. } => format!("{code} {}", code.title()),
                Outcome::Answered { .. } => String::new(),
            },
            failed: record.outcome.is_error(),
            offset_ns: offset.ns() + started,
            duration_ns: record.duration.ns() - started,
            invocation: None,
            failure: failure(&record.outcome),
            children: self.within(record, begin, depth),
        };
        Span {
            kind: SpanKind::Invocation,
            name: match record.delivery.attempt {
                0 | 1 => format!("{} {}", record.function, record.cause),
                attempt => format!("{} {} (delivery {attempt})", record.function, record.cause),
            },
            result: record.outcome.status().to_string(),
            failed: record.outcome.is_error(),
            offset_ns: offset.ns(),
            duration_ns: record.duration.ns(),
            invocation: Some(record.id.to_string()),
            failure: None,
            children: vec![start, handler],
        }
    }

    /// Calls of services and the invocations that this one caused, in order of time.
    fn within(&self, record: &InvocationRecord, begin: Timestamp, depth: usize) -> Vec<Span> {
        let offset = record.at.since(begin);
        let call = |call: &types::record::Span| Span {
            kind: SpanKind::Call,
            name: call.name.clone(),
            result: call.result.clone(),
            failed: call.failed,
            offset_ns: offset.plus(call.at).ns(),
            duration_ns: call.duration.ns(),
            invocation: None,
            failure: None,
            children: Vec::new(),
        };
        let mut spans: Vec<_> = record.spans.iter().map(call).collect();
        let mut caused: Vec<_> = self.caused_by(record).collect();
        if depth >= NESTING_MAX {
            // Everything below hangs here, each without what it caused in turn.
            let mut at = 0;
            while let Some(record) = caused.get(at).copied() {
                caused.extend(self.caused_by(record));
                spans.push(Span { children: Vec::new(), ..Tree::of(&[]).invocation(record, begin, depth) });
                at += 1;
            }
        } else {
            spans.extend(caused.into_iter().map(|record| self.invocation(record, begin, depth + 1)));
        }
        spans.sort_by_key(|span| span.offset_ns);
        spans
    }

    fn caused_by(&self, record: &InvocationRecord) -> impl Iterator<Item = &'a InvocationRecord> {
        self.children.get(&record.span).into_iter().flatten().copied()
    }
}

/// The parts of a start that took any time, where there is more than one.
fn phases(record: &InvocationRecord, offset_ns: u64) -> Vec<Span> {
    let start = &record.start;
    let mut at = offset_ns;
    let mut spans = Vec::new();
    for (name, part) in [("queued", start.queued), ("loaded", start.loaded), ("instantiated", start.instantiated)] {
        if part.ns() > 0 {
            spans.push(Span {
                kind: SpanKind::Start,
                name: name.into(),
                result: String::new(),
                failed: false,
                offset_ns: at,
                duration_ns: part.ns(),
                invocation: None,
                failure: None,
                children: Vec::new(),
            });
        }
        at += part.ns();
    }
    if spans.len() > 1 { spans } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use testkit::suite::telemetry::{
        BEGINNING,
        records::{Chance, record},
    };
    use types::{Elapsed, TraceId};

    use super::*;

    fn chain(count: u8) -> Vec<InvocationRecord> {
        let span = |i: u8| SpanId::from_bytes([i + 1; 8]);
        let mut chance = Chance::new(1);
        let mut make = |i: u8| InvocationRecord {
            trace: TraceId::from_bytes([9; 16]).expect("not zero"),
            span: span(i).expect("not zero"),
            parent: i.checked_sub(1).and_then(span),
            ..record(&mut chance, BEGINNING.plus(Elapsed::from_ns(u64::from(i) * 1_000)))
        };
        (0..count).map(&mut make).collect()
    }

    fn count(spans: &[Span]) -> usize {
        spans.iter().map(|span| usize::from(span.kind == SpanKind::Invocation) + count(&span.children)).sum()
    }

    fn depth(spans: &[Span]) -> usize {
        spans.iter().map(|span| 1 + depth(&span.children)).max().unwrap_or(0)
    }

    #[test]
    fn invocations_nest_under_the_handler_of_their_cause() {
        let mut records = chain(3);
        records.reverse();
        let trace = trace(&records, &PriceSheet::default()).expect("a trace");
        assert_eq!((trace.roots.len(), count(&trace.roots)), (1, 3));
        let handler = &trace.roots[0].children[1];
        assert_eq!(handler.kind, SpanKind::Handler);
        assert!(handler.children.iter().any(|span| span.invocation == Some(records[1].id.to_string())));
        assert_eq!(trace.usage.requests, 3);
    }

    #[test]
    fn a_missing_or_circular_cause_makes_a_root() {
        let mut records = chain(4);
        records.remove(1);
        records[0].parent = Some(records[2].span);
        let trace = trace(&records, &PriceSheet::default()).expect("a trace");
        assert_eq!((trace.roots.len(), count(&trace.roots)), (2, 3));
        assert!(super::trace(&[], &PriceSheet::default()).is_none());
    }

    #[test]
    fn deep_chains_are_shown_whole_and_not_nested_without_end() {
        let trace = trace(&chain(200), &PriceSheet::default()).expect("a trace");
        assert_eq!(count(&trace.roots), 200);
        assert!(depth(&trace.roots) <= 2 * NESTING_MAX + 2);
        let json = serde_json::to_string(&trace).expect("it encodes");
        assert_eq!(serde_json::from_str::<view::Trace>(&json).expect("it decodes"), trace);
    }
}
