//! Views that the golden tests draw.

use types::wire::view::{Failure, Log, Money, Refusal, Request, Span, SpanKind, Start, Trace, Usage};

fn text(text: &str) -> String {
    text.to_owned()
}

pub(crate) fn money() -> Money {
    Money { amount: text("0.0000004"), currency: text("EUR") }
}

pub(crate) fn request() -> Request {
    Request {
        invocation: text("inv_01kajexample0000000000000a"),
        trace: text("7f3a7651916cd43dd8448eb211c80319"),
        short: text("7f3a"),
        app: text("hello"),
        env: text("dev"),
        function: text("api"),
        revision: 3,
        cause: text("GET /ada"),
        status: 200,
        error: false,
        at: text("2026-11-21T12:01:07.123456789Z"),
        duration_ns: 1_300_000,
        start: Start { class: text("resident"), queued_ns: 0, loaded_ns: 0, instantiated_ns: 400_000, total_ns: 400_000 },
        usage: Usage { requests: 1, cpu_ns: 200_000, memory_peak_bytes: 2_100_000, ..Usage::default() },
        cost: money(),
        failure: None,
        attempt: 0,
        depth: 0,
        links: Vec::new(),
        refusals: Vec::new(),
        log_lines: 0,
        logs: Vec::new(),
        replayable: false,
    }
}

pub(crate) fn log(context: &str, line: &str) -> Log {
    Log {
        at: text("2026-11-21T12:01:07.123456789Z"),
        level: text(if context == "stderr" { "error" } else { "info" }),
        app: text("hello"),
        env: text("dev"),
        function: text("api"),
        invocation: text("inv_01kajexample0000000000000a"),
        trace: text("7f3a7651916cd43dd8448eb211c80319"),
        context: text(context),
        text: text(line),
    }
}

pub(crate) fn failing() -> Request {
    Request {
        short: text("81bc"),
        status: 502,
        error: true,
        failure: Some(Failure {
            code: text("E0501"),
            title: text("the function trapped"),
            message: text("the function trapped: unreachable code was reached"),
            source: Vec::new(),
            backtrace: vec![text("0: api::handle  src/lib.rs:12"), text("1: api::main\x1b[2J")],
        }),
        refusals: vec![Refusal { offset_ns: 400_000, code: text("E0207"), message: text("api may not reach api.github.com") }],
        log_lines: 12,
        logs: vec![log("stdout", "hello"), log("stderr", "panicked at \x1b[31msrc/lib.rs:12")],
        replayable: true,
        ..request()
    }
}

/// A failure of a script.
pub(crate) fn thrown() -> Failure {
    Failure {
        code: text("E0519"),
        title: text("the function threw an exception"),
        message: text("TypeError: cannot read property 'total' of undefined at src/api.ts:12:16"),
        source: vec![text("12 |   return order.total\x1b[2J"), text("   |                ^")],
        backtrace: vec![
            text("  price (src/api.ts:12:16)"),
            text("  fetch (src/api.ts:3:10)"),
            text("  caused by: RangeError: no"),
        ],
    }
}

fn span(kind: SpanKind, name: &str, result: &str, at: u64, duration: u64, children: Vec<Span>) -> Span {
    let (name, result) = (text(name), text(result));
    Span { kind, name, result, failed: false, offset_ns: at, duration_ns: duration, invocation: None, failure: None, children }
}

pub(crate) fn trace() -> Trace {
    use SpanKind::{Call, Handler, Invocation, Start};
    let calls = vec![
        span(Call, "kv.cache get \"ada\"", "miss", 500_000, 100_000, vec![]),
        span(Call, "GET api.github.com/users/ada", "200", 700_000, 141_200_000, vec![]),
        span(Call, "kv.cache put \"ada\"", "", 142_000_000, 200_000, vec![]),
    ];
    let phases = vec![span(Start, "queued", "", 0, 100_000, vec![]), span(Start, "instantiated", "", 100_000, 300_000, vec![])];
    let parts = vec![
        span(Start, "start (from pool)", "", 0, 400_000, phases),
        span(Handler, "api handler", "", 400_000, 142_300_000, calls),
    ];
    Trace {
        trace: text("9d027651916cd43dd8448eb211c80319"),
        short: text("9d02"),
        cause: text("GET /ada"),
        status: 200,
        error: false,
        at: text("2026-11-21T12:01:07.123456789Z"),
        duration_ns: 142_700_000,
        roots: vec![span(Invocation, "api GET /ada", "200", 0, 142_700_000, parts)],
        log_lines: 2,
        usage: Usage { cpu_ns: 600_000, memory_peak_bytes: 3_000_000, ..Usage::default() },
        cost: money(),
        replayable: vec![text("inv_01kajexample0000000000000a")],
    }
}
