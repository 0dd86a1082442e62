//! Whether the text of an expression goes on: by its brackets, templates and comments, without knowing the language. Where this is wrong, as
//! it may be about a regular expression with a bracket, an empty line ends the text.

use std::{iter::Peekable, str::Chars};

/// Whether something in it is still open.
pub(super) fn is_unfinished(code: &str) -> bool {
    // What closes what is open, the innermost last.
    let mut open: Vec<char> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (open.last(), c) {
            (Some('`'), '\\') => drop(chars.next()),
            (Some('`'), '$') if next == Some('{') => {
                chars.next();
                open.push('}');
            }
            (Some(close), c) if *close == c => drop(open.pop()),
            (Some('`'), _) => {}
            (_, '(') => open.push(')'),
            (_, '[') => open.push(']'),
            (_, '{') => open.push('}'),
            (_, '`') => open.push('`'),
            // One that closes nothing is a mistake, which the engine shall tell.
            (_, ')' | ']' | '}') => return false,
            (_, '"' | '\'') => skip_string(&mut chars, c),
            (_, '/') if next == Some('/') => skip_line(&mut chars),
            (_, '/') if next == Some('*') && !skip_comment(&mut chars) => return true,
            _ => {}
        }
    }
    !open.is_empty()
}

/// A string ends with its quote, or with its line, which is a mistake.
fn skip_string(chars: &mut Peekable<Chars<'_>>, quote: char) {
    while let Some(c) = chars.next().filter(|c| *c != quote && *c != '\n') {
        if c == '\\' {
            chars.next();
        }
    }
}

fn skip_line(chars: &mut Peekable<Chars<'_>>) {
    chars.find(|c| *c == '\n');
}

/// Whether the comment has an end.
fn skip_comment(chars: &mut Peekable<Chars<'_>>) -> bool {
    chars.next();
    while chars.find(|c| *c == '*').is_some() {
        if chars.next_if_eq(&'/').is_some() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_goes_on() {
        for code in ["f(", "[1,\n2", "({ a: '}'", "`a ${b", "`a\n", "/* ) ", "x => {\n  // }\n", "`${`", "(\"\\\")\"", "/***"] {
            assert!(is_unfinished(code), "{code:?}");
        }
    }

    #[test]
    fn what_is_closed_or_wrong_does_not() {
        for code in
            ["", "1 + 1", "f('(')", "`${[1]} (`", "[1] // (", "/* ( */ 1", "a)", "(]", "'(", "\"\\\"(\"", "`\\`(`", "/**/"]
        {
            assert!(!is_unfinished(code), "{code:?}");
        }
    }
}
