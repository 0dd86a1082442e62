//! What a checkout needs done, for people and for CI alike: `cargo xtask COMMAND`.
//!
//! A fresh machine can lack nearly everything. Each command finds out what it needs, installs what it may, and fails naming the rest;
//! nothing is skipped. What takes long is kept in the user's cache folder, so that the next clone has it at once.

mod clients;
mod engine;
mod host;
mod npm;
mod paths;
mod programs;
mod python_env;
mod run;
mod rust_wasi;

use anyhow::{Result, bail};
use paths::Paths;
use run::{Stages, cargo};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

const HELP: &str = "\
usage: cargo xtask COMMAND

  up [DIR] [ARGS…] build dayfly and start it with the app in DIR (examples/hello-js); ARGS go to `dayfly up`
  test [ARGS…]     set everything up and run all tests; ARGS go to cargo-nextest
  lint             formatting, clippy and licences
  setup            make the Rust toolchain for functions available
  programs         build the components that tests deploy, into target/programs
  engine [--check] build the JavaScript engine into sdk/js/dist, or compare that with its sources; takes clang-14
  clients          install what tests run of other people's: clients into target/clients, packages from npm into target/npm

options of setup, programs and test:
  --from-debian    assemble the toolchain from Debian's packages even where rustup has the target
";

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let from_debian = take_flag(&mut args, "--from-debian");
    match dispatch(&args, from_debian) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String], from_debian: bool) -> Result<ExitCode> {
    let paths = Paths::find()?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["up", rest @ ..] => up(&paths, rest),
        ["test", rest @ ..] => test(&paths, rest, from_debian),
        ["lint"] => lint(&paths),
        ["setup"] => {
            let toolchain = rust_wasi::ensure(&paths, from_debian)?;
            println!("{toolchain}");
            Ok(ExitCode::SUCCESS)
        }
        ["programs"] => {
            let toolchain = rust_wasi::ensure(&paths, from_debian)?;
            programs::build_all(&paths, &toolchain)?;
            Ok(ExitCode::SUCCESS)
        }
        ["engine", rest @ ..] if matches!(rest, [] | ["--check"]) => {
            let toolchain = rust_wasi::ensure(&paths, from_debian)?;
            if rest.is_empty() {
                engine::build(&paths, &toolchain)?
            } else {
                engine::check(&paths, &toolchain)?
            }
            Ok(ExitCode::SUCCESS)
        }
        ["clients"] => {
            clients::ensure(&paths)?;
            Ok(ExitCode::SUCCESS)
        }
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("cannot read the command `{}`\n\n{HELP}", args.join(" ")),
    }
}

/// Ends as the server that it becomes.
fn up(paths: &Paths, args: &[&str]) -> Result<ExitCode> {
    run::run(cargo().args(["build", "--package", "server"]).current_dir(&paths.root))?;
    // What the caller names is relative to where they are, our example to the checkout.
    let (app, rest) = match args {
        [app, rest @ ..] if !app.starts_with('-') => {
            // It may have functions in Rust; our own example has none, and needs no toolchain.
            rust_wasi::ensure(paths, false)?;
            (PathBuf::from(app), rest)
        }
        rest => (paths.root.join("examples/hello-js"), rest),
    };
    run::become_process(Command::new(paths.target.join("debug/dayfly")).arg("up").arg(app).args(rest))
}

fn test(paths: &Paths, nextest_args: &[&str], from_debian: bool) -> Result<ExitCode> {
    let mut stages = Stages::default();
    stages.time("cargo-nextest", || host::ensure_cargo_tool("nextest", "cargo-nextest"))?;
    let toolchain = stages.time("guest toolchain", || rust_wasi::ensure(paths, from_debian))?;
    stages.time("test programs", || programs::build_all(paths, &toolchain))?;
    stages.time("clients", || clients::ensure(paths))?;
    let sdk = ["test", "--locked", "--quiet"];
    let (sdk_target, sdk_root) = (paths.guests("sdk"), paths.root.join("sdk/rust"));
    stages.time("the SDK's tests", || run::run(cargo().args(sdk).env("CARGO_TARGET_DIR", &sdk_target).current_dir(&sdk_root)))?;
    let (engine_target, engine_root) = (paths.target.join("engine"), paths.root.join("sdk/js/engine"));
    stages.time("the JavaScript engine's tests", || {
        run::run(cargo().args(sdk).env("CARGO_TARGET_DIR", &engine_target).current_dir(&engine_root))
    })?;
    // Other tools make other bytes. What the engine does is tested everywhere, as it is shipped.
    if engine::is_checkable(paths, &toolchain) {
        stages.time("the shipped engine", || engine::check(paths, &toolchain))?;
    }
    let nextest = ["nextest", "run", "--workspace"];
    stages.time("build tests", || run::run(cargo().args(nextest).arg("--no-run").current_dir(&paths.root)))?;
    let passed = stages.time("run tests", || run::run(cargo().args(nextest).args(nextest_args).current_dir(&paths.root)));
    stages.print();
    passed.map(|()| ExitCode::SUCCESS)
}

fn lint(paths: &Paths) -> Result<ExitCode> {
    let mut stages = Stages::default();
    for workspace in [
        "",
        "tests/programs",
        "examples/hello/api",
        "examples/shop/functions",
        "examples/thumbnails-js/resize",
        "sdk/rust",
        "sdk/js/engine",
    ] {
        let folder = paths.root.join(workspace);
        stages.time("fmt", || run::run(cargo().args(["fmt", "--all", "--check"]).current_dir(&folder)))?;
    }
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    stages.time("clippy", || run::run(cargo().args(clippy).current_dir(&paths.root)))?;
    stages.time("cargo-deny", || host::ensure_cargo_tool("deny", "cargo-deny"))?;
    let deny = ["deny", "check", "licenses", "bans", "sources"];
    stages.time("deny", || run::run(cargo().args(deny).current_dir(&paths.root)))?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

fn take_flag(args: &mut Vec<String>, flag: &str) -> bool {
    let before = args.len();
    args.retain(|arg| arg != flag);
    args.len() != before
}
