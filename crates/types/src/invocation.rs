//! One run of a function: how it started and how it ended.

use serde::{Deserialize, Serialize};

use crate::{problem::Code, time::Elapsed};

/// Where the code came from when the invocation started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartClass {
    /// The compiled code was mapped in memory; a fresh instance came from the pool.
    Resident,
    /// The compiled code was mapped from disk first.
    Loaded,
    /// The code had to be compiled first.
    Compiled,
}

impl StartClass {
    /// The words for people.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Resident => "from pool",
            Self::Loaded => "loaded from disk",
            Self::Compiled => "compiled",
        }
    }
}

/// How an invocation's start was spent. The parts follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// What kind of start it was.
    pub class: StartClass,
    /// Waiting for a permit.
    pub queued: Elapsed,
    /// Getting the code: nothing when resident.
    pub loaded: Elapsed,
    /// Making the instance.
    pub instantiated: Elapsed,
}

impl Start {
    /// All parts together.
    #[must_use]
    pub fn total(&self) -> Elapsed {
        self.queued.plus(self.loaded).plus(self.instantiated)
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The function answered, with this HTTP status.
    Answered {
        /// The status code.
        status: u16,
    },
    /// The platform or the guest failed; the code says how.
    Failed {
        /// Which failure.
        code: Code,
        /// What happened, for people: one paragraph, the guest's backtrace after it.
        message: String,
        /// The status that the caller was given, where it had not been sent before.
        status: u16,
    },
}

impl Outcome {
    /// The status that the caller saw.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Answered { status } | Self::Failed { status, .. } => *status,
        }
    }
    /// Whether the invocation counts as an error: it failed, or answered 5xx.
    #[must_use]
    pub fn is_error(&self) -> bool {
        match self {
            Self::Answered { status } => *status >= 500,
            Self::Failed { .. } => true,
        }
    }
}
