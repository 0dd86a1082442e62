//! How stores fail.

use types::Code;

/// A store's failure. Every store uses these words, so that callers decide the same way everywhere.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Nobody knows whether it happened. The same call with the same idempotency key tells.
    #[error("the outcome is not known: {0}")]
    Ambiguous(String),
    /// The disk has no room; nothing was written.
    #[error("the disk is full")]
    Full,
    /// What was read is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The value is larger than the limit.
    #[error("{what} of {measured} bytes, allowed {allowed}")]
    TooLarge {
        /// What is too large: `key`, `value`, `transaction`.
        what: &'static str,
        /// Its size.
        measured: u64,
        /// The limit.
        allowed: u64,
    },
    /// More in one call than the limit.
    #[error("{measured} {what}, allowed {allowed}")]
    TooMany {
        /// What there are too many of, in plural: `writes and conditions`.
        what: &'static str,
        /// How many.
        measured: u64,
        /// The limit.
        allowed: u64,
    },
    /// The same idempotency or deduplication key came with something else before.
    #[error("the key {0:?} was used for something else")]
    Conflict(String),
    /// Something changed since the caller looked.
    #[error("changed in the meantime: {0}")]
    Changed(String),
    /// What was asked for does not exist.
    #[error("{0} does not exist")]
    Missing(String),
    /// A lease or an epoch is not the newest any more.
    #[error("superseded: {0}")]
    Fenced(String),
    /// What was asked for was trimmed away; the oldest that is left is named.
    #[error("compacted: the oldest left is {oldest}")]
    Compacted {
        /// The oldest that can still be read.
        oldest: u64,
    },
    /// The caller may not do this; nothing was written.
    #[error("{0}")]
    Denied(String),
    /// The engine refuses the statement, in its own words; nothing was written.
    #[error("{0}")]
    Rejected(String),
    /// It failed, and nothing was written.
    #[error("{0}")]
    Failed(String),
}

impl StoreError {
    /// The code that people see for it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Ambiguous(_) => Code::E0606,
            Self::Full => Code::E0602,
            Self::Damaged(_) => Code::E0603,
            Self::TooLarge { what: "key", .. } => Code::E0605,
            Self::TooLarge { what: "transaction", .. } => Code::E0608,
            Self::TooLarge { what: "event", .. } => Code::E0614,
            Self::TooLarge { what: "rows", .. } | Self::TooMany { what: "rows", .. } => Code::E0611,
            Self::TooMany { .. } => Code::E0608,
            Self::TooLarge { .. } => Code::E0604,
            Self::Denied(_) => Code::E0202,
            Self::Conflict(_) => Code::E0613,
            Self::Changed(_) | Self::Fenced(_) => Code::E0710,
            Self::Rejected(_) => Code::E0610,
            Self::Missing(_) => Code::E0609,
            Self::Compacted { .. } | Self::Failed(_) => Code::E0601,
        }
    }
}

impl From<StoreError> for types::Problem {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
