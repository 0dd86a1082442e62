//! The composition root: the one crate that knows all others, and the program `dayfly`.
//!
//! [`registry`] is the only file that names implementations; `node` starts and stops them; the command line is `cli`'s.

pub mod config;
mod fatal;
mod files;
mod folder;
mod keys;
mod lanes;
mod listen;
mod logging;
mod node;
mod registry;
mod replay;
mod sweep;

use std::{env, process::ExitCode, sync::Arc};

pub use node::LocalNode;

/// The program. As the compiler's child it compiles one component and ends; else it is the command line.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    // Before all else: the child has no use for anything below, and it lives under limits.
    if env::args_os().nth(1).is_some_and(|first| first == config::COMPILE_CHILD) {
        arguments.next();
        return runtime_wasm::compile_child_main(arguments);
    }
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("nobody has installed a provider before");
    logging::start();
    let compiler = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("dayfly can't find its own program: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Commands wait for the network and for people; a node that they start has threads of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(COMMAND_THREADS).enable_all().build();
    match runtime {
        Ok(runtime) => ExitCode::from(runtime.block_on(cli::run(env::args_os().collect(), Arc::new(LocalNode { compiler })))),
        Err(error) => {
            eprintln!("dayfly can't start its threads: {error}");
            ExitCode::FAILURE
        }
    }
}

const COMMAND_THREADS: usize = 2;
