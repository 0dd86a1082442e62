//! JavaScript stacks as the engine writes them: one call a line, `    at name (module:line:column)`.
//!
//! Whatever a script throws chooses the text, so nothing here trusts it: what does not look like a call is no call.

/// Lines of a stack that are looked at.
const LINES: usize = 200;
/// Names of modules that belong to the platform begin so. People never see them.
const PLATFORM: &str = "dayfly:";

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The function; empty if it has no name.
    pub(crate) name: &'a str,
    /// The module, as the script names it.
    pub(crate) module: &'a str,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1.
    pub(crate) column: u32,
}

/// The calls of the script's own modules, innermost first.
pub(crate) fn frames(stack: &str) -> impl Iterator<Item = Frame<'_>> {
    stack.lines().take(LINES).filter_map(frame).filter(|frame| !frame.module.starts_with(PLATFORM))
}

fn frame(line: &str) -> Option<Frame<'_>> {
    let call = line.trim().strip_prefix("at ")?;
    let (name, place) = match call.strip_suffix(')').and_then(|call| call.rsplit_once(" (")) {
        Some((name, place)) => (name.trim(), place),
        None => ("", call),
    };
    let (module, line, column) = place_of(place)?;
    let name = if name == "<anonymous>" || name == "<eval>" { "" } else { name };
    Some(Frame { name, module, line, column })
}

/// `module:line:column`, or `module:line`.
fn place_of(text: &str) -> Option<(&str, u32, u32)> {
    let (rest, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    match rest.rsplit_once(':').and_then(|(module, line)| Some((module, line.parse().ok()?))) {
        Some((module, line)) if !module.is_empty() => Some((module, line, last)),
        _ if !rest.is_empty() => Some((rest, last, 1)),
        _ => None,
    }
}

/// The text with each place of a module that `is_mapped` names put where `map` says: `(src/api.ts:12:5)`, and the same without parentheses behind
/// `at `.
pub(crate) fn map_places(
    text: &str,
    is_mapped: impl Fn(&str) -> bool,
    map: impl Fn(&str, u32, u32) -> Option<(u32, u32)>,
) -> Option<String> {
    let mut changed = false;
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let mapped = frame(line).filter(|frame| is_mapped(frame.module)).and_then(|frame| {
                let (new_line, new_column) = map(frame.module, frame.line, frame.column)?;
                let old = format!("{}:{}:{}", frame.module, frame.line, frame.column);
                let new = format!("{}:{new_line}:{new_column}", frame.module);
                let at = line.rfind(&old)?;
                Some(format!("{}{new}{}", &line[..at], &line[at + old.len()..]))
            });
            changed |= mapped.is_some();
            mapped.unwrap_or_else(|| line.to_owned())
        })
        .collect();
    changed.then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_and_the_platforms_own_left_out() {
        let stack = "    at price (src/my api.ts:12:23)\n    at call (native)\n    at src/top.js:3:1\n    at <anonymous> (a.js:7)\n\
                     \x20   at run (dayfly:serve:10:2)\nnot a call (b.js:1:1)\n    at odd (name) here (c.js:1:2)\n    at (:1:2)";
        let found: Vec<_> = frames(stack).map(|frame| (frame.name, frame.module, frame.line, frame.column)).collect();
        let expected =
            [("price", "src/my api.ts", 12, 23), ("", "src/top.js", 3, 1), ("", "a.js", 7, 1), ("odd (name) here", "c.js", 1, 2)];
        assert_eq!(found, expected);
    }

    #[test]
    fn hostile_stacks_are_bounded_and_no_calls() {
        let many = "    at f (a.js:1:1)\n".repeat(100_000);
        assert_eq!(frames(&many).count(), LINES);
        for line in ["at", "at ", "at )", "at (", "at x (a.js:99999999999:1)", "at :::", "at x (a.js:-1:2)", "at x (1:2)("] {
            let _ = frames(line).count();
        }
        assert_eq!(frames("at x (a.js:99999999999:99999999999)").count(), 0);
    }

    #[test]
    fn places_of_transformed_modules_are_moved_in_text() {
        let text = "Error: no (a.ts:1:2)\n    at f (a.ts:1:2)\n    at b.js:1:2\n    at a.ts:9:9";
        let map = |_: &str, line: u32, column: u32| (line == 1).then_some((line + 10, column + 1));
        let mapped = map_places(text, |module| module == "a.ts", map).expect("changed");
        assert_eq!(mapped, "Error: no (a.ts:1:2)\n    at f (a.ts:11:3)\n    at b.js:1:2\n    at a.ts:9:9");
        assert_eq!(map_places("nothing here", |_| true, map), None);
    }
}
