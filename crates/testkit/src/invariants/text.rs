//! Rust source without what is not code, and where its functions begin and end.

/// The source with comments and the insides of literals replaced by spaces. Lines stay where they are.
pub(super) fn code_of(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let is_after_name = code.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_');
        let length = skipped(rest, is_after_name).unwrap_or(0);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|skipped| if skipped == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

/// How long the comment or literal is that begins here; `None` if none does.
fn skipped(rest: &str, is_after_name: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted(rest, '"'));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !is_after_name)?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let inside = raw[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(rest.len() - inside.len() + length)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a literal with this quote at both ends.
fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        if !is_escaped && char == quote {
            return at + 1;
        }
        is_escaped = !is_escaped && char == '\\';
    }
    rest.len()
}

/// A character literal; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        return Some(quoted(rest, '\''));
    }
    chars.next().filter(|(_, second)| *second == '\'').map(|(at, _)| at + 1)
}

/// A function: its name, its first line and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// The functions with a body, from source without comments and literals.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("fn ") {
        let start = from + found;
        from = start + 3;
        let is_word = code[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '_');
        let name: String = code[from..].chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
        if let Some(body) = body(&code[from..]).filter(|_| is_word && !name.is_empty()) {
            let line = 1 + code[..start].matches('\n').count();
            let lines = 1 + code[start..from + body].matches('\n').count();
            functions.push(Function { name, line, lines });
        }
    }
    functions
}

/// Where the body of the function ends whose name begins here; `None` if it has none.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    // A semicolon inside brackets is an array's length, not the end.
    let mut brackets = 0_usize;
    for (at, char) in code.char_indices() {
        match char {
            ';' if depth == 0 && brackets == 0 => return None,
            '[' | '(' => brackets += 1,
            ']' | ')' => brackets = brackets.checked_sub(1)?,
            '{' => depth += 1,
            '}' if depth <= 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x \" y", 'z', '\'', 'a)"#, r"f(        ,    ,     , 'a)"),
            ("r#\"fn \" x\"# y", "            y"),
            ("for r in x", "for r in x"),
        ];
        for (text, code) in cases {
            assert_eq!(code_of(text), code, "{text}");
        }
    }

    #[test]
    fn functions_are_measured_from_their_line_to_their_brace() {
        let code = code_of(
            "trait T { fn none(&self, of: [u8; 2]); }\nfn one() { \"}\"; }\npub fn three(a: fn(u8)) -> u8\n{\n    if a { 1 }\n}\n",
        );
        let found: Vec<(String, usize, usize)> = functions(&code).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("one".into(), 2, 1), ("three".into(), 3, 4)]);
    }
}
