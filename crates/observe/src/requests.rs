//! One invocation as a row of a list, and as the line and the failure block that `up` prints.

use types::{
    Outcome, PriceSheet, Usage,
    invocation::{Start, StartClass},
    record::InvocationRecord,
    usage::{Services, Traffic},
    wire::view,
};

use crate::logs::logs_of;

/// Digits of a trace's short form.
const SHORT: usize = 4;

/// The invocation with its last `log_lines_max` lines of log.
#[must_use]
pub fn request(record: &InvocationRecord, prices: &PriceSheet, log_lines_max: usize) -> view::Request {
    let logs = logs_of(record);
    let log_lines = logs.len() as u64;
    view::Request {
        invocation: record.id.to_string(),
        trace: record.trace.to_string(),
        short: short(record.trace),
        app: record.app.to_string(),
        env: record.env.to_string(),
        function: record.function.to_string(),
        revision: record.revision.0,
        cause: record.cause.clone(),
        status: record.outcome.status(),
        error: record.outcome.is_error(),
        at: record.at.to_rfc3339(),
        duration_ns: record.duration.ns(),
        start: start(&record.start),
        usage: usage(&record.usage),
        cost: money(&record.usage, prices),
        failure: failure(&record.outcome),
        refusals: record.refusals.iter().map(refusal).collect(),
        log_lines,
        logs: logs.into_iter().skip((log_lines as usize).saturating_sub(log_lines_max)).collect(),
        replayable: record.journal_kept,
        attempt: record.delivery.attempt,
        depth: record.delivery.depth,
        links: record.delivery.links.iter().map(|link| link.trace.to_string()).collect(),
    }
}

/// The first digits of a trace's id, which people type; `t:` before them is for the eye.
pub(crate) fn short(trace: types::TraceId) -> String {
    trace.to_string().chars().take(SHORT).collect()
}

/// What the usage costs, all parts together.
pub(crate) fn money(usage: &Usage, prices: &PriceSheet) -> view::Money {
    view::Money { amount: prices.cost(usage).total().to_string(), currency: prices.currency.clone() }
}

/// The usage with units in its keys.
pub(crate) fn usage(usage: &Usage) -> view::Usage {
    let Usage {
        requests,
        wall,
        cpu,
        memory_peak,
        memory_time,
        bytes_in,
        bytes_out,
        kv_calls,
        outbound_calls,
        outbound_bytes,
        log_bytes,
        services: Services { queue, stream, sql, bucket, event },
    } = *usage;
    view::Usage {
        requests,
        wall_ns: wall.ns(),
        cpu_ns: cpu.ns(),
        memory_peak_bytes: memory_peak.0,
        memory_time_kib_us: memory_time.to_string(),
        in_bytes: bytes_in.0,
        out_bytes: bytes_out.0,
        kv_calls,
        outbound_calls,
        outbound_bytes: outbound_bytes.0,
        log_bytes: log_bytes.0,
        queue: traffic(queue),
        stream: traffic(stream),
        sql: traffic(sql),
        bucket: traffic(bucket),
        event: traffic(event),
    }
}

fn traffic(traffic: Traffic) -> view::Traffic {
    view::Traffic { calls: traffic.calls, bytes: traffic.bytes.0 }
}

fn start(start: &Start) -> view::Start {
    let class = match start.class {
        StartClass::Resident => "resident",
        StartClass::Loaded => "loaded",
        StartClass::Compiled => "compiled",
    };
    view::Start {
        class: class.into(),
        queued_ns: start.queued.ns(),
        loaded_ns: start.loaded.ns(),
        instantiated_ns: start.instantiated.ns(),
        total_ns: start.total().ns(),
    }
}

/// A failure's message is one paragraph. The line of the source may follow, with a mark below it, and then the guest's backtrace, a line a
/// frame.
#[must_use]
pub fn failure(outcome: &Outcome) -> Option<view::Failure> {
    let Outcome::Failed { code, message, .. } = outcome else { return None };
    let mut lines = message.lines();
    let message = lines.next().unwrap_or_default().to_owned();
    let mut rest = lines.map(str::trim_end).filter(|line| !line.is_empty()).peekable();
    let source = std::iter::from_fn(|| rest.next_if(|line| is_source(line)));
    Some(view::Failure {
        code: code.to_string(),
        title: code.title().into(),
        message,
        source: source.map(|line| line.strip_prefix(FRAME).unwrap_or(line).to_owned()).collect(),
        backtrace: rest.map(str::to_owned).collect(),
    })
}

/// What stands before each line below a message.
const FRAME: &str = "  ";

/// `12 | const price = …`, or the marks below it. No frame of a backtrace looks like this.
fn is_source(line: &str) -> bool {
    line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|')
}

fn refusal(refusal: &types::record::Refusal) -> view::Refusal {
    view::Refusal { offset_ns: refusal.at.ns(), code: refusal.code.to_string(), message: refusal.message.clone() }
}

#[cfg(test)]
mod tests {
    use testkit::suite::telemetry::{
        BEGINNING,
        records::{Chance, record},
    };
    use types::Code;

    use super::*;

    #[test]
    fn a_failure_has_the_line_of_the_source_apart_from_the_frames() {
        let failed = |message: &str| Outcome::Failed { code: Code::E0519, message: message.into(), status: 502 };
        let message = "TypeError: no at a.ts:9:3\n  9 |   f(x)\n    |   ^\n  g (a.ts:9:3)\n  caused by: RangeError: 1 | 2";
        let failure = failure(&failed(message)).expect("it failed");
        assert_eq!(failure.source, ["9 |   f(x)", "  |   ^"]);
        assert_eq!(failure.backtrace, ["  g (a.ts:9:3)", "  caused by: RangeError: 1 | 2"]);
        let plain = super::failure(&failed("trapped\n  0: |a| (x.rs)\n  1 | no source")).expect("it failed");
        assert_eq!((plain.source.len(), plain.backtrace.len()), (0, 2), "what comes later is no source");
    }

    #[test]
    fn a_request_tells_all_that_was_recorded() {
        let mut record = record(&mut Chance::new(4), BEGINNING);
        record.outcome =
            Outcome::Failed { code: Code::E0501, message: "unreachable\n  0: api::handle\n\n  1: main\n".into(), status: 502 };
        let view = request(&record, &PriceSheet::default(), 1);
        let failure = view.failure.expect("it failed");
        assert_eq!((failure.code.as_str(), failure.message.as_str()), ("E0501", "unreachable"));
        assert_eq!(failure.backtrace, ["  0: api::handle", "  1: main"]);
        assert_eq!((view.status, view.error, view.short.len()), (502, true, SHORT));
        assert!(view.trace.starts_with(&view.short));
        assert_eq!(view.log_lines, record.logs.len() as u64);
        assert_eq!(view.logs.len(), record.logs.len().min(1));
        assert_eq!(view.start.total_ns, record.start.total().ns());
        assert_eq!(view.usage.memory_time_kib_us, record.usage.memory_time.to_string());
    }
}
