//! Logging with a level and a context. Standard output and error are logged too, as `info` and `error`.

use crate::bindings::logging::logging;

pub use logging::Level;

/// Logs a line.
pub fn log(level: Level, context: &str, message: &str) {
    logging::log(level, context, message);
}
/// Logs a line for people who look for a fault.
pub fn debug(context: &str, message: &str) {
    log(Level::Debug, context, message);
}
/// Logs a line.
pub fn info(context: &str, message: &str) {
    log(Level::Info, context, message);
}
/// Logs a line that somebody should look at some day.
pub fn warn(context: &str, message: &str) {
    log(Level::Warn, context, message);
}
/// Logs a line that somebody should look at now.
pub fn error(context: &str, message: &str) {
    log(Level::Error, context, message);
}
