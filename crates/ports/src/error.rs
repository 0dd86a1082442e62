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
    /// An error as a record of the call has it: the same code and the same words, so that a replayed guest is told the same.
    #[error("{}", .0.message)]
    Recorded(types::journal::Failure),
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
            Self::TooLarge { what: "transaction" | "effects", .. } => Code::E0608,
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
            Self::Recorded(failure) => failure.code,
        }
    }

    /// The error again from how a record tells it: what callers tell apart by more than its code is what it was.
    #[must_use]
    pub fn from_record(failure: types::journal::Failure) -> Self {
        let oldest = failure.message.strip_prefix("compacted: the oldest left is ").and_then(|oldest| oldest.parse().ok());
        match (failure.code, oldest) {
            (Code::E0202, _) => Self::Denied(failure.message),
            (Code::E0601, Some(oldest)) => Self::Compacted { oldest },
            _ => Self::Recorded(failure),
        }
    }
}

impl From<StoreError> for types::Problem {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use types::journal::Failure;

    use super::*;

    #[test]
    fn a_recorded_error_has_the_same_code_and_words() {
        let errors = [
            StoreError::Compacted { oldest: 7 },
            StoreError::Denied("no".into()),
            StoreError::Rejected("no such table".into()),
            StoreError::TooLarge { what: "event", measured: 2, allowed: 1 },
            StoreError::Conflict("key".into()),
        ];
        for error in errors {
            let again = StoreError::from_record(Failure { code: error.code(), message: error.to_string() });
            assert_eq!((again.code(), again.to_string()), (error.code(), error.to_string()));
        }
        let compacted = Failure { code: Code::E0601, message: StoreError::Compacted { oldest: 7 }.to_string() };
        assert!(matches!(StoreError::from_record(compacted), StoreError::Compacted { oldest: 7 }));
    }
}
