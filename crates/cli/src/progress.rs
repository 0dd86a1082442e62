//! Something that moves while something else takes long: only for a person at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print;

/// How often it moves.
const TICK: Duration = Duration::from_millis(120);

/// A line that moves until it is dropped. It draws nothing where nobody looks, so that it can be made anywhere.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows that this is being done: `building api`.
    pub(crate) fn start(what: &str) -> Self {
        let target = if print::is_watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(" {spinner} {msg}   {elapsed}").expect("the template is right");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style).with_message(what.to_owned());
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
