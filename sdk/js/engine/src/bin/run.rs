//! Runs a module natively, with the prelude: `cargo run --bin run -- FILE.mjs`. Modules that it imports are relative files.

use std::process::ExitCode;

use engine::machine::Machine;

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: run FILE.mjs");
        return ExitCode::FAILURE;
    };
    let machine = match Machine::new() {
        Ok(machine) => machine,
        Err(thrown) => {
            eprintln!("the prelude threw: {}: {}\n{}", thrown.name, thrown.message, thrown.stack);
            return ExitCode::FAILURE;
        }
    };
    match machine.run(engine::host::fake::files::script(&file)) {
        Ok(()) => ExitCode::SUCCESS,
        Err((failure, thrown)) => {
            eprintln!("{failure:?}: {}: {}\n{}", thrown.name, thrown.message, thrown.stack);
            for cause in thrown.causes {
                eprintln!("caused by {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
