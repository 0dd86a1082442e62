//! What records look like on a terminal: pure functions from the JSON that the control API answers to text, without colour.
//!
//! All text of guests goes through [`text::escaped`] on its way: a log line may hold any character, and a terminal obeys some.

pub(crate) mod cost;
pub(crate) mod failure;
pub(crate) mod logs;
pub(crate) mod request;
#[cfg(test)]
mod samples;
pub(crate) mod text;
pub(crate) mod trace;
