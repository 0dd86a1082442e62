//! Asking stores, for every interface alike: waiting for the answer, and how a failure is told.
//!
//! What a guest learns of a failure is its kind and its words, both of which a record has: a replayed guest is told the same.

use std::pin::pin;

use ports::StoreError;
use types::{Code, journal::Failure};

use super::Host;

/// What a call gives: the end of the guest outside, a failure that it may survive inside.
pub(crate) type Answered<T, E> = wasmtime::Result<Result<T, E>>;

/// A failure as interfaces tell it.
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// The kinds of failure that interfaces tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not granted, or not for this.
    AccessDenied,
    /// Over a limit.
    TooLarge,
    /// A key was used for something else.
    Conflict,
    /// The engine refuses the statement.
    Rejected,
    /// Others were faster, or hold it.
    Busy,
    /// Nobody knows whether it happened.
    UnknownOutcome,
    /// Not now.
    Unavailable,
    /// Anything else.
    Other,
}

impl Kind {
    fn of(code: Code) -> Self {
        match code {
            Code::E0201 | Code::E0202 => Self::AccessDenied,
            Code::E0604 | Code::E0605 | Code::E0608 | Code::E0611 | Code::E0614 => Self::TooLarge,
            Code::E0613 => Self::Conflict,
            Code::E0610 => Self::Rejected,
            Code::E0710 => Self::Busy,
            Code::E0606 => Self::UnknownOutcome,
            Code::E0602 => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

impl From<StoreError> for Told {
    fn from(error: StoreError) -> Self {
        Self { kind: Kind::of(error.code()), text: error.to_string() }
    }
}
impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        Self { kind: Kind::of(failure.code), text: failure.message }
    }
}

/// That there is more in one call than is allowed, found before any store is asked.
pub(crate) fn too_many(what: &'static str, measured: usize, allowed: usize) -> Told {
    StoreError::TooMany { what, measured: measured as u64, allowed: allowed as u64 }.into()
}

impl Host {
    /// Waits for a store, while everything else that the guest has under way goes on.
    pub(crate) async fn asked<T>(&mut self, call: impl Future<Output = Result<T, StoreError>>) -> Answered<T, StoreError> {
        let mut call = pin!(call);
        self.wait(|_, cx| Ok(call.as_mut().poll(cx))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_of_the_same_kind_when_it_comes_from_a_record() {
        let errors = [
            StoreError::Denied("no".into()),
            StoreError::TooLarge { what: "event", measured: 2, allowed: 1 },
            StoreError::Conflict("k".into()),
            StoreError::Rejected("syntax".into()),
            StoreError::Changed("x".into()),
            StoreError::Ambiguous("x".into()),
            StoreError::Full,
            StoreError::Failed("x".into()),
        ];
        let kinds: Vec<Kind> = errors.iter().map(|error| Kind::of(error.code())).collect();
        use Kind::{AccessDenied, Busy, Conflict, Other, Rejected, TooLarge, Unavailable, UnknownOutcome};
        assert_eq!(kinds, [AccessDenied, TooLarge, Conflict, Rejected, Busy, UnknownOutcome, Unavailable, Other]);
        for error in errors {
            let recorded = StoreError::from_record(Failure { code: error.code(), message: error.to_string() });
            let (told, again) = (Told::from(error), Told::from(recorded));
            assert_eq!((told.kind, told.text), (again.kind, again.text));
        }
    }
}
