//! What starts a function beside requests: changes, patterns, filters, schedules, and how events are delivered.

use std::time::Duration;

use types::{ByteCount, Code, limits};

use super::{Amount, Leaf, Refusal, Span, quote};
use crate::{
    rules::{self, Wrong},
    tree::Value,
};

pub(crate) static BATCH: Amount = Amount { expects: "a whole number, such as 10", min: 1, max: limits::BATCH_MAX };
pub(crate) static RETRIES: Amount = Amount { expects: "a whole number, such as 2", min: 0, max: limits::RETRIES_MAX };
pub(crate) static WAIT: Span =
    Span { expects: "a duration in a string, such as \"2s\"", min: Duration::ZERO, max: limits::BATCH_WAIT_MAX };

/// A change, or a pattern of event types; which of the two, the source decides.
pub(crate) fn event(value: &Value) -> Result<&str, Refusal> {
    short(Leaf::Event.text(value)?)
}

/// A pattern over keys.
pub(crate) fn glob(value: &Value) -> Result<&str, Refusal> {
    let text = short(Leaf::Glob.text(value)?)?;
    rules::glob(text).map_err(|wrong| refusal(Code::E0113, wrong))?;
    Ok(text)
}

/// A table of a database.
pub(crate) fn table(value: &Value) -> Result<String, Refusal> {
    let text = Leaf::Table.text(value)?;
    let fits = |c: char| c.is_alphanumeric() || c == '_';
    if text.is_empty() || text.len() > 128 || !text.chars().all(fits) {
        let message = format!("{text:?} is not a table's name: use 1 to 128 letters, digits and _");
        return Err(Refusal::new(Code::E0105, message));
    }
    Ok(text.to_owned())
}

/// An expression over an event.
pub(crate) fn filter(value: &Value) -> Result<&str, Refusal> {
    let text = short(Leaf::Filter.text(value)?)?;
    let note = "an event has type, source, subject, id, time, data and its extensions";
    rules::filter(text).map_err(|wrong| refusal(Code::E0115, wrong).note(note))?;
    Ok(text)
}

/// A schedule that comes at least once.
pub(crate) fn schedule(value: &Value) -> Result<&str, Refusal> {
    let text = short(Leaf::Schedule.text(value)?)?;
    let schedule = rules::schedule(text).map_err(|wrong| refusal(Code::E0113, wrong))?;
    if !rules::comes(&schedule) {
        let message = format!("{text:?} never comes: no day of the calendar is of this kind");
        return Err(
            Refusal::new(Code::E0114, message).note("looked at: every day of 400 years, after which the calendar repeats")
        );
    }
    Ok(text)
}

/// A time zone.
pub(crate) fn zone(value: &Value) -> Result<&str, Refusal> {
    let text = short(Leaf::Zone.text(value)?)?;
    rules::zone(text).map_err(|wrong| refusal(Code::E0113, wrong))?;
    Ok(text)
}

fn short(text: &str) -> Result<&str, Refusal> {
    let bytes = ByteCount(text.len() as u64);
    if bytes > limits::EXPRESSION {
        return Err(Refusal::new(Code::E0105, format!("it has {bytes}, allowed {}", limits::EXPRESSION)));
    }
    Ok(text)
}

fn refusal(code: Code, Wrong { message, meant }: Wrong) -> Refusal {
    Refusal::new(code, message).mend(meant.map(|meant| quote(&meant)))
}
