//! The child's side: takes its limits, compiles one file, ends.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use types::ByteCount;

use super::debug;

/// The child ended because the component is not valid; it said why.
pub(super) const INVALID: i32 = 2;
/// The child ended before it came to the component; it said why.
pub(super) const NOT_STARTED: i32 = 3;
/// The most compiled code that is written.
pub(super) const OUTPUT: ByteCount = ByteCount::mib(1024);

/// Compiles one component, as [`Compiler`](super::Compiler) asks: arguments are the file to read, the file to write, CPU seconds, and bytes of
/// memory. To be called by the program's `main` and by nothing else: it takes the process's limits down for good.
#[must_use]
pub fn compile_child_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (code, words) = match Task::from(arguments) {
        Err(words) => (NOT_STARTED, words),
        Ok(task) => match task.limit() {
            Err(words) => (NOT_STARTED, words),
            Ok(()) => match task.run() {
                Ok(()) => return ExitCode::SUCCESS,
                Err(failure) => failure,
            },
        },
    };
    eprintln!("{words}");
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

struct Task {
    source: PathBuf,
    target: PathBuf,
    cpu_secs_max: u64,
    memory_bytes_max: u64,
}

impl Task {
    fn from(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let [source, target, cpu, memory] = arguments.as_slice() else {
            return Err("usage: compile-component <in> <out> <cpu seconds> <memory bytes>".into());
        };
        let number = |text: &OsString| {
            text.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| format!("{} is not a number", text.display()))
        };
        Ok(Self { source: source.into(), target: target.into(), cpu_secs_max: number(cpu)?, memory_bytes_max: number(memory)? })
    }

    fn limit(&self) -> Result<(), String> {
        // Behind everything that serves requests.
        let _ = rustix::process::nice(10);
        let mapped = mapped_bytes(Path::new("/proc/self/statm"));
        lower(Resource::Cpu, self.cpu_secs_max, self.cpu_secs_max + 1)?;
        let memory = mapped.saturating_add(self.memory_bytes_max);
        lower(Resource::As, memory, memory)?;
        lower(Resource::Fsize, OUTPUT.0, OUTPUT.0)?;
        lower(Resource::Core, 0, 0)
    }

    fn run(&self) -> Result<(), (i32, String)> {
        let not_started = |what: &str, error: &dyn std::fmt::Display| (NOT_STARTED, format!("{what}: {error}"));
        let component = fs::read(&self.source).map_err(|error| not_started("cannot read the component", &error))?;
        let engine = crate::engine::compiler().map_err(|error| not_started("cannot set the engine up", &error))?;
        let compiled = engine.precompile_component(&component).map_err(|error| (INVALID, format!("{error:#}")))?;
        fs::write(&self.target, compiled).map_err(|error| not_started("cannot write the compiled code", &error))?;
        // A reader of debug information that panics costs the lines and nothing else.
        let lines = std::panic::catch_unwind(|| debug::lines(&component)).unwrap_or_default();
        match lines {
            None => Ok(()),
            Some(lines) => fs::write(self.target.with_extension("lines"), lines)
                .map_err(|error| not_started("cannot write the table of lines", &error)),
        }
    }
}

fn lower(resource: Resource, soft: u64, hard: u64) -> Result<(), String> {
    let present = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(soft.min(present)), maximum: Some(hard.min(present)) };
    setrlimit(resource, limit).map_err(|error| format!("cannot limit {resource:?}: {error}"))
}

/// What is mapped already, so that the limit bounds what compiling adds.
fn mapped_bytes(statm: &Path) -> u64 {
    let text = fs::read_to_string(statm).unwrap_or_default();
    let pages: u64 = text.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
