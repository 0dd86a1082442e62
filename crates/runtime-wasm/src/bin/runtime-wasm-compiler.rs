//! The compiler as a program of its own, for tests and measurements. In the platform the one binary plays this part itself.

fn main() -> std::process::ExitCode {
    runtime_wasm::compile_child_main(std::env::args_os().skip(1))
}
