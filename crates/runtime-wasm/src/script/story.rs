//! What an exception of a script means to a person: a sentence, the place in what was written, the source line, and the calls.

use types::{
    Code, Place, Problem,
    script::{Script, SourcePlace},
};

use super::{
    instead,
    stack::{self, Frame},
};
use crate::backtrace::printable;

/// Characters of an exception's own words that are shown.
const MESSAGE_CHARS: usize = 1_000;
/// Characters of a name or a path.
const NAME_CHARS: usize = 160;
/// Calls of one stack.
const FRAMES: usize = 24;
/// Exceptions that caused one another.
const CAUSES: usize = 8;

/// An exception, or what the engine says in the place of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Thrown {
    /// `TypeError`, say; empty if what was thrown is no error.
    pub(crate) name: String,
    /// Its words.
    pub(crate) message: String,
    /// The engine's stack, a call a line.
    pub(crate) stack: String,
    /// What caused it, outermost first.
    pub(crate) causes: Vec<String>,
}

/// An exception as it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Story {
    /// `TypeError: x is undefined`.
    pub(crate) words: String,
    /// Where, in what people wrote.
    pub(crate) place: Option<SourcePlace>,
    /// The calls, innermost first: `at price (src/api.ts:12:23)`.
    pub(crate) calls: Vec<String>,
    /// What caused it, each with its place if it is known: `RangeError: far at src/api.ts:7:3`.
    pub(crate) causes: Vec<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Story {
    /// Tells the exception with the places of the script's text, as far as the script is known.
    pub(crate) fn of(thrown: &Thrown, script: Option<&Script>) -> Self {
        let Thrown { name, message, stack, causes } = thrown;
        let words = match (name.as_str(), message.as_str()) {
            ("", "") => "an exception without words".to_owned(),
            ("", message) => message.to_owned(),
            (name, "") => name.to_owned(),
            (name, message) => format!("{name}: {message}"),
        };
        let place_of = |frame: &Frame<'_>| {
            script.and_then(|script| script.locate(frame.module, frame.line, frame.column)).unwrap_or_else(|| SourcePlace {
                module: frame.module.to_owned(),
                line: frame.line,
                column: frame.column,
                text: None,
            })
        };
        let calls: Vec<(&str, SourcePlace)> = stack::frames(stack).map(|frame| (frame.name, place_of(&frame))).collect();
        let more = calls.len().saturating_sub(FRAMES);
        let mut shown: Vec<String> = calls.iter().take(FRAMES).map(|(name, place)| call(name, place)).collect();
        if more > 0 {
            shown.push(format!("… and {more} more"));
        }
        Self {
            words: printable(&paragraph(&words), MESSAGE_CHARS),
            place: calls.into_iter().next().map(|(_, place)| place),
            calls: shown,
            causes: causes.iter().take(CAUSES).map(|told| cause(told, place_of)).collect(),
            help: instead::of(thrown),
        }
    }

    /// The same, at this place if it has none of its own.
    pub(crate) fn or_at(mut self, place: impl FnOnce() -> Option<SourcePlace>) -> Self {
        self.place = self.place.or_else(place);
        self
    }

    /// These words with the place behind them, and below, if it is known, the source line with a mark below it: up to three lines.
    pub(crate) fn sentence(&self, words: &str) -> String {
        let Some(place) = &self.place else { return words.to_owned() };
        let sentence = format!("{words} at {}", shown(place));
        if place.text.is_none() {
            return sentence;
        }
        let place = whole(place);
        let (line, text, before) = (place.line, &place.text, place.before());
        let digits = line.to_string().len();
        format!("{sentence}\n{line} | {text}\n{:digits$} | {:before$}^", "", "")
    }

    /// The calls, the causes and the help: what stands below the sentence.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.notes().chain(self.help.iter().map(|help| format!("help: {help}"))).collect()
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let causes = self.causes.iter().map(|cause| format!("caused by: {cause}"));
        self.calls.iter().cloned().chain(causes)
    }

    /// The exception as a problem of a deployment.
    pub(crate) fn problem(&self, code: Code) -> Problem {
        self.complete(Problem::new(code, format!("{}: {}", code.title(), self.words)))
    }

    /// The problem with the place, the calls and the causes.
    pub(crate) fn complete(&self, mut problem: Problem) -> Problem {
        if let Some(place) = &self.place {
            problem = problem.at(whole(place));
        }
        let problem = self.notes().fold(problem, Problem::note);
        match &self.help {
            Some(help) => problem.help(help.clone()),
            None => problem,
        }
    }
}

/// Words of several lines as one paragraph: what stands below a message is its source and its calls.
fn paragraph(words: &str) -> String {
    let lines = words.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    if words.contains(['\n', '\r']) { lines.collect::<Vec<_>>().join(" ") } else { words.to_owned() }
}

/// A cause: the words on its first line, and the place of the first of its calls, which stand below if it has any.
fn cause(told: &str, place_of: impl Fn(&Frame<'_>) -> SourcePlace) -> String {
    let (words, stack) = told.split_once('\n').unwrap_or((told, ""));
    let words = printable(words.trim_end(), MESSAGE_CHARS);
    match stack::frames(stack).next() {
        Some(frame) => format!("{words} at {}", shown(&place_of(&frame))),
        None => words,
    }
}

fn call(name: &str, place: &SourcePlace) -> String {
    match name {
        "" => format!("at {}", shown(place)),
        name => format!("at {} ({})", printable(name, NAME_CHARS), shown(place)),
    }
}

fn shown(place: &SourcePlace) -> String {
    format!("{}:{}:{}", printable(&place.module, NAME_CHARS), place.line, place.column)
}

/// The place with its line.
fn whole(place: &SourcePlace) -> Place {
    let file = printable(&place.module, NAME_CHARS);
    let Some(line) = place.text.as_deref() else {
        return Place { column: place.column.max(1), ..Place::in_line(&file, place.line, "", 0, 0) };
    };
    // Columns count in UTF-16 units.
    let mut units = place.column.saturating_sub(1) as usize;
    let is_before = |c: &char| {
        let is_before = units > 0;
        units = units.saturating_sub(c.len_utf16());
        is_before
    };
    let start = line.chars().take_while(is_before).map(char::len_utf8).sum();
    Place::in_line(&file, place.line, line, start, 1)
}

#[cfg(test)]
mod tests {
    use types::script::{Mapping, Module, ModuleKind, Original};

    use super::*;

    fn script(text: &str) -> Script {
        let original =
            Original { text: text.into(), mappings: vec![Mapping { line: 0, column: 0, original_line: 1, original_column: 2 }] };
        let module = Module {
            name: "src/api.ts".into(),
            kind: ModuleKind::Module,
            code: "throw 1".into(),
            links: Vec::new(),
            exports: Vec::new(),
            original: Some(original),
        };
        Script { entry: "src/api.ts".into(), modules: vec![module], bindings: Vec::new(), handlers: Vec::new() }
    }

    fn thrown(stack: &str) -> Thrown {
        Thrown {
            name: "TypeError".into(),
            message: "x is undefined".into(),
            stack: stack.into(),
            causes: vec!["Error: io\n    at read (dayfly:fetch:1:1)\n    at lib.js:1:1".into(), "Error: none".into()],
        }
    }

    #[test]
    fn an_exception_is_told_with_the_place_people_wrote_and_its_line() {
        let stack = "    at price (src/api.ts:1:1)\n    at go (dayfly:serve:1:1)\n    at lib.js:4:5";
        let story = Story::of(&thrown(stack), Some(&script("// first\n\tconst é = x.y\n")));
        let told = story.sentence(&story.words);
        assert_eq!(told, "TypeError: x is undefined at src/api.ts:2:3\n2 |  const é = x.y\n  |   ^");
        let expected =
            ["at price (src/api.ts:2:3)", "at lib.js:4:5", "caused by: Error: io at lib.js:1:1", "caused by: Error: none"];
        assert_eq!(story.lines(), expected);
        let problem = story.problem(Code::E0315);
        let place = Place::in_line("src/api.ts", 2, "\tconst é = x.y", 2, 1);
        assert_eq!(problem.place, Some(place));
        assert_eq!(problem.notes, expected);
        assert_eq!(problem.message, "the script's top-level code threw: TypeError: x is undefined");
    }

    #[test]
    fn what_is_not_known_is_left_out_and_what_is_hostile_is_escaped() {
        let story = Story::of(&thrown("    at f (other\u{1b}.js:3:9)"), None);
        assert_eq!(story.sentence("no"), "no at other\\u{1b}.js:3:9");
        assert_eq!(story.lines(), ["at f (other\\u{1b}.js:3:9)", "caused by: Error: io at lib.js:1:1", "caused by: Error: none"]);
        let of_lines = Thrown { message: "[\n  {\r\n    \"code\": 7\u{7}\n  }\n]\n".into(), ..Thrown::default() };
        assert_eq!(Story::of(&of_lines, None).words, "[ { \"code\": 7\\u{7} } ]");
        let nothing = Story::of(&Thrown::default(), None);
        assert_eq!(nothing.sentence(&nothing.words), "an exception without words");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("\n{}HERE{}", "a".repeat(5_000), "b".repeat(5_000));
        let mut script = script(&text);
        script.modules[0].original.as_mut().expect("an original").mappings[0].original_column = 5_000;
        let told = Story::of(&thrown("    at src/api.ts:1:1"), Some(&script)).sentence("");
        let lines: Vec<&str> = told.lines().collect();
        let at = lines[2].chars().position(|c| c == '^').expect("a mark");
        assert_eq!(lines[1].chars().skip(at).take(4).collect::<String>(), "HERE");
        assert!(lines[1].chars().count() < 200 && told.contains("src/api.ts:2:5001"), "{told}");
    }
}
