//! What an error from the engine means to a person: a code, a sentence, and the guest's calls.

use std::time::Duration;

use ports::runtime::Fault;
use types::{ByteCount, Code, Elapsed, limits};
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::{
    backtrace::{self, printable},
    component::Places,
    engine::WASM_STACK,
    limits::Denied,
    script::report::{self, Bounds},
    stop::Stop,
};

/// The longest message, in characters.
const MESSAGE_CHARS: usize = 2_000;

/// What ran.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// Code whose places can be told, with the time that it had.
    Code(&'a Places, Duration),
    /// Nothing more is known.
    Unknown,
}

/// Why the guest was stopped. `denied` is the last growth that it was denied.
pub(crate) fn fault(error: &Error, denied: Option<Denied>, origin: Origin<'_>) -> Fault {
    if let (Some(Stop::Uncaught(uncaught)), Origin::Code(Places::Script(sources), time)) = (error.downcast_ref::<Stop>(), origin)
    {
        let bounds = Bounds { memory: memory_words(denied), time: Elapsed::from(time) };
        return report::fault(uncaught, sources.read().as_deref(), bounds);
    }
    let table = match origin {
        Origin::Code(Places::Lines(path), _) => Some(backtrace::read_lines(path)),
        // The calls are the engine's own, and tell nobody anything about the script.
        Origin::Code(Places::Script(_), _) => None,
        Origin::Unknown => Some(Vec::new()),
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>().zip(table);
    let backtrace = backtrace.map(|(backtrace, table)| backtrace::render(backtrace, &table)).unwrap_or_default();
    let (code, message) = reason(error, denied);
    Fault { code, message: printable(&message, MESSAGE_CHARS), backtrace }
}

/// Why the guest counts as stopped although it returned.
pub(crate) fn stopped(stop: &Stop) -> Fault {
    let (code, message) = reason_of(stop);
    Fault { code, message: printable(&message, MESSAGE_CHARS), backtrace: Vec::new() }
}

fn reason(error: &Error, denied: Option<Denied>) -> (Code, String) {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return reason_of(stop);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return reason_of_trap(*trap, denied);
    }
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return (Code::E0512, format!("{}: {full}", Code::E0512.title()));
    }
    match denied {
        // Memory or a table that the instance was to be born with.
        Some(denied) if error.downcast_ref::<WasmBacktrace>().is_none() => out_of_memory(denied),
        _ => (Code::E0501, format!("{}: {}", Code::E0501.title(), rule_words(&error.root_cause().to_string()))),
    }
}

fn reason_of(stop: &Stop) -> (Code, String) {
    match stop {
        Stop::Exited { status } => (Code::E0515, format!("{} with status {status}", Code::E0515.title())),
        Stop::Diverged => (Code::E0803, stop.to_string()),
        Stop::TooManyHandles { allowed } => {
            (Code::E0506, format!("{}: handles more than {allowed}, allowed {allowed}", Code::E0506.title()))
        }
        Stop::Uncaught(uncaught) => (Code::E0519, format!("{}: {}", Code::E0519.title(), uncaught.thrown.message)),
        Stop::Misuse(what) => (Code::E0501, format!("{}: {what}", Code::E0501.title())),
        Stop::Failed(failure) => (failure.code, failure.message.clone()),
    }
}

fn reason_of_trap(trap: Trap, denied: Option<Denied>) -> (Code, String) {
    // Guests answer a denied growth by aborting, or by using the null pointer that they were given.
    let follows_denial = matches!(trap, Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds);
    match (trap, denied) {
        (Trap::StackOverflow, _) => {
            let allowed = ByteCount(WASM_STACK as u64);
            (Code::E0508, format!("{}: stack more than {allowed}, allowed {allowed}", Code::E0508.title()))
        }
        (_, Some(denied)) if follows_denial => out_of_memory(denied),
        _ => (Code::E0501, format!("{}: {}", Code::E0501.title(), trap_words(trap))),
    }
}

/// That memory ran out, if a growth was denied.
pub(crate) fn memory_words(denied: Option<Denied>) -> Option<String> {
    denied.map(|denied| out_of_memory(denied).1)
}

fn out_of_memory(denied: Denied) -> (Code, String) {
    let title = Code::E0503.title();
    let message = match denied {
        Denied::Memory { wanted, allowed } => {
            let (wanted, allowed, most) = (ByteCount(wanted), ByteCount(allowed), limits::MEMORY_MAX);
            format!("{title}: memory {wanted}, allowed {allowed} (limits.memory sets up to {most})")
        }
        Denied::Table { wanted, allowed } => format!("{title}: table elements {wanted}, allowed {allowed}"),
    };
    (Code::E0503, message)
}

/// The engine's words for a broken rule of the component model: a handle that is none, a list longer than its memory, or a call of what
/// nobody serves, for which it knows no type.
fn rule_words(told: &str) -> String {
    match told.strip_prefix("unknown import: `").and_then(|rest| rest.split_once('`')) {
        Some((import, _)) => format!("it called {import}, which dayfly does not serve"),
        None => told.to_owned(),
    }
}

/// The engine's words for a trap, and plainer ones where its own need knowledge of Wasm.
fn trap_words(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => {
            "it reached code that must not be reached (a panic, an abort or a failed assertion)".into()
        }
        Trap::MemoryOutOfBounds => "it used memory that it does not have".into(),
        Trap::IndirectCallToNull => "it called a function pointer that is null".into(),
        Trap::BadSignature => "it called a function pointer of another type".into(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: Error, denied: Option<Denied>, expected: (Code, &str)) {
        let fault = fault(&error, denied, Origin::Unknown);
        assert_eq!((fault.code, fault.message.as_str()), expected);
    }

    #[test]
    fn each_end_has_its_code() {
        let denied = Some(Denied::Memory { wanted: 3 << 20, allowed: 2 << 20 });
        check(Stop::Exited { status: 7 }.into(), None, (Code::E0515, "the function exited with status 7"));
        check(Stop::Diverged.into(), None, (Code::E0803, "the replay diverged from the record"));
        check(Trap::IntegerDivisionByZero.into(), denied, (Code::E0501, "the function trapped: integer divide by zero"));
        check(
            Trap::UnreachableCodeReached.into(),
            denied,
            (Code::E0503, "the function ran out of memory: memory 3 MiB, allowed 2 MiB (limits.memory sets up to 1 GiB)"),
        );
        check(
            Trap::StackOverflow.into(),
            None,
            (Code::E0508, "the function overflowed its stack: stack more than 1 MiB, allowed 1 MiB"),
        );
        check(
            Error::msg("unknown import: `wasi:sockets/tcp@0.2.0#[method]tcp-socket.start-bind` has not been defined"),
            None,
            (
                Code::E0501,
                "the function trapped: it called wasi:sockets/tcp@0.2.0#[method]tcp-socket.start-bind, which dayfly does not serve",
            ),
        );
        check(Error::msg("unknown handle\u{1b}[2J"), None, (Code::E0501, "the function trapped: unknown handle\\u{1b}[2J"));
    }
}
