//! What tests through the program share: an app's folder, a node as a child process, an HTTP client that can misbehave, a server to call.
//!
//! Everything is bounded: commands by [`process::run`], waits by [`eventually`], sockets by their read timeout. Children die with their handle.

pub(crate) mod app;
pub(crate) mod http;
pub(crate) mod node;
pub(crate) mod process;
pub(crate) mod text;
pub(crate) mod upstream;

pub(crate) use app::{Folder, program, repository};
pub(crate) use http::{Request, Response};
pub(crate) use node::Node;
pub(crate) use process::{Finished, dayfly, run};
pub(crate) use upstream::Upstream;

use std::{thread, time::Duration};

const POLL_PAUSE: Duration = Duration::from_millis(25);
/// A minute: nothing that is waited for takes a second on an idle machine, and tests share theirs.
const POLLS_MAX: u32 = 2_400;

/// Asks again and again until there is something.
///
/// # Panics
/// If there is nothing after a minute; the message says what was waited for.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..POLLS_MAX {
        if let Some(found) = ask() {
            return found;
        }
        thread::sleep(POLL_PAUSE);
    }
    panic!("waited a minute in vain: {what}");
}

/// The text holds the part; if not, both are shown.
#[track_caller]
pub(crate) fn assert_has(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is missing in:\n{text}");
}
