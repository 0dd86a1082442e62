//! A trace as a waterfall: a tree at the left, durations, and bars that show when each span ran.

use std::fmt::Write as _;

use types::wire::view::{Failure, Span, SpanKind, Trace};

use super::{
    failure,
    text::{count, cut, escaped, size, span},
};

/// Cells that the whole trace takes in the column of bars.
const BAR: u64 = 22;
/// The least and the most characters of the column of names.
const NAMES: std::ops::RangeInclusive<usize> = 36..=72;
/// Eighths of a cell, from one to eight.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

struct Row<'a> {
    name: String,
    span: &'a Span,
}

/// Failures that are shown below a trace.
const FAILURES: usize = 3;

/// The trace as lines, and how functions failed below it.
pub(crate) fn waterfall(trace: &Trace) -> String {
    let mut rows = Vec::new();
    match trace.roots.as_slice() {
        // The title already says what the only root is.
        [only] => push_children(&mut rows, only, ""),
        roots => roots.iter().for_each(|root| push(&mut rows, root, "", "", "")),
    }
    let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0) + 1;
    let names = widest.clamp(*NAMES.start(), *NAMES.end());
    let title = format!("t:{}  {} → {}", escaped(&trace.short), escaped(&trace.cause), trace.status);
    let mut out = format!("{title:<names$} {:>9}\n", span(trace.duration_ns));
    for Row { name, span: row } in rows {
        let (name, bar) = (cut(&name, names), bar(row, trace.duration_ns));
        let line = format!("{name:<names$} {:>9}  {bar}", span(row.duration_ns));
        writeln!(out, "{}", line.trim_end()).expect("a String takes all text");
    }
    let mut failed = Vec::new();
    trace.roots.iter().for_each(|root| find_failed(&mut failed, root));
    for failure in failed.iter().take(FAILURES) {
        failure::lines(failure).iter().for_each(|line| writeln!(out, "{line}").expect("a String takes all text"));
    }
    if failed.len() > FAILURES {
        writeln!(out, "… and {} more failures", failed.len() - FAILURES).expect("a String takes all text");
    }
    out + &footer(trace)
}

/// The failures of a span and of all within it, in the order of the tree.
fn find_failed<'a>(found: &mut Vec<&'a Failure>, span: &'a Span) {
    found.extend(&span.failure);
    span.children.iter().for_each(|child| find_failed(found, child));
}

fn footer(trace: &Trace) -> String {
    let Trace { log_lines, usage, cost, replayable, short, .. } = trace;
    let mut line = format!(
        "logs {} · cpu {} · peak {} · cost {} {}",
        count(*log_lines),
        span(usage.cpu_ns),
        size(usage.memory_peak_bytes),
        escaped(&cost.amount),
        escaped(&cost.currency),
    );
    if !replayable.is_empty() {
        line += &format!(" · replay: dayfly replay {}", escaped(short));
    }
    line + "\n"
}

fn push<'a>(rows: &mut Vec<Row<'a>>, span: &'a Span, before: &str, branch: &str, below: &str) {
    rows.push(Row { name: format!("{before}{branch}{}", name(span)), span });
    // How a start was spent is told by the class in its name; its parts are for readers of the JSON, unless one is worth a look.
    if span.kind != SpanKind::Start || is_slow(span) {
        push_children(rows, span, &format!("{before}{below}"));
    }
}

fn push_children<'a>(rows: &mut Vec<Row<'a>>, span: &'a Span, before: &str) {
    for (i, child) in span.children.iter().enumerate() {
        let (branch, below) = if i + 1 == span.children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        push(rows, child, before, branch, below);
    }
}

/// A start of more than this is worth its parts.
fn is_slow(span: &Span) -> bool {
    const SLOW_NS: u64 = 5_000_000;
    span.duration_ns > SLOW_NS
}

fn name(span: &Span) -> String {
    let mut name = escaped(&span.name);
    if !span.result.is_empty() {
        let is_status = span.result.bytes().all(|b| b.is_ascii_digit());
        name += if is_status { " " } else { "  " };
        name += &escaped(&span.result);
    }
    if span.failed {
        name += "  ✗";
    }
    name
}

/// A bar from the span's beginning to its end, an eighth of a cell at least.
fn bar(span: &Span, whole_ns: u64) -> String {
    let cells = |ns: u64| u128::from(ns) * u128::from(BAR * 8) / u128::from(whole_ns.max(1));
    let eighths = |ns: u64| usize::try_from(cells(ns)).unwrap_or(usize::MAX).min(BAR as usize * 8);
    let first = (eighths(span.offset_ns) / 8).min(BAR as usize - 1);
    let long = eighths(span.duration_ns).clamp(1, (BAR as usize - first) * 8);
    let mut bar = " ".repeat(first) + &"█".repeat(long / 8);
    if !long.is_multiple_of(8) {
        bar.push(EIGHTHS[long % 8 - 1]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_trace_is_a_waterfall() {
        let expected = "\
t:9d02  GET /ada → 200                     143 ms
├─ start (from pool)                       0.4 ms  ▏
└─ api handler                             142 ms  █████████████████████▉
   ├─ kv.cache get \"ada\"  miss             0.1 ms  ▏
   ├─ GET api.github.com/users/ada 200     141 ms  █████████████████████▊
   └─ kv.cache put \"ada\"                   0.2 ms                       ▏
logs 2 · cpu 0.6 ms · peak 3.0 MB · cost 0.0000004 EUR · replay: dayfly replay 9d02
";
        assert_eq!(waterfall(&samples::trace()), expected);
    }

    #[test]
    fn several_roots_failures_and_slow_starts_are_shown() {
        let mut trace = samples::trace();
        trace.roots[0].children[0].duration_ns = 50_000_000;
        trace.roots[0].failed = true;
        trace.roots.push(trace.roots[0].clone());
        trace.replayable.clear();
        let text = waterfall(&trace);
        assert_eq!(text.matches("api GET /ada 200  ✗").count(), 2);
        assert_eq!(text.matches("instantiated").count(), 2);
        assert!(!text.contains("replay"));
    }

    #[test]
    fn how_functions_failed_stands_below_the_tree() {
        let mut trace = samples::trace();
        trace.roots[0].children[1].failure = Some(samples::thrown());
        let text = waterfall(&trace);
        let (_, below) = text.split_once("error[E0519]: TypeError").expect("the failure");
        assert!(below.contains("\n   12 |   return order.total") && below.contains("\nlogs 2"), "{text}");
        trace.roots = vec![trace.roots[0].clone(); 5];
        let text = waterfall(&trace);
        assert_eq!(text.matches("error[E0519]").count(), FAILURES);
        assert!(text.contains("… and 2 more failures"), "{text}");
    }

    #[test]
    fn no_figures_break_a_bar() {
        let mut trace = samples::trace();
        for (whole, offset, duration) in [(0, 0, 0), (1, u64::MAX, u64::MAX), (u64::MAX, u64::MAX, 1), (8, 7, 9)] {
            trace.duration_ns = whole;
            trace.roots[0].children[0].offset_ns = offset;
            trace.roots[0].children[0].duration_ns = duration;
            let bar = bar(&trace.roots[0].children[0], whole);
            assert!((1..=BAR as usize).contains(&bar.chars().count()), "{bar:?}");
        }
    }
}
