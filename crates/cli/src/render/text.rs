//! Times, sizes and texts of guests, in the forms that all views share.

use jiff::{Timestamp, tz::TimeZone};

/// The time of day that an RFC 3339 time has in the zone: `12:01:07`; the text itself, escaped, if it is none.
pub(crate) fn clock(at: &str, zone: &TimeZone) -> String {
    let time = at.parse::<Timestamp>().map(|at| at.to_zoned(zone.clone()));
    time.map_or_else(|_| escaped(at), |time| time.strftime("%H:%M:%S").to_string())
}

/// The same with milliseconds: `12:01:07.123`.
pub(crate) fn clock_ms(at: &str, zone: &TimeZone) -> String {
    let time = at.parse::<Timestamp>().map(|at| at.to_zoned(zone.clone()));
    time.map_or_else(|_| escaped(at), |time| time.strftime("%H:%M:%S%.3f").to_string())
}

/// A span of time in the unit that requests are measured in: `0.04 ms`, `1.3 ms`, `143 ms`, from a second on `2.4 s`.
pub(crate) fn span(ns: u64) -> String {
    let ms = ns as f64 / 1e6;
    match ns {
        0..100_000 => format!("{ms:.2} ms"),
        100_000..99_950_000 => format!("{ms:.1} ms"),
        99_950_000..999_500_000 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}

/// A size in units of a thousand, as people compare them and as a manifest takes them: `640 KB`, `2.1 MB`.
pub(crate) fn size(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} KB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

/// A count with commas: `81,204`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The text with every character that a terminal would obey written out: `\u{1b}`, `\r`. Characters that change the direction of
/// writing are among them, since they can make a line read as another.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(c),
            _ if c.is_control() || is_hidden(c) => out.extend(c.escape_default()),
            _ => out.push(c),
        }
    }
    out
}

/// Marks and controls of direction, and line breaks that `is_control` does not know.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text, cut to so many characters with an ellipsis at its end.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well_at_every_size() {
        let spans = [
            (0, "0.00 ms"),
            (40_000, "0.04 ms"),
            (1_300_000, "1.3 ms"),
            (99_960_000, "100 ms"),
            (999_600_000, "1.0 s"),
            (12_000_000_000, "12.0 s"),
        ];
        for (ns, text) in spans {
            assert_eq!(span(ns), text);
        }
        for (bytes, text) in [(12, "12 B"), (640_000, "640 KB"), (2_100_000, "2.1 MB"), (3_000_000_000, "3.0 GB")] {
            assert_eq!(size(bytes), text);
        }
        for (n, text) in [(0, "0"), (999, "999"), (81_204, "81,204"), (1_000_000, "1,000,000")] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_guest_writes() {
        assert_eq!(escaped("a\tb\x1b[31mred\r\n\u{7f}\u{202e}x späť"), "a\tb\\u{1b}[31mred\\r\\n\\u{7f}\\u{202e}x späť");
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn times_are_told_in_the_zone_and_bad_ones_as_they_are() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(clock("2026-11-21T10:01:07.123456789Z", &zone), "12:01:07");
        assert_eq!(clock_ms("2026-11-21T10:01:07.123456789Z", &zone), "12:01:07.123");
        assert_eq!(clock("\x1b[2J", &zone), "\\u{1b}[2J");
    }
}
