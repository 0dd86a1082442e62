//! `dayfly:js/report`.

use super::bindings::dayfly::js::{report, types};
use crate::script::{Failure, Thrown};

pub(crate) use report::interrupted;

/// Tells of a rejection that nobody handled.
pub(crate) fn unhandled_rejection(thrown: &Thrown) {
    report::unhandled_rejection(&to_wit(thrown.clone()));
}

/// Ends the invocation.
pub(crate) fn uncaught(failure: Failure, thrown: Thrown) {
    let failure = match failure {
        Failure::Threw => report::Failure::Threw,
        Failure::WrongAnswer => report::Failure::WrongAnswer,
        Failure::NeverSettles => report::Failure::NeverSettles,
        Failure::OutOfMemory => report::Failure::OutOfMemory,
        Failure::Interrupted => report::Failure::Interrupted,
    };
    report::uncaught(failure, &to_wit(thrown));
}

/// The record of the interface.
pub(crate) fn to_wit(thrown: Thrown) -> types::Thrown {
    let Thrown { name, message, stack, causes } = thrown;
    types::Thrown { name, message, stack, causes }
}
