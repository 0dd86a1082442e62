//! Why a function failed: the message, the line of its source where that is known, and its calls.

use types::wire::view::Failure;

use super::text::escaped;

/// Frames of a backtrace that are shown.
const FRAMES: usize = 12;

/// The failure as lines, the first of them with its code.
pub(crate) fn lines(failure: &Failure) -> Vec<String> {
    let Failure { code, title, message, source, backtrace } = failure;
    // A message says all that the title says, and more; some failures have none.
    let what = if message.is_empty() { title } else { message };
    let mut lines = vec![format!("error[{}]: {}", escaped(code), escaped(what))];
    // The marks stand below what they mean only if nothing is taken from the beginning.
    lines.extend(source.iter().map(|line| format!("   {}", escaped(line))));
    lines.extend(backtrace.iter().take(FRAMES).map(|frame| format!("   |  {}", escaped(frame.trim_start()))));
    if backtrace.len() > FRAMES {
        lines.push(format!("   |  … and {} more", backtrace.len() - FRAMES));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn an_exception_is_shown_with_the_line_that_threw_it() {
        let expected = r"error[E0519]: TypeError: cannot read property 'total' of undefined at src/api.ts:12:16
   12 |   return order.total\u{1b}[2J
      |                ^
   |  price (src/api.ts:12:16)
   |  fetch (src/api.ts:3:10)
   |  caused by: RangeError: no";
        assert_eq!(lines(&samples::thrown()).join("\n"), expected);
    }

    #[test]
    fn long_backtraces_are_cut() {
        let failure = Failure { backtrace: vec!["  f (a.ts:1:1)".into(); 40], ..samples::thrown() };
        let lines = lines(&failure);
        assert_eq!((lines.len(), lines.last().map(String::as_str)), (1 + 2 + FRAMES + 1, Some("   |  … and 28 more")));
    }
}
