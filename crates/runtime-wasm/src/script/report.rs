//! How a script's invocation failed, in words: the end that people see.

use ports::runtime::Fault;
use types::{Code, Elapsed, Script, limits};

use super::{
    search,
    story::{Story, Thrown},
};

/// What the engine says of the end of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An exception that nobody caught.
    Threw,
    /// The handler returned what it may not.
    WrongAnswer,
    /// The handler's promise is pending, and nothing is left to run.
    NeverSettles,
    /// More memory than the function may have.
    OutOfMemory,
    /// It was told that its time is up.
    Interrupted,
}

/// The end of an invocation as the engine told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uncaught {
    pub(crate) failure: Failure,
    pub(crate) thrown: Thrown,
}

/// The bounds that the end may be about.
pub(crate) struct Bounds {
    /// What is known of the memory that was denied.
    pub(crate) memory: Option<String>,
    /// The time that the invocation had.
    pub(crate) time: Elapsed,
}

/// The fault that people see.
pub(crate) fn fault(uncaught: &Uncaught, script: Option<&Script>, bounds: Bounds) -> Fault {
    let Uncaught { failure, thrown } = uncaught;
    let failure = match failure {
        Failure::Threw if bounds.memory.is_some() && is_of_memory(thrown) => &Failure::OutOfMemory,
        failure => failure,
    };
    let story = Story::of(thrown, script).or_at(|| match failure {
        // Nothing runs then, or the engine stood between two calls.
        Failure::NeverSettles | Failure::Interrupted => script.and_then(search::default_export),
        _ => None,
    });
    let titled = |code: Code| match thrown.message.as_str() {
        "" => (code, code.title().to_owned()),
        _ => (code, format!("{}: {}", code.title(), story.words)),
    };
    let (code, words) = match failure {
        Failure::Threw => (Code::E0519, story.words.clone()),
        Failure::WrongAnswer => titled(Code::E0521),
        Failure::NeverSettles => titled(Code::E0520),
        Failure::OutOfMemory => (Code::E0503, bounds.memory.unwrap_or_else(|| Code::E0503.title().to_owned())),
        Failure::Interrupted => (Code::E0502, format!("{}: {}", Code::E0502.title(), limits::time_allowed(bounds.time))),
    };
    Fault { code, message: story.sentence(&words), backtrace: story.lines() }
}

/// Whether this is what an engine throws that has no memory: an error that says so, or nothing, when there is none left for an error.
fn is_of_memory(thrown: &Thrown) -> bool {
    let Thrown { name, message, stack: _, causes: _ } = thrown;
    (name == "InternalError" && message == "out of memory") || (name.is_empty() && message == "null")
}

/// A rejected promise that nobody handles, as a line of log and the lines below it.
pub(crate) fn rejection(thrown: &Thrown, script: Option<&Script>) -> String {
    let story = Story::of(thrown, script);
    let sentence = story.sentence(&format!("unhandled rejection: {}", story.words));
    story.lines().into_iter().fold(sentence, |text, line| text + "\n    " + &line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_code_and_place() {
        let told = |failure, memory: Option<&str>| {
            let stack = "    at go (a.js:3:9)".to_owned();
            let thrown = Thrown { name: "E".into(), message: "m".into(), stack, causes: Vec::new() };
            let bounds = Bounds { memory: memory.map(str::to_owned), time: Elapsed::from_ns(2_000_000_000) };
            let fault = fault(&Uncaught { failure, thrown }, None, bounds);
            assert_eq!(fault.backtrace, ["at go (a.js:3:9)"]);
            (fault.code, fault.message)
        };
        assert_eq!(told(Failure::Threw, None), (Code::E0519, "E: m at a.js:3:9".into()));
        assert_eq!(told(Failure::OutOfMemory, Some("too much")), (Code::E0503, "too much at a.js:3:9".into()));
        let (code, message) = told(Failure::Interrupted, None);
        assert_eq!(
            (code, message.as_str()),
            (Code::E0502, "the function ran out of time: allowed 2.00 s (limits.time sets up to 900 s) at a.js:3:9")
        );
        assert_eq!(told(Failure::NeverSettles, None).0, Code::E0520);
        assert_eq!(told(Failure::WrongAnswer, None).0, Code::E0521);
    }
}
