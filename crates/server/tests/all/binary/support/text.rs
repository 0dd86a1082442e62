//! Expected texts, in which `…` stands for anything.

/// Whether a text is as expected. Blanks at the ends of lines, and of the text, do not count.
pub(crate) fn fits(text: &str, expected: &str) -> bool {
    let (text, expected) = (tidy(text), tidy(expected));
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

fn tidy(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    for (text, expected) in
        [("a\n", "a"), ("", "…"), ("abc", "a…"), ("abc", "…c"), ("a x b y c", "a…b…c"), ("aba", "a…a"), ("l1 \nl2", "l1\nl2")]
    {
        assert!(fits(text, expected), "{text:?} {expected:?}");
    }
    for (text, expected) in [("ab", "a"), ("b", "a…"), ("a", "a…a"), ("acb", "a…b…c"), ("", "a")] {
        assert!(!fits(text, expected), "{text:?} {expected:?}");
    }
}
