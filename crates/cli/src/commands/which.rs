//! From filters as people type them to what the control API takes.

use std::time::{SystemTime, UNIX_EPOCH};

use types::{AppName, Code, FunctionName, Problem, RevisionNumber, journal::Level, wire::query::Search};

use crate::{
    args::{ListWhich, Which},
    project::name,
};

/// An app, and perhaps one of its functions: `shop` or `shop/api`.
pub(crate) fn app_and_function(of: Option<&str>) -> Result<(Option<AppName>, Option<FunctionName>), Problem> {
    let Some(of) = of else { return Ok((None, None)) };
    let (app, function) = of.split_once('/').map_or((of, None), |(app, function)| (app, Some(function)));
    Ok((Some(name(app)?), function.map(name).transpose()?))
}

/// A span such as `90s`, `15m`, `1h`, `7d`, in milliseconds.
pub(crate) fn span_ms(text: &str) -> Result<u64, Problem> {
    let invalid = || {
        Problem::new(Code::E0709, format!("{text:?} is not a span of time"))
            .help("a whole number and ms, s, m, h or d, such as 15m")
    };
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(invalid()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(invalid)
}

/// The time so long ago, in milliseconds since 1970.
pub(crate) fn ago_ms(span: &str) -> Result<u64, Problem> {
    let now = now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Ok(u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(span_ms(span)?))
}

#[expect(clippy::disallowed_methods, reason = "`--since` counts back from when the person typed it")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// An outcome: `error`, `ok`, or an HTTP status.
pub(crate) fn outcome(status: Option<&str>) -> Result<(Option<bool>, Option<u16>), Problem> {
    match status {
        None => Ok((None, None)),
        Some("error") => Ok((Some(true), None)),
        Some("ok") => Ok((Some(false), None)),
        Some(number) => number.parse().map(|status| (None, Some(status))).map_err(|_| {
            Problem::new(Code::E0709, format!("{number:?} is not an outcome")).help("--status error, ok, or a number such as 502")
        }),
    }
}

/// A level of log lines.
pub(crate) fn level(text: &str) -> Result<Level, Problem> {
    Level::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| {
        let known: Vec<_> = Level::ALL.iter().map(|level| level.as_str()).collect();
        Problem::new(Code::E0709, format!("{text:?} is not a level")).help(format!("one of {}", known.join(", ")))
    })
}

/// The filters that lines of log and requests share.
struct Filters<'a> {
    of: Option<&'a str>,
    env: Option<&'a str>,
    since: &'a str,
    status: Option<&'a str>,
    limit: Option<usize>,
}

impl Filters<'_> {
    fn search(self) -> Result<Search, Problem> {
        let Self { of, env, since, status, limit } = self;
        let (app, function) = app_and_function(of)?;
        let (error, status) = outcome(status)?;
        let env = env.map(name).transpose()?;
        Ok(Search { app, env, function, error, status, from_ms: Some(ago_ms(since)?), limit, ..Search::default() })
    }
}

/// The lines of log that the flags ask for.
pub(crate) fn lines(which: &Which) -> Result<Search, Problem> {
    let Which { of, env, since, status, text, revision, trace, limit } = which;
    let filters = Filters { of: of.as_deref(), env: env.as_deref(), since, status: status.as_deref(), limit: *limit };
    let invalid = |error: types::id::InvalidId| Problem::new(Code::E0709, error.to_string());
    let trace = trace.as_deref().map(|id| id.parse().map_err(invalid)).transpose()?;
    Ok(Search { trace, revision: revision.map(RevisionNumber), text: text.clone(), ..filters.search()? })
}

/// The requests that the flags ask for.
pub(crate) fn requests(which: &ListWhich) -> Result<Search, Problem> {
    let ListWhich { of, env, since, status, slower, limit } = which;
    let filters = Filters { of: of.as_deref(), env: env.as_deref(), since, status: status.as_deref(), limit: *limit };
    Ok(Search { slower_than_ms: slower.as_deref().map(span_ms).transpose()?, ..filters.search()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit() {
        for (text, ms) in [("250ms", 250), ("90s", 90_000), ("15m", 900_000), ("1h", 3_600_000), ("7d", 604_800_000)] {
            assert_eq!(span_ms(text), Ok(ms), "{text}");
        }
        for bad in ["", "5", "h", "1w", "-1s", "99999999999999999999d"] {
            assert!(span_ms(bad).is_err(), "{bad}");
        }
    }
}
