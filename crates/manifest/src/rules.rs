//! What makes a schedule, a filter, a pattern or a zone one that can be obeyed: judged for manifests and, by control, for models that
//! came over the network. Each judgement is the one that the trigger itself will make later, with the same libraries and settings.

use croner::{
    Cron,
    parser::{CronParser, Year},
};
use jiff::{civil, tz::TimeZone};

use crate::nearest::nearest;

/// Why a trigger's value can't be obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong: lower case, quotes the value.
    pub message: String,
    /// The value that was most likely meant.
    pub meant: Option<String>,
}

impl Wrong {
    fn new(message: String) -> Self {
        Self { message, meant: None }
    }
}

/// Schedules by name, as [`schedule`] reads them.
pub const NICKNAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// A schedule: five fields, six with seconds first, or one of [`NICKNAMES`].
///
/// # Errors
/// If it is none of these, with what is wrong about it.
pub fn schedule(text: &str) -> Result<Cron, Wrong> {
    let fields = text.split_ascii_whitespace().count();
    let named = text.trim().starts_with('@');
    if named && !NICKNAMES.iter().any(|name| name.eq_ignore_ascii_case(text.trim())) {
        let mut wrong = Wrong::new(format!("{text:?} is not a schedule with a name: there are {}", NICKNAMES.join(", ")));
        wrong.meant = nearest(text, NICKNAMES).map(str::to_owned);
        return Err(wrong);
    }
    if !named && !(5..=6).contains(&fields) {
        let found = if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") };
        return Err(Wrong::new(format!(
            "{text:?} has {found}: a schedule has five (minute hour day month weekday), or six with seconds first"
        )));
    }
    let parser = CronParser::builder().year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| {
        let said = error.to_string();
        let said = said.trim_end_matches('.');
        let said = said.rsplit_once(": ").map_or(said, |(_, said)| said);
        Wrong::new(format!("{text:?} is not a schedule: {}", lower(said)))
    })
}

/// Messages of libraries begin as sentences do; ours don't.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether a schedule ever comes. The calendar repeats after 400 years, so one that does not come within those never does.
#[must_use]
pub fn comes(schedule: &Cron) -> bool {
    let begin = civil::date(2000, 1, 1).at(0, 0, 0, 0).to_zoned(TimeZone::UTC);
    begin.is_ok_and(|begin| schedule.find_next_occurrence(&begin, true).is_ok())
}

/// An IANA time zone.
///
/// # Errors
/// If there is none of this name, with the nearest that there is.
pub fn zone(name: &str) -> Result<TimeZone, Wrong> {
    // The library also takes POSIX rules and offsets elsewhere; a name is what a person can check.
    TimeZone::get(name).map_err(|_| {
        let mut wrong =
            Wrong::new(format!("{name:?} is not a time zone: they are named as in the IANA database, such as Europe/Berlin"));
        wrong.meant = nearest_zone(name);
        wrong
    })
}

fn nearest_zone(name: &str) -> Option<String> {
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    // `Berlin` for `Europe/Berlin`, and slips of the finger in either part.
    let same_city = || names.iter().find(|known| known.contains('/') && city(known) == city(&name.replace(' ', "_")));
    let near = nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
    near.or_else(|| same_city().cloned())
}

/// A filter: a CEL expression that sees `event`, with the attributes and the data of a CloudEvent.
///
/// # Errors
/// If it does not parse, or names something else than `event`.
pub fn filter(text: &str) -> Result<(), Wrong> {
    let wrong = |said: &str| Wrong::new(format!("{text:?} is not a filter: {said}"));
    let program = cel::Program::compile(text).map_err(|errors| {
        let first = errors.errors.first().map(|error| error.msg.lines().next().unwrap_or_default().to_owned());
        wrong(&first.map_or_else(|| "it does not parse".to_owned(), |said| plain(&said)))
    })?;
    let references = program.references();
    let mut names: Vec<&str> = references.variables();
    names.sort_unstable();
    let known = |name: &&str| *name == "event" || name.starts_with('@') || binds(text, name);
    match names.into_iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => {
            let mut wrong = wrong(&format!("it names `{name}`, and a filter knows `event` only"));
            wrong.meant = Some(replace_word(text, name, &format!("event.{name}")));
            Err(wrong)
        }
    }
}

/// What a parser says, without the list of all it would have taken.
fn plain(said: &str) -> String {
    let said = said.split(" expecting ").next().unwrap_or(said).trim_end_matches('.');
    lower(said).replace("'<EOF>'", "the end").replace("mismatched input", "unexpected")
}

/// Whether a macro of the expression binds the name: `list.exists(name, …)`.
fn binds(text: &str, name: &str) -> bool {
    ["all", "exists", "exists_one", "map", "filter"].iter().any(|function| {
        text.split(&format!(".{function}("))
            .skip(1)
            .any(|rest| rest.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(',')))
    })
}

fn replace_word(text: &str, word: &str, by: &str) -> String {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let found = text
        .match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with(|c: char| part(c) || c == '.') && !text[at + word.len()..].starts_with(part));
    found.map_or_else(|| text.to_owned(), |at| format!("{}{by}{}", &text[..at], &text[at + word.len()..]))
}

/// A glob over keys or event types.
///
/// # Errors
/// If it is not one.
pub fn glob(text: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("an empty pattern matches nothing: leave it out to match everything".to_owned()));
    }
    globset::Glob::new(text)
        .map(drop)
        .map_err(|error| Wrong::new(format!("{text:?} is not a pattern: {}", lower(&error.kind().to_string()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_come_or_never_do() {
        for (text, comes_ever) in [
            ("0 6 * * mon-fri", true),
            ("@hourly", true),
            ("0 0 29 2 *", true),
            ("30 0 0 29 2 1", true),
            ("0 0 30 2 *", false),
            ("0 0 31 4,6 *", false),
        ] {
            assert_eq!(comes(&schedule(text).expect(text)), comes_ever, "{text}");
        }
        for bad in ["", "* * * *", "61 * * * *", "* * * * * * *", "@reboot", "every day", "a b c d e"] {
            assert!(schedule(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn zones_are_found_by_name_and_by_city() {
        assert!(zone("Europe/Berlin").is_ok() && zone("UTC").is_ok());
        for (written, meant) in
            [("Europe/Berln", "Europe/Berlin"), ("Berlin", "Europe/Berlin"), ("America/New York", "America/New_York")]
        {
            assert_eq!(zone(written).expect_err(written).meant.as_deref(), Some(meant));
        }
        assert_eq!(zone("Mars/Olympus").expect_err("not there").meant, None);
    }

    #[test]
    fn filters_see_the_event_and_nothing_else() {
        for good in
            ["event.data.total > 100", "event.type == 'a' && has(event.data.x)", "event.data.items.exists(i, i.price > 3)"]
        {
            assert_eq!(filter(good), Ok(()), "{good}");
        }
        for bad in ["event.data.total >", "a && ", "'open", "(((("] {
            assert!(filter(bad).is_err(), "{bad}");
        }
        assert_eq!(filter("data.total > 1").expect_err("an unknown name").meant.as_deref(), Some("event.data.total > 1"));
    }

    #[test]
    fn globs_are_checked() {
        for good in ["*.{jpg,png}", "a/**/b", "order.*", "[a-c]?"] {
            assert_eq!(glob(good), Ok(()), "{good}");
        }
        for bad in ["", "[a", "{a,b", "a**\\"] {
            assert!(glob(bad).is_err(), "{bad}");
        }
    }
}
