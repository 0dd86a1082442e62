//! When a schedule comes: croner finds the times, jiff knows the zones.
//!
//! Where clocks are put forward, a time that does not exist comes at the first moment after the gap; where they are put back, a time that
//! exists twice comes once, unless the schedule is one of intervals (`*/15 * * * *`), which goes on through both hours.

use std::time::Duration;

use croner::{
    Cron,
    parser::{CronParser, Year},
};
use jiff::{Zoned, tz::TimeZone};
use types::{Elapsed, Timestamp, limits, trigger::Missed};

/// A time that comes up to this late is on time: the node may have been restarted, or busy.
pub(crate) const GRACE: Duration = Duration::from_secs(60);

/// A schedule in its zone.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// One run of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) scheduled: Timestamp,
    /// Times before it that this run stands for.
    pub(crate) missed: u32,
}

impl Timetable {
    pub(crate) fn new(schedule: &str, zone: &str) -> Result<Self, String> {
        let parser = CronParser::builder().year(Year::Disallowed).build();
        let cron = parser.parse(schedule).map_err(|error| error.to_string())?;
        Ok(Self { cron, zone: TimeZone::get(zone).map_err(|error| error.to_string())? })
    }

    fn zoned(&self, at: Timestamp) -> Option<Zoned> {
        let at = jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    /// The first time after a point; `None` if there is none any more.
    pub(crate) fn after(&self, at: Timestamp) -> Option<Timestamp> {
        self.found(self.cron.find_next_occurrence(&self.zoned(at)?, false).ok()?)
    }

    /// The last time up to a point.
    fn upto(&self, at: Timestamp) -> Option<Timestamp> {
        self.found(self.cron.find_previous_occurrence(&self.zoned(at)?, true).ok()?)
    }

    fn found(&self, zoned: Zoned) -> Option<Timestamp> {
        u64::try_from(zoned.timestamp().as_nanosecond()).map(Timestamp::from_unix_ns).ok()
    }

    /// The runs that are due: times after `upto`, up to now. What comes later than [`GRACE`] was missed.
    pub(crate) fn due(&self, upto: Timestamp, now: Timestamp, missed: Missed) -> Vec<Time> {
        let on_time = Timestamp::from_unix_ns(now.unix_ns().saturating_sub(Elapsed::from(GRACE).ns()));
        let mut due = if upto < on_time { self.missed(upto, on_time, missed) } else { Vec::new() };
        let mut at = upto.max(on_time);
        while let Some(next) = self.after(at).filter(|next| *next <= now) {
            due.push(Time { scheduled: next, missed: 0 });
            at = next;
        }
        due
    }

    fn missed(&self, upto: Timestamp, on_time: Timestamp, missed: Missed) -> Vec<Time> {
        if missed == Missed::Skip {
            return Vec::new();
        }
        let mut late = Vec::new();
        let mut at = upto;
        while late.len() < limits::CRON_MISSED as usize
            && let Some(next) = self.after(at).filter(|next| *next <= on_time)
        {
            late.push(Time { scheduled: next, missed: 0 });
            at = next;
        }
        match missed {
            Missed::Once => {
                let count = u32::try_from(late.len()).unwrap_or(u32::MAX);
                let newest = late.last().map(|_| self.upto(on_time).unwrap_or(at));
                newest.map(|scheduled| Time { scheduled, missed: count.saturating_sub(1) }).into_iter().collect()
            }
            Missed::All | Missed::Skip => late,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().expect("a time");
        Timestamp::from_unix_ns(u64::try_from(at.as_nanosecond()).expect("after 1970"))
    }

    /// The next times after a point, in UTC without seconds.
    fn check(schedule: &str, zone: &str, from: &str, expected: &[&str]) {
        let table = Timetable::new(schedule, zone).expect("a schedule");
        let mut point = at(from);
        for time in expected {
            point = table.after(point).expect("it comes");
            assert_eq!(&point.to_rfc3339()[..16], *time, "{schedule} {zone} after {from}");
        }
    }

    #[test]
    fn zones_and_their_changes_of_the_clock_are_obeyed() {
        // New York puts its clocks forward on 8 March 2026 at 07:00 UTC and back on 1 November at 06:00 UTC.
        let spring = ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"];
        check("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", &spring);
        let autumn = ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"];
        check("30 1 * * *", "America/New_York", "2026-10-31T00:00:00Z", &autumn);
        let intervals = ["2026-11-01T05:00", "2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30", "2026-11-01T07:00"];
        check("*/30 * * * *", "America/New_York", "2026-11-01T04:30:00Z", &intervals);
        check("0 6 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", &["2026-03-28T05:00", "2026-03-29T04:00"]);
        check("@hourly", "Asia/Kolkata", "2026-01-01T00:00:00Z", &["2026-01-01T00:30"]);
        check("30 0 0 1 1 *", "UTC", "2026-06-01T00:00:00Z", &["2027-01-01T00:00"]);
    }

    #[test]
    fn what_was_missed_is_made_up_for_by_the_policy() {
        let table = Timetable::new("0 * * * *", "UTC").expect("a schedule");
        let runs = |upto: &str, now: &str, missed| {
            let due = table.due(at(upto), at(now), missed);
            due.iter().map(|time| format!("{} +{}", &time.scheduled.to_rfc3339()[11..16], time.missed)).collect::<Vec<_>>()
        };
        let (upto, now) = ("2026-01-01T00:00:00Z", "2026-01-01T03:10:00Z");
        assert_eq!(runs(upto, now, Missed::Once), ["03:00 +2"]);
        assert_eq!(runs(upto, now, Missed::All), ["01:00 +0", "02:00 +0", "03:00 +0"]);
        assert!(runs(upto, now, Missed::Skip).is_empty());
        // On time, although late by seconds.
        assert_eq!(runs(upto, "2026-01-01T01:00:59Z", Missed::Skip), ["01:00 +0"]);
        assert_eq!(runs(upto, "2026-01-01T03:00:30Z", Missed::Once), ["02:00 +1", "03:00 +0"]);
        // Nothing is due, and nothing when the clock went back.
        assert!(runs(upto, "2026-01-01T00:59:59Z", Missed::All).is_empty());
        assert!(runs(now, upto, Missed::All).is_empty());
    }

    #[test]
    fn a_year_of_seconds_is_bounded() {
        let table = Timetable::new("* * * * * *", "UTC").expect("a schedule");
        let (upto, now) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let all = table.due(upto, now, Missed::All);
        assert_eq!(all.len(), limits::CRON_MISSED as usize + 60);
        let once = table.due(upto, now, Missed::Once);
        assert_eq!(once[0].scheduled, at("2026-12-31T23:59:00Z"));
        assert_eq!(once.len(), 61);
    }
}
