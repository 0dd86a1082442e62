//! Whether a text is nested deeper than anything that people write, found without recursion.
//!
//! Parsers and what walks their trees recurse: a text of brackets alone would use up the stack of a thread, and with it end the program.
//! This reads only as much of the language as it takes to tell code from strings, comments and templates.

/// The most brackets inside each other. The engine gives up not far above.
const BRACKETS: usize = 500;
/// The most words and signs that one statement may have, with those of the statements that it lies in. Each may be one level of a
/// tree: `!!!!a`, `a.b.c.d`, `a => b => c`.
const SIGNS: usize = 30_000;
/// The stack that everything gets which recurses over such a text, in bytes: 16 KiB a sign. It is taken from the machine as it is used.
pub(crate) const STACK: usize = SIGNS * 16 * 1024;

/// The byte at which the text is nested too deeply, if it is.
pub(crate) fn too_deep(text: &str) -> Option<u32> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, levels: vec![Level::default()], signs: 0, before: Before::Operator };
    while scan.at < scan.bytes.len() {
        let start = scan.at;
        scan.step();
        if scan.levels.len() > BRACKETS + 1 || scan.signs > SIGNS {
            return u32::try_from(start).ok();
        }
    }
    None
}

/// What is inside of one bracket.
#[derive(Default)]
struct Level {
    /// The signs of its statement so far.
    signs: usize,
    /// Whether it is `${…}`.
    in_template: bool,
}

/// What the last sign was.
#[derive(PartialEq, Eq)]
enum Before {
    /// A value ends here: a slash divides, and a word in the next line is the next statement.
    Value,
    /// A value ends here, or what an `if` asks.
    Parenthesis,
    /// A slash begins a regular expression.
    Operator,
    /// A block may end here, and with it a statement.
    Brace,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    /// The sum of all levels' signs.
    signs: usize,
    before: Before,
}

/// Words that begin a statement wherever they stand first in a line.
const BEGINS: &[&[u8]] =
    &[b"const", b"let", b"var", b"import", b"export", b"function", b"class", b"return", b"throw", b"switch", b"try"];
/// Words that go on with a statement after a block.
const GOES_ON: &[&[u8]] = &[b"else", b"catch", b"finally", b"while", b"in", b"of", b"instanceof", b"as", b"satisfies"];
/// Words after which a slash begins a regular expression.
const BEFORE_VALUES: &[&[u8]] = &[
    b"return",
    b"typeof",
    b"case",
    b"in",
    b"of",
    b"delete",
    b"void",
    b"throw",
    b"new",
    b"else",
    b"do",
    b"instanceof",
    b"yield",
    b"await",
];

impl Scan<'_> {
    fn step(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            b'/' if self.peek(1) == Some(b'/') => self.skip_until(b"\n"),
            b'/' if self.peek(1) == Some(b'*') => self.skip_until(b"*/"),
            b'/' if !matches!(self.before, Before::Value | Before::Parenthesis) => self.regex(),
            b'"' | b'\'' => self.string(byte),
            b'`' => self.template(),
            b'(' | b'[' | b'{' => self.open(false),
            b')' | b']' | b'}' => self.close(byte),
            b';' | b',' => {
                self.sign(Before::Operator);
                if !self.bytes[self.at..].trim_ascii_start().starts_with(b"else") {
                    self.end_statement();
                }
            }
            byte if is_word(byte) => self.word(),
            _ => self.sign(Before::Operator),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    /// Counts a sign of one byte.
    fn sign(&mut self, before: Before) {
        self.count(before);
        self.at += 1;
    }

    fn count(&mut self, before: Before) {
        self.level().signs += 1;
        self.signs += 1;
        self.before = before;
    }

    fn end_statement(&mut self) {
        let signs = std::mem::take(&mut self.level().signs);
        self.signs -= signs;
    }

    fn open(&mut self, in_template: bool) {
        self.levels.push(Level { signs: 0, in_template });
        self.sign(Before::Operator);
    }

    fn close(&mut self, byte: u8) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.signs -= level.signs;
            if level.in_template && byte == b'}' {
                return self.template();
            }
        }
        self.sign(match byte {
            b'}' => Before::Brace,
            b')' => Before::Parenthesis,
            _ => Before::Value,
        });
    }

    fn word(&mut self) {
        let start = self.at;
        while self.at < self.bytes.len() && is_word(self.bytes[self.at]) {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        let is_first = || self.bytes[..start].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) == Some(&b'\n');
        let begins = match self.before {
            Before::Brace => !GOES_ON.contains(&word),
            Before::Value => !GOES_ON.contains(&word) && is_first(),
            Before::Parenthesis | Before::Operator => BEGINS.contains(&word) && is_first(),
        };
        if begins {
            self.end_statement();
        }
        self.count(if BEFORE_VALUES.contains(&word) { Before::Operator } else { Before::Value });
    }

    fn string(&mut self, quote: u8) {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek(0).filter(|byte| *byte != quote && *byte != b'\n') {
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        if self.peek(0) != Some(quote) {
            // An apostrophe in the text between two tags.
            self.at = start;
        }
        self.sign(Before::Value);
    }

    fn regex(&mut self) {
        let (start, mut in_class) = (self.at, false);
        self.at += 1;
        while let Some(byte) = self.peek(0).filter(|byte| *byte != b'\n' && (in_class || *byte != b'/')) {
            in_class = byte == b'[' || in_class && byte != b']';
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        if self.peek(0) != Some(b'/') {
            // It was none: a line has its end.
            self.at = start;
        }
        self.sign(Before::Value);
    }

    /// From a template's beginning, or from the end of what is filled in, to its end or to what is filled in next.
    fn template(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'`' => return self.sign(Before::Value),
                b'$' if self.peek(1) == Some(b'{') => {
                    self.at += 1;
                    return self.open(true);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn skip_until(&mut self, end: &[u8]) {
        let rest = &self.bytes[self.at + 2..];
        self.at += 2 + rest.windows(end.len()).position(|window| window == end).map_or(rest.len(), |at| at + end.len());
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'@') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_beyond_reason_is_found_where_it_is() {
        for (unit, count) in
            [("[", 100_000), ("({a:", 1_000), ("`${", 5_000), ("!", 200_000), ("a.", 100_000), ("1+", 100_000), ("a=>", 50_000)]
        {
            assert!(too_deep(&format!("x = 1;\n{}", unit.repeat(count))).is_some(), "{unit}");
        }
        for unit in ["if(a){}else ", "if(1)", "{}+", "typeof\n", "a?b:", "label:", "/a/ . ", "else;else "] {
            assert!(too_deep(&unit.repeat(101_000)).is_some(), "{unit}");
        }
        assert_eq!(too_deep(&format!("ab {}", "[".repeat(1_000))), Some(3 + 500));
    }

    #[test]
    fn long_texts_that_people_and_tools_write_pass() {
        for line in [
            "const a = b\n",
            "a.b = c\n",
            "a();",
            "a(b, c),",
            "function f() { return 1 }",
            "export default {}\n",
            "x = { a: 1 }\nconst y = 2\n",
            "'[((';",
            "\"`\";",
            "/[`'\"/]/.test(a);",
            "a = b / c; d = `${e}` / f;",
            "// it's [ (\n",
            "/* ` [ */",
            "`${a.map((b) => `${b}`)} it's`;",
            "\"\\\"[\";",
            "<p>it's</p>;\n",
        ] {
            assert_eq!(too_deep(&line.repeat(50_000)), None, "{line}");
        }
    }
}
