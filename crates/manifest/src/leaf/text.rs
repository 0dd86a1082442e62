//! Names, dates, host names, paths, record modes and variables.

use types::{AppName, Code, RecordMode};

use super::{Leaf, Refusal, quote};
use crate::{
    nearest::{as_name, nearest},
    tree::Value,
};

/// The app's name.
pub(crate) fn app(value: &Value) -> Result<AppName, Refusal> {
    let text = Leaf::App.text(value)?;
    text.parse().map_err(|error| Refusal::new(Code::E0111, format!("{error}")).mend(as_name(text).map(|name| quote(&name))))
}

/// A calendar date, `YYYY-MM-DD`. A bare TOML date is refused with its quoted form: all values with a unit or format are strings.
pub(crate) fn date(value: &Value) -> Result<String, Refusal> {
    let text = match value {
        Value::Date(date) => {
            return Err(Leaf::Since.wrong_type(value).mend(is_date(date).then(|| quote(date))));
        }
        value => Leaf::Since.text(value)?,
    };
    if is_date(text) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(Code::E0105, format!("{text:?} is not a date: write year, month and day, such as \"2026-11-21\"")))
}

fn is_date(text: &str) -> bool {
    let shaped =
        text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    year >= 1970 && (1..=days).contains(&day)
}

/// A host name in lower case, without scheme, port or path.
pub(crate) fn domain(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Domain.text(value)?;
    if is_host(text) {
        return Ok(text.to_owned());
    }
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let refusal =
        Refusal::new(Code::E0105, format!("{text:?} is not a host name: write it in lower case, without scheme, port or path"));
    Err(refusal.mend(is_host(&bare).then(|| quote(&bare))))
}

/// RFC 1123 §2.1: labels of letters, digits and dashes, 63 each, 253 in all.
fn is_host(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Where code lies. Whether something is there is found out later.
pub(crate) fn path(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Path.text(value)?;
    if text.trim().is_empty() || text.contains(char::is_control) {
        return Err(Refusal::new(
            Code::E0105,
            format!("{text:?} is not a path: name a .js or .ts file, a folder with a Cargo.toml or an index.js, or a .wasm file"),
        ));
    }
    Ok(text.to_owned())
}

/// What of the journals is kept.
pub(crate) fn record(value: &Value) -> Result<RecordMode, Refusal> {
    let text = match value {
        Value::Integer(Some(percent @ 1..=100)) => {
            return Err(Leaf::Record.wrong_type(value).mend(Some(quote(&format!("{percent}%")))));
        }
        Value::Bool(all) => {
            let meant = if *all { "all" } else { "off" };
            return Err(Leaf::Record.wrong_type(value).mend(Some(quote(meant))));
        }
        value => Leaf::Record.text(value)?,
    };
    text.parse().map_err(|error| {
        let meant = nearest(text, ["off", "errors", "all"]);
        Refusal::new(Code::E0105, format!("{error}")).mend(meant.map(quote))
    })
}

/// The value of an environment variable.
pub(crate) fn variable(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Text(text) if text.contains('\0') => {
            Err(Refusal::new(Code::E0105, "holds a zero byte, which no environment variable can"))
        }
        Value::Text(text) => Ok(text.clone()),
        other => {
            let mended = match other {
                Value::Integer(Some(number)) => Some(quote(&number.to_string())),
                Value::Float(text) | Value::Date(text) => Some(quote(text)),
                Value::Bool(value) => Some(quote(&value.to_string())),
                _ => None,
            };
            Err(Refusal::new(Code::E0104, format!("takes a string, and this is {}", other.kind())).mend(mended))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_of_the_calendar() {
        for good in ["2026-11-21", "2024-02-29", "2000-02-29"] {
            assert!(is_date(good), "{good}");
        }
        for bad in ["2026-02-29", "2100-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-11-2100", "2026-04-31", "２026-1-1"]
        {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
