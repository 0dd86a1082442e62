//! What the control API is asked for, as filters of the telemetry store.

use ports::telemetry::Filter;
use types::{
    Code, Elapsed, Outcome, Problem, Timestamp, limits,
    record::InvocationRecord,
    wire::query::{Period, Search},
};

/// Results of a search that names no limit.
const LIMIT: usize = 100;
/// The most results of one search.
const LIMIT_MAX: usize = 10_000;
const DAY_NS: u64 = 86_400_000_000_000;

/// The filter for a search that is made now.
///
/// # Errors
/// `E0709` if more results are wanted than one search gives, or the range of time ends before it begins.
pub fn filter(search: &Search, now: Timestamp) -> Result<Filter, Problem> {
    let limit = search.limit.unwrap_or(LIMIT);
    if limit > LIMIT_MAX {
        return Err(Problem::limit(Code::E0709, "limit", limit, LIMIT_MAX));
    }
    let (from, until) = range(search.from_ms, search.until_ms, now)?;
    Ok(Filter {
        app: search.app.clone(),
        env: search.env.clone(),
        function: search.function.clone(),
        revision: search.revision,
        trace: search.trace,
        error: search.error,
        status: search.status,
        slower_than: search.slower_than_ms.map(|ms| Elapsed::from_ns(ms.saturating_mul(1_000_000))),
        level: search.level,
        text: search.text.clone(),
        from,
        until,
        limit,
    })
}

/// The filter for the usage of a period that is asked for now.
///
/// # Errors
/// `E0709` if the period ends before it begins.
pub fn period(period: &Period, now: Timestamp) -> Result<Filter, Problem> {
    let Period { app, env, function, from_ms, until_ms } = period.clone();
    filter(&Search { app, env, function, from_ms, until_ms, ..Search::default() }, now)
}

fn range(from_ms: Option<u64>, until_ms: Option<u64>, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let point = |ms: u64| Timestamp::from_unix_ns(ms.saturating_mul(1_000_000));
    let oldest = now.unix_ns().saturating_sub(u64::from(limits::RETENTION_DAYS + 1) * DAY_NS);
    let from = from_ms.map_or(Timestamp::from_unix_ns(oldest), point);
    // What ends now is wanted too, and `until` is exclusive.
    let until = until_ms.map_or(now.plus(Elapsed::from_ns(1)), point);
    if until < from {
        let message = format!("the range of time ends at {} and begins at {}", until.to_rfc3339(), from.to_rfc3339());
        return Err(Problem::new(Code::E0709, message));
    }
    Ok((from, until))
}

/// Whether a record that was just made is wanted. Level and time are left out: they are of lines, and of the past.
#[must_use]
pub fn matches(search: &Search, record: &InvocationRecord) -> bool {
    fn is<T: PartialEq>(wanted: Option<&T>, actual: &T) -> bool {
        wanted.is_none_or(|wanted| wanted == actual)
    }
    is(search.app.as_ref(), &record.app)
        && is(search.env.as_ref(), &record.env)
        && is(search.function.as_ref(), &record.function)
        && is(search.revision.as_ref(), &record.revision)
        && is(search.trace.as_ref(), &record.trace)
        && is(search.error.as_ref(), &record.outcome.is_error())
        && is(search.status.as_ref(), &record.outcome.status())
        && search.slower_than_ms.is_none_or(|ms| record.duration.ns() >= ms.saturating_mul(1_000_000))
}

/// Whether the record's cause or failure contains the text.
pub(crate) fn tells(record: &InvocationRecord, text: &str) -> bool {
    let failure = match &record.outcome {
        Outcome::Answered { .. } => false,
        Outcome::Failed { code, message, .. } => message.contains(text) || code.as_str().contains(text),
    };
    failure || record.cause.contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_always_bounded() {
        let now = Timestamp::from_unix_ms(1_795_262_467_000);
        let found = filter(&Search::default(), now).expect("a filter");
        assert_eq!((found.limit, found.until > now), (LIMIT, true));
        assert_eq!(now.since(found.from), Elapsed::from_ns(15 * DAY_NS));
        let greedy = Search { limit: Some(LIMIT_MAX + 1), ..Search::default() };
        assert_eq!(filter(&greedy, now).expect_err("too many").code, Code::E0709);
        let backwards = Search { from_ms: Some(5), until_ms: Some(4), ..Search::default() };
        assert_eq!(filter(&backwards, now).expect_err("no time").code, Code::E0709);
        let endless =
            Search { from_ms: Some(u64::MAX), until_ms: Some(u64::MAX), slower_than_ms: Some(u64::MAX), ..Search::default() };
        assert!(filter(&endless, now).is_ok());
    }
}
