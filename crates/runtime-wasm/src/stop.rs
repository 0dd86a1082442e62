//! Why the host ends a guest from within one of its calls.
//!
//! Host functions return a [`Stop`] as their error when the guest must not go on; wasmtime carries it out through the guest's frames,
//! and [`crate::ended`] turns it into the fault that people see. What a guest may survive is a result of its interface and no `Stop`.

use types::journal::Failure;

use crate::script::report::Uncaught;

/// Ends the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The guest called `wasi:cli/exit`.
    #[error("exited with status {status}")]
    Exited {
        /// The status; 0 is success.
        status: u8,
    },
    /// The replay met a question that the record does not have here. The tape has the details.
    #[error("the replay diverged from the record")]
    Diverged,
    /// The guest holds as many resource handles as it may.
    #[error("more than {allowed} handles")]
    TooManyHandles {
        /// The limit.
        allowed: usize,
    },
    /// The guest broke a rule of an interface for which the interface knows no error, such as polling nothing.
    #[error("{0}")]
    Misuse(String),
    /// A script ended, and its engine said why.
    #[error("the script ended: {}", .0.thrown.message)]
    Uncaught(Box<Uncaught>),
    /// A failure with a code of its own.
    #[error("{}", .0.message)]
    Failed(Failure),
}

impl From<ports::tape::Diverged> for Stop {
    fn from(_: ports::tape::Diverged) -> Self {
        Self::Diverged
    }
}
