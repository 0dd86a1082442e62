//! One error for every service.

use std::fmt;

use crate::bindings::{events, keyvalue, queue, sql, stream};

/// Why a call failed. Prints as its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What happened, for people.
    pub message: String,
}

/// The kinds of failure that programs decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The manifest does not grant it. The message says what to add.
    AccessDenied,
    /// Over a limit. The message has what was measured and what is allowed.
    TooLarge,
    /// What was given breaks a rule of the service.
    Invalid,
    /// A deduplication key was used for something else.
    Conflict,
    /// The record that was asked for is gone; the oldest that is left has this number.
    Trimmed(u64),
    /// The database's engine refuses the statement.
    Sql,
    /// Others hold it.
    Busy,
    /// Nobody knows whether it happened.
    UnknownOutcome,
    /// Not now: the disk is full, say.
    Unavailable,
    /// Anything else.
    Other,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
    /// An error that no program decides by.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Kind::Other, message)
    }
    /// What an interface told in words alone.
    pub(crate) fn words(message: String) -> Self {
        let kind = if message.starts_with("access denied") { Kind::AccessDenied } else { Kind::Other };
        Self { kind, message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::other(error.to_string())
    }
}

impl From<queue::producer::Error> for Error {
    fn from(error: queue::producer::Error) -> Self {
        use queue::producer::Error as E;
        match error {
            E::AccessDenied(text) => Self::new(Kind::AccessDenied, text),
            E::TooLarge(text) => Self::new(Kind::TooLarge, text),
            E::Invalid(text) => Self::new(Kind::Invalid, text),
            E::Conflict(text) => Self::new(Kind::Conflict, text),
            E::UnknownOutcome(text) => Self::new(Kind::UnknownOutcome, text),
            E::Unavailable(text) => Self::new(Kind::Unavailable, text),
            E::Other(text) => Self::other(text),
        }
    }
}
impl From<stream::log::Error> for Error {
    fn from(error: stream::log::Error) -> Self {
        use stream::log::Error as E;
        match error {
            E::AccessDenied(text) => Self::new(Kind::AccessDenied, text),
            E::TooLarge(text) => Self::new(Kind::TooLarge, text),
            E::Conflict(text) => Self::new(Kind::Conflict, text),
            E::Trimmed(oldest) => Self::new(Kind::Trimmed(oldest), format!("trimmed: the oldest left is {oldest}")),
            E::UnknownOutcome(text) => Self::new(Kind::UnknownOutcome, text),
            E::Unavailable(text) => Self::new(Kind::Unavailable, text),
            E::Other(text) => Self::other(text),
        }
    }
}
impl From<sql::database::Error> for Error {
    fn from(error: sql::database::Error) -> Self {
        use sql::database::Error as E;
        match error {
            E::AccessDenied(text) => Self::new(Kind::AccessDenied, text),
            E::TooLarge(text) => Self::new(Kind::TooLarge, text),
            E::Sql(text) => Self::new(Kind::Sql, text),
            E::Busy(text) => Self::new(Kind::Busy, text),
            E::TooManyConnections => Self::new(Kind::TooLarge, "too many connections are open: close one"),
            E::UnknownOutcome(text) => Self::new(Kind::UnknownOutcome, text),
            E::Unavailable(text) => Self::new(Kind::Unavailable, text),
            E::Other(text) => Self::other(text),
        }
    }
}
impl From<events::bus::Error> for Error {
    fn from(error: events::bus::Error) -> Self {
        use events::bus::Error as E;
        match error {
            E::AccessDenied(text) => Self::new(Kind::AccessDenied, text),
            E::TooLarge(text) => Self::new(Kind::TooLarge, text),
            E::Invalid(text) => Self::new(Kind::Invalid, text),
            E::UnknownOutcome(text) => Self::new(Kind::UnknownOutcome, text),
            E::Unavailable(text) => Self::new(Kind::Unavailable, text),
            E::Other(text) => Self::other(text),
        }
    }
}
impl From<keyvalue::store::Error> for Error {
    fn from(error: keyvalue::store::Error) -> Self {
        use keyvalue::store::Error as E;
        match error {
            E::AccessDenied => Self::new(Kind::AccessDenied, "access denied: the manifest does not grant it"),
            E::NoSuchStore => Self::new(Kind::AccessDenied, "there is no such store"),
            E::Other(text) => Self::other(text),
        }
    }
}
