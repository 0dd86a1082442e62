//! `wasi:cli`: the environment that the manifest sets, an end of its own will, and outputs that become log lines. No input, no terminal.

use wasmtime::component::Resource;

use super::{
    Host,
    bindings::wasi::cli::{
        environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin,
        terminal_stdout,
    },
    io::streams::{InputStream, OutputStream},
};
use crate::stop::Stop;

/// A terminal to read from. None is ever made.
pub enum TerminalInput {}
/// A terminal to write to. None is ever made.
pub enum TerminalOutput {}

impl environment::Host for Host {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.scope.environment().iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for Host {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }
    fn exit_with_code(&mut self, status: u8) -> wasmtime::Result<()> {
        Err(Stop::Exited { status }.into())
    }
}

impl stdin::Host for Host {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<InputStream>> {
        Ok(self.table.push(InputStream::Closed)?)
    }
}
impl stdout::Host for Host {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<OutputStream>> {
        Ok(self.table.push(OutputStream::Stdout)?)
    }
}
impl stderr::Host for Host {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<OutputStream>> {
        Ok(self.table.push(OutputStream::Stderr)?)
    }
}

impl terminal_input::Host for Host {}
impl terminal_input::HostTerminalInput for Host {
    fn drop(&mut self, _: Resource<TerminalInput>) -> wasmtime::Result<()> {
        Ok(())
    }
}
impl terminal_output::Host for Host {}
impl terminal_output::HostTerminalOutput for Host {
    fn drop(&mut self, _: Resource<TerminalOutput>) -> wasmtime::Result<()> {
        Ok(())
    }
}
impl terminal_stdin::Host for Host {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<TerminalInput>>> {
        Ok(None)
    }
}
impl terminal_stdout::Host for Host {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<TerminalOutput>>> {
        Ok(None)
    }
}
impl terminal_stderr::Host for Host {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<TerminalOutput>>> {
        Ok(None)
    }
}
