//! `wasi:logging`.

use super::bindings::wasi::logging0_1_0_draft::logging::{self, Level};

/// Writes a line to the function's log.
pub(crate) fn log(level: &str, line: &str) {
    let level = match level {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "warn" => Level::Warn,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => Level::Info,
    };
    logging::log(level, "", line);
}
