//! How commands end: the exit codes, and the error that carries a problem to its code.

use types::{Code, Problem};

/// What a command ends with. Nothing else is ever used.
pub mod code {
    /// Done.
    pub const DONE: u8 = 0;
    /// Failed.
    pub const FAILED: u8 = 1;
    /// The command line was not understood.
    pub const USAGE: u8 = 2;
    /// Denied by policy, a limit or a budget.
    pub const DENIED: u8 = 3;
    /// The target could not be reached, or failed.
    pub const REMOTE: u8 = 4;
}

/// Why a command failed: problems that are printed, one after the other.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Vec<Problem>);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}
impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}
impl From<std::io::Error> for Failure {
    /// For output that could not be written: everything else says what it was doing. Whoever closed our output has read enough, so
    /// that is no problem.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self(Vec::new());
        }
        Problem::new(Code::E0513, format!("cannot write the output: {error}")).into()
    }
}

/// What commands give.
pub(crate) type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// The exit code: the first problem decides; without one, all that was wanted is done.
    pub(crate) fn exit_code(&self) -> u8 {
        self.0.first().map_or(code::DONE, |problem| match problem.code {
            // A name in a manifest has a place there; without one it was typed.
            Code::E0111 if problem.place.is_none() => code::USAGE,
            code => of(code),
        })
    }
}

/// The exit code for an error code.
pub(crate) fn of(code: Code) -> u8 {
    match code {
        Code::E0201 | Code::E0202 | Code::E0207 | Code::E0208 | Code::E0210 | Code::E0505 | Code::E0702 => code::DENIED,
        Code::E0705 => code::REMOTE,
        Code::E0707 | Code::E0709 => code::USAGE,
        _ => code::FAILED,
    }
}
