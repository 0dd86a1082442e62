//! A line of log on a terminal.

use jiff::tz::TimeZone;
use types::wire::view::Log;

use super::text::{clock_ms, escaped};

/// The line with where it came from, in the time zone of this machine.
pub(crate) fn line(log: &Log) -> String {
    line_in(log, &TimeZone::system())
}

fn line_in(log: &Log, zone: &TimeZone) -> String {
    let Log { at, level, function, trace, context, text, .. } = log;
    // What a guest prints is its own; a context is named only where it chose one.
    let context =
        if matches!(context.as_str(), "stdout" | "stderr" | "") { String::new() } else { format!("[{}] ", escaped(context)) };
    let short = trace.get(..4).unwrap_or(trace);
    let before = format!("{} {} {:<8} t:{}  {context}", clock_ms(at, zone), escaped(function), escaped(level), escaped(short));
    before + &continued(text, BELOW)
}

/// What stands before what a guest printed after a line break, so that none of it looks like a line of its own.
const BELOW: &str = "    | ";

/// The text, each of its lines but the first behind `below`.
pub(super) fn continued(text: &str, below: &str) -> String {
    let lines: Vec<String> = text.trim_end_matches('\n').split('\n').map(escaped).collect();
    lines.join(&format!("\n{below}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn nothing_that_a_guest_prints_looks_like_a_line_of_its_own() {
        let line = |context, text| line_in(&samples::log(context, text), &TimeZone::UTC);
        assert_eq!(line("stdout", "hello"), "12:01:07.123 api info     t:7f3a  hello");
        assert_eq!(line("stderr", "a\nb\x1b[2J"), "12:01:07.123 api error    t:7f3a  a\n    | b\\u{1b}[2J");
        assert_eq!(line("stdout", "{\n  a: 1\n}\n"), "12:01:07.123 api info     t:7f3a  {\n    |   a: 1\n    | }");
        assert_eq!(line("stdout", "a\rb"), "12:01:07.123 api info     t:7f3a  a\\rb");
        assert_eq!(line("db", "slow"), "12:01:07.123 api info     t:7f3a  [db] slow");
    }
}
