//! `dayfly:js/report`: what the JavaScript engine tells of a script. Nothing of it is recorded, since it only ends a run or describes what was.

use types::journal::Level;

use super::{
    Host,
    bindings::dayfly::js::{
        report::{self, Failure},
        types::{self as wit, Thrown},
    },
};
use crate::{
    script::{
        convert,
        report::{self as told, Uncaught},
    },
    stop::Stop,
};

/// The context of lines that the engine has logged.
const CONTEXT: &str = "script";

impl wit::Host for Host {}

impl report::Host for Host {
    fn uncaught(&mut self, failure: Failure, thrown: Thrown) -> wasmtime::Result<()> {
        let failure = match failure {
            Failure::Threw => told::Failure::Threw,
            Failure::WrongAnswer => told::Failure::WrongAnswer,
            Failure::NeverSettles => told::Failure::NeverSettles,
            Failure::OutOfMemory => told::Failure::OutOfMemory,
            Failure::Interrupted => told::Failure::Interrupted,
        };
        Err(Stop::Uncaught(Box::new(Uncaught { failure, thrown: convert::thrown(thrown) })).into())
    }

    fn unhandled_rejection(&mut self, thrown: Thrown) -> wasmtime::Result<()> {
        let script = self.script.as_ref().and_then(|texts| texts.read());
        self.scope.log(Level::Warn, CONTEXT, &told::rejection(&convert::thrown(thrown), script));
        Ok(())
    }

    fn interrupted(&mut self) -> wasmtime::Result<bool> {
        Ok(self.scope.is_overdue())
    }
}
