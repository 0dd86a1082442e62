//! The words for calls that did not come through.

use types::{Code, journal::Failure};

/// Something that may not be sent: not by anybody, or not by this function.
pub(crate) fn not_sendable(message: impl Into<String>) -> Failure {
    Failure { code: Code::E0210, message: message.into() }
}

/// An address that only a reach with its port opens.
pub(crate) fn private(message: impl Into<String>) -> Failure {
    Failure { code: Code::E0208, message: message.into() }
}

/// Something that was sent, or was about to be, and failed.
pub(crate) fn failed(message: impl Into<String>) -> Failure {
    Failure { code: Code::E0209, message: message.into() }
}

/// What hyper has to say, with its causes: its own words are few.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}
