//! Lines of log with where they came from.

use ports::telemetry::LogRecord;
use types::{record::InvocationRecord, wire::view};

/// A line of log that a search found.
#[must_use]
pub fn log(found: &LogRecord) -> view::Log {
    let LogRecord { invocation, trace, app, env, function, at, line } = found;
    view::Log {
        at: at.to_rfc3339(),
        level: line.level.as_str().into(),
        app: app.to_string(),
        env: env.to_string(),
        function: function.to_string(),
        invocation: invocation.to_string(),
        trace: trace.to_string(),
        context: line.context.clone(),
        text: line.text.clone(),
    }
}

/// All lines of one invocation, oldest first.
#[must_use]
pub fn logs_of(record: &InvocationRecord) -> Vec<view::Log> {
    let line = |line: &types::journal::LogLine| LogRecord {
        invocation: record.id,
        trace: record.trace,
        app: record.app.clone(),
        env: record.env.clone(),
        function: record.function.clone(),
        at: record.at.plus(line.at),
        line: line.clone(),
    };
    record.logs.iter().map(|entry| log(&line(entry))).collect()
}
