//! Component functions on wasmtime: checks, compiles, keeps, loads and runs them.
//!
//! The only crate that names wasmtime; no type of it crosses this border. The life of a component, file by file: [`artifact`] checks
//! it, [`compile`] turns it into machine code in a child process, [`cache`] keeps the code on disk, [`component`] and
//! [`resident`] hold it in memory, [`run`] makes an instance for each call, [`host`] serves what the guest imports, and [`ended`], [`backtrace`] and [`lines`] make its end readable.

mod artifact;
mod backtrace;
mod cache;
mod compile;
mod component;
mod ended;
mod engine;
mod host;
mod limits;
mod lines;
mod resident;
mod run;
mod runtime;
mod script;
mod stop;
mod ticker;

pub use compile::{Compiler, compile_child_main};
pub use engine::EngineSettings;
pub use runtime::{WasmRuntime, WasmSettings};
pub use script::ScriptEngine;

use runtime::blocking;
