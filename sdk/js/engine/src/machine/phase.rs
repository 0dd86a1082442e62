//! Where the instance stands in its life, and what may be done there.
//!
//! What is evaluated at deploy becomes part of the image that each request starts from. So it must be the same whenever it is made
//! again: nothing of the outside world may flow into it.

use std::cell::Cell;

use rquickjs::{Ctx, Exception, Result};

/// A phase of an instance's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The prelude is evaluated.
    Setup,
    /// The script's top-level code is evaluated.
    Load,
    /// An invocation runs.
    Serve,
}

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Setup) };
}

/// The present phase.
pub fn current() -> Phase {
    PHASE.get()
}

/// Begins a phase.
pub(crate) fn enter(phase: Phase) {
    PHASE.set(phase);
}

/// Throws at top level. `what` begins the sentence: `fetch`, `a timer`.
pub(crate) fn only_when_serving(ctx: &Ctx<'_>, what: &str) -> Result<()> {
    if current() == Phase::Serve {
        return Ok(());
    }
    let message = format!(
        "{what} is not available in top-level code, which runs once at deploy, and not for each request; use it inside a handler"
    );
    Err(Exception::throw_message(ctx, &message))
}
