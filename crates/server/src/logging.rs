//! What dayfly logs about itself, to standard error: warnings and worse, unless `DAYFLY_LOG` says otherwise. What functions log goes to
//! telemetry and never here.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::config::LOG_VARIABLE;

const DEFAULT: &str = "warn,s3s=off";

/// Starts logging. Called once.
pub(crate) fn start() {
    let filter = match std::env::var(LOG_VARIABLE) {
        Err(_) => EnvFilter::new(DEFAULT),
        Ok(text) => EnvFilter::try_new(&text).unwrap_or_else(|error| {
            eprintln!("{LOG_VARIABLE}={text:?} is not a filter and is ignored: {error}");
            EnvFilter::new(DEFAULT)
        }),
    };
    // Colour is a feature of the subscriber that is not built in: asking for it panics, and only where there is a terminal.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
}
