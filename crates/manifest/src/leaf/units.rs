//! Values with a unit and bounds: sizes, durations, counts.

use std::time::Duration;

use types::{ByteCount, Code, limits};

use super::{Leaf, Refusal, quote};
use crate::tree::Value;

/// One page of linear memory: no component runs in less.
const MEMORY_MIN: ByteCount = ByteCount::kib(64);
const TIME_MIN: Duration = Duration::from_millis(1);

/// Linear memory of one instance.
pub(crate) fn memory(value: &Value) -> Result<ByteCount, Refusal> {
    if let Value::Integer(Some(number @ 1..)) = value {
        return Err(Leaf::Memory.wrong_type(value).mend(Some(quote(&format!("{number}MiB")))));
    }
    let text = Leaf::Memory.text(value)?;
    let size: ByteCount = text.parse().map_err(|error| Refusal::new(Code::E0105, format!("{error}")).mend(mend_size(text)))?;
    bounded(size, (MEMORY_MIN, limits::MEMORY_MAX), print_size)
}

/// The bounds of a duration and what it is called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) expects: &'static str,
    pub(crate) min: Duration,
    pub(crate) max: Duration,
}

/// The bounds of a whole number and what it is called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) expects: &'static str,
    pub(crate) min: u32,
    pub(crate) max: u32,
}

/// Wall time of one invocation.
pub(crate) fn time(value: &Value) -> Result<Duration, Refusal> {
    duration(Leaf::Time, (TIME_MIN, limits::TIME_MAX), value)
}

/// Any other duration.
pub(crate) fn span(bounds: &'static Span, value: &Value) -> Result<Duration, Refusal> {
    duration(Leaf::Span(bounds), (bounds.min, bounds.max), value)
}

fn duration(leaf: Leaf, bounds: (Duration, Duration), value: &Value) -> Result<Duration, Refusal> {
    if let Value::Integer(Some(number @ 1..)) = value {
        return Err(leaf.wrong_type(value).mend(Some(quote(&format!("{number}s")))));
    }
    let text = leaf.text(value)?;
    let refusal = || {
        let message = format!("{text:?} is not a duration: write a whole number and one of ms, s, m, h, d, such as \"10s\"");
        Refusal::new(Code::E0105, message).mend(mend_duration(text))
    };
    let time = parse_duration(text).ok_or_else(refusal)?;
    bounded(time, bounds, print_duration)
}

/// Invocations at once.
pub(crate) fn concurrency(value: &Value) -> Result<u32, Refusal> {
    number(Leaf::Concurrency, (1, limits::CONCURRENCY_MAX), value)
}

/// Any other whole number.
pub(crate) fn amount(bounds: &'static Amount, value: &Value) -> Result<u32, Refusal> {
    number(Leaf::Amount(bounds), (bounds.min, bounds.max), value)
}

fn number(leaf: Leaf, (min, max): (u32, u32), value: &Value) -> Result<u32, Refusal> {
    let number = match value {
        Value::Integer(number) => number.unwrap_or(i128::MAX),
        Value::Text(text) => {
            let mended = text.trim().parse::<u32>().ok().map(|number| number.to_string());
            return Err(leaf.wrong_type(value).mend(mended));
        }
        value => return Err(leaf.wrong_type(value)),
    };
    let number = bounded(number, (i128::from(min), i128::from(max)), i128::to_string)?;
    Ok(u32::try_from(number).expect("it lies within the bounds, which are u32"))
}

fn bounded<T: PartialOrd + Copy>(value: T, (min, max): (T, T), print: fn(&T) -> String) -> Result<T, Refusal> {
    let refuse = |nearest: T| {
        let message = format!("{} is out of bounds: allowed are {} to {}", print(&value), print(&min), print(&max));
        let text = print(&nearest);
        let mended = if text.bytes().all(|b| b.is_ascii_digit()) { text } else { quote(&text) };
        Err(Refusal::new(Code::E0105, message).note("all limits: dayfly limits").mend(Some(mended)))
    };
    match value {
        value if value < min => refuse(min),
        value if value > max => refuse(max),
        value => Ok(value),
    }
}

const DURATIONS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text);
    let (_, factor) = DURATIONS.into_iter().find(|(name, _)| *name == unit)?;
    let number: u64 = number.parse().ok()?;
    number.checked_mul(factor).map(Duration::from_millis)
}

/// The number and what follows it.
fn split(text: &str) -> (&str, &str) {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    (number, unit.trim())
}

fn mend_duration(text: &str) -> Option<String> {
    let (number, unit) = split(text.trim());
    number.parse::<u64>().ok()?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "sec" | "secs" | "second" | "seconds" | "s" => "s",
        "ms" | "msec" | "millis" | "milliseconds" => "ms",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    Some(quote(&format!("{number}{unit}")))
}

fn mend_size(text: &str) -> Option<String> {
    let (number, unit) = split(text.trim());
    number.parse::<u64>().ok()?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "m" | "mb" | "mib" | "mi" => "MiB",
        "k" | "kb" | "kib" | "ki" => "KiB",
        "g" | "gb" | "gib" | "gi" => "GiB",
        _ => return None,
    };
    Some(quote(&format!("{number}{unit}")))
}

/// The duration as a manifest writes it, in the largest unit that divides it.
pub(crate) fn print_duration(time: &Duration) -> String {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (unit, factor) =
        DURATIONS.into_iter().rev().find(|(_, factor)| ms >= *factor && ms.is_multiple_of(*factor)).unwrap_or(("ms", 1));
    format!("{}{unit}", ms / factor)
}

/// The size as a manifest writes it, in the largest unit that divides it.
pub(crate) fn print_size(size: &ByteCount) -> String {
    let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let (unit, factor) =
        units.into_iter().find(|(_, factor)| size.0 >= *factor && size.0.is_multiple_of(*factor)).unwrap_or(("B", 1));
    format!("{}{unit}", size.0 / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_written() {
        for text in ["500ms", "10s", "2m", "3h", "30d"] {
            assert_eq!(parse_duration(text).map(|time| print_duration(&time)).as_deref(), Some(text));
        }
        for bad in ["", "10", "s", "-1s", "1.5s", "10 sec", "99999999999999999999d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_print_in_the_largest_unit_that_fits() {
        for (size, printed) in [(ByteCount::mib(64), "64MiB"), (ByteCount::mib(1024), "1GiB"), (ByteCount(1500), "1500B")] {
            assert_eq!(print_size(&size), printed);
        }
    }
}
