//! What tests through the program share: an app's folder, a node as a child process, an HTTP client that can misbehave, a server to call.
//!
//! Everything is bounded: commands by [`process::run`], waits by [`eventually`], sockets by their read timeout. Children die with their handle.

pub(crate) mod app;
pub(crate) mod disk;
pub(crate) mod http;
pub(crate) mod node;
pub(crate) mod packages;
pub(crate) mod process;
pub(crate) mod text;
pub(crate) mod upstream;

pub(crate) use app::{Folder, program, repository};
pub(crate) use disk::SmallDisk;
pub(crate) use http::{Request, Response};
pub(crate) use node::Node;
pub(crate) use process::{Finished, dayfly, run};
pub(crate) use upstream::Upstream;

use std::{thread, time::Duration};

const POLL_PAUSE: Duration = Duration::from_millis(25);
/// Five minutes: compiling what JavaScript or Python became takes half of one where tests share two cores, and some where others do too.
const POLLS_MAX: u32 = 12_000;

/// Asks again and again until there is something.
///
/// # Panics
/// If there is nothing after five minutes; the message says what was waited for.
pub(crate) fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    sooner_or_later(ask).unwrap_or_else(|| panic!("waited five minutes in vain: {what}"))
}

/// Asks again and again until there is something; nothing if there is none after five minutes.
pub(crate) fn sooner_or_later<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    (0..POLLS_MAX).find_map(|_| {
        ask().or_else(|| {
            thread::sleep(POLL_PAUSE);
            None
        })
    })
}

/// The text holds the part; if not, both are shown.
#[track_caller]
pub(crate) fn assert_has(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is missing in:\n{text}");
}
