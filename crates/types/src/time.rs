//! Points in time and spans of it, as integers of nanoseconds.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point that many nanoseconds after 1970.
    #[must_use]
    pub const fn from_unix_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// The point that many milliseconds after 1970.
    #[must_use]
    pub const fn from_unix_ms(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }
    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn unix_ns(self) -> u64 {
        self.0
    }
    /// Whole milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> u64 {
        self.0 / 1_000_000
    }
    /// RFC 3339 in UTC with all nine decimals, so that texts sort as the points do: `2026-11-21T12:01:07.123456789Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let (secs, ns) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let (year, month, day) = civil_from_days(secs / 86_400);
        let (hour, minute, second) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z")
    }
    /// The day in UTC: `2026-11-21`.
    #[must_use]
    pub fn to_day(self) -> String {
        let (year, month, day) = civil_from_days(self.0 / 86_400_000_000_000);
        format!("{year:04}-{month:02}-{day:02}")
    }
    /// The point that much later; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Elapsed) -> Self {
        Self(self.0.saturating_add(span.ns()))
    }
    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Elapsed {
        Elapsed(self.0.saturating_sub(earlier.0))
    }
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar: Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>), which counts in eras of 400 years from the first of March.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// A span of time in nanoseconds. Within an invocation, the time since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Elapsed(u64);

impl Elapsed {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// That many nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// The span in nanoseconds.
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }
    /// The span in milliseconds, with fraction, for printing.
    #[must_use]
    pub fn as_ms_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// This span less another; zero if the other is longer.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// Both spans together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<Duration> for Elapsed {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}
impl From<Elapsed> for Duration {
    fn from(span: Elapsed) -> Self {
        Self::from_nanos(span.0)
    }
}
impl fmt::Display for Elapsed {
    /// Three significant digits in the unit that reads best: `840 ns`, `1.30 ms`, `12.0 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0 as f64;
        let (value, unit) = match self.0 {
            0..1_000 => return f.pad(&format!("{} ns", self.0)),
            1_000..1_000_000 => (ns / 1e3, "µs"),
            1_000_000..1_000_000_000 => (ns / 1e6, "ms"),
            _ => (ns / 1e9, "s"),
        };
        let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        f.pad(&format!("{value:.decimals$} {unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_print_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000000Z"),
            (1_795_262_467, "2026-11-21T12:01:07.000000000Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
        ];
        for (secs, printed) in cases {
            let point = Timestamp::from_unix_ms(secs * 1_000);
            assert_eq!(point.to_rfc3339(), printed);
            assert_eq!(point.to_day(), printed[..10]);
        }
    }
}
