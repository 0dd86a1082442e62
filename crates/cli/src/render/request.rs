//! One request: the line that `up` prints for each, and the block beneath it for those that fail.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use types::wire::view::{Log, Request, Usage};

use super::{
    failure,
    logs::continued,
    text::{clock, cut, escaped, size, span},
};

/// Characters of a cause that a line shows.
const CAUSE_MAX: usize = 60;
/// Lines of log that a failure block shows.
const LINES: usize = 5;
/// Characters of a line of log that are shown.
const LOG_MAX: usize = 4_000;
/// The context of the line of log that the platform adds for an exception.
const EXCEPTION: &str = "exception";

/// The request in one line, in the time zone of this machine.
pub(crate) fn line(request: &Request) -> String {
    line_in(request, &TimeZone::system())
}

fn line_in(request: &Request, zone: &TimeZone) -> String {
    let Request { function, cause, status, at, duration_ns, start, usage, short, attempt, .. } = request;
    let what = format!("{} {} {} {status}", clock(at, zone), escaped(function), cut(&escaped(cause), CAUSE_MAX));
    format!(
        "{what:<26} {:>8}  start {}  cpu {}  {}{}   t:{}",
        span(*duration_ns),
        span(start.total_ns),
        span(usage.cpu_ns),
        size(usage.memory_peak_bytes),
        more(usage, *attempt),
        escaped(short),
    )
}

/// What not every request has: calls of services, and a delivery after the first.
fn more(usage: &Usage, attempt: u32) -> String {
    let calls =
        [("queue", usage.queue), ("stream", usage.stream), ("sql", usage.sql), ("bucket", usage.bucket), ("event", usage.event)];
    let mut text = String::new();
    for (kind, traffic) in calls.into_iter().filter(|(_, traffic)| traffic.calls > 0) {
        put_part(&mut text, format_args!("{kind} {}", traffic.calls));
    }
    if attempt > 1 {
        put_part(&mut text, format_args!("delivery {attempt}"));
    }
    text
}

fn put_part(text: &mut String, part: std::fmt::Arguments<'_>) {
    write!(text, "  {part}").expect("a String takes all text");
}

/// Why the request failed, what it was refused, what it logged last, and how to replay it; nothing for one that went well.
pub(crate) fn failure(request: &Request) -> String {
    let mut out = String::new();
    if !request.error {
        return out;
    }
    let code = write_head(&mut out, request);
    // The line that tells of the exception again is for those who read logs only.
    let logs: Vec<_> = request.logs.iter().filter(|log| log.context != EXCEPTION).collect();
    let all = request.log_lines.saturating_sub((request.logs.len() - logs.len()) as u64);
    if all > 0 {
        let shown = logs.len().min(LINES);
        put(&mut out, format_args!("  logs, the last {shown} of {all}:"));
        logs[logs.len() - shown..].iter().for_each(|log| put_log(&mut out, log));
    }
    put(&mut out, format_args!("   = trace:   dayfly trace {}", escaped(&request.short)));
    if request.replayable {
        put(&mut out, format_args!("   = replay:  dayfly replay {}", escaped(&request.short)));
    }
    if let Some(code) = code {
        put(&mut out, format_args!("   = why:     dayfly explain {}", escaped(code)));
    }
    out
}

/// What a request that went well logged, below its line: all lines that came with it, and how to see the others.
pub(crate) fn told(request: &Request) -> String {
    let Request { error, logs, log_lines, trace, .. } = request;
    if *error {
        return String::new();
    }
    let mut out = logged(logs);
    let more = log_lines.saturating_sub(logs.len() as u64);
    if more > 0 {
        put(&mut out, format_args!("   = {more} lines before these: dayfly logs --trace {}", escaped(trace)));
    }
    out
}

/// Lines of log, each below the other; but not the one that tells of an exception again.
pub(crate) fn logged(logs: &[Log]) -> String {
    let mut out = String::new();
    logs.iter().filter(|log| log.context != EXCEPTION).for_each(|log| put_log(&mut out, log));
    out
}

/// One line of log. Of a very long one, the beginning: a terminal is no place for the rest, which `dayfly logs` has.
fn put_log(out: &mut String, log: &Log) {
    let text = continued(&cut(&log.text, LOG_MAX), "   |          ");
    put(out, format_args!("   | {:<8} {text}", escaped(&log.level)));
}

/// What failed and what was refused; gives the code that explains it, where one does.
fn write_head<'a>(out: &mut String, request: &'a Request) -> Option<&'a str> {
    let refusals = &request.refusals;
    let code = match (&request.failure, refusals.last()) {
        (Some(failure), _) => {
            failure::lines(failure).iter().for_each(|line| put(out, format_args!("{line}")));
            &failure.code
        }
        // The function answered an error by itself, and the refusal before it is most likely why.
        (None, Some(refusal)) => {
            put(out, format_args!("error[{}]: {}", escaped(&refusal.code), escaped(&refusal.message)));
            &refusal.code
        }
        (None, None) => {
            put(out, format_args!("error: {} answered {}", escaped(&request.function), request.status));
            return None;
        }
    };
    for refusal in refusals {
        put(
            out,
            format_args!("   = refused at {}: {} {}", span(refusal.offset_ns), escaped(&refusal.code), escaped(&refusal.message)),
        );
    }
    Some(code)
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a String takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_request_is_one_line() {
        let line = line_in(&samples::request(), &TimeZone::UTC);
        assert_eq!(line, "12:01:07 api GET /ada 200    1.3 ms  start 0.4 ms  cpu 0.2 ms  2.1 MB   t:7f3a");
        let long = Request { cause: format!("GET /{}\x1b", "x".repeat(200)), ..samples::request() };
        let line = line_in(&long, &TimeZone::UTC);
        assert!(line.contains("xxx… 200") && !line.contains('\x1b'), "{line}");
    }

    #[test]
    fn what_a_request_logged_stands_below_its_line() {
        let mut request = samples::request();
        assert_eq!(told(&request), "");
        request.logs =
            vec![samples::log("stdout", "hello\n"), samples::log("stderr", "a\nb\x1b[2J"), samples::log(EXCEPTION, "no")];
        request.log_lines = 10;
        let expected =
            "   | info     hello\n   | error    a\n   |          b\\u{1b}[2J\n   = 7 lines before these: dayfly logs --trace ";
        assert_eq!(told(&request), format!("{expected}{}\n", request.trace));
        let long = logged(&[samples::log("stdout", &"x".repeat(300_000))]);
        assert!(long.len() < LOG_MAX + 40 && long.ends_with("x…\n"), "{long}");
        assert_eq!(told(&Request { error: true, ..request }), "", "those of a failure stand in its block");
    }

    #[test]
    fn calls_of_services_and_repeated_deliveries_are_shown() {
        let mut request = Request { attempt: 3, ..samples::request() };
        (request.usage.queue.calls, request.usage.sql.calls) = (2, 14);
        let line = line_in(&request, &TimeZone::UTC);
        assert!(line.ends_with("2.1 MB  queue 2  sql 14  delivery 3   t:7f3a"), "{line}");
    }

    #[test]
    fn a_failure_says_why_and_how_to_replay_it() {
        let expected = r"error[E0501]: the function trapped: unreachable code was reached
   |  0: api::handle  src/lib.rs:12
   |  1: api::main\u{1b}[2J
   = refused at 0.4 ms: E0207 api may not reach api.github.com
  logs, the last 2 of 12:
   | info     hello
   | error    panicked at \u{1b}[31msrc/lib.rs:12
   = trace:   dayfly trace 81bc
   = replay:  dayfly replay 81bc
   = why:     dayfly explain E0501
";
        assert_eq!(failure(&samples::failing()), expected);
        assert_eq!(failure(&samples::request()), "");
        let mut thrown = Request { failure: Some(samples::thrown()), ..samples::failing() };
        thrown.logs.push(samples::log(EXCEPTION, "TypeError"));
        thrown.log_lines += 1;
        let text = failure(&thrown);
        assert!(text.contains("logs, the last 2 of 12:") && text.matches("TypeError").count() == 1, "{text}");
        let answered = Request { failure: None, logs: Vec::new(), log_lines: 0, replayable: false, ..samples::failing() };
        assert!(failure(&answered).starts_with("error[E0207]: api may not reach api.github.com\n"));
        let plain = Request { status: 500, refusals: Vec::new(), ..answered };
        assert_eq!(failure(&plain), "error: api answered 500\n   = trace:   dayfly trace 81bc\n");
    }
}
