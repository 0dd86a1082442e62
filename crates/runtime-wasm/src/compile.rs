//! Compiling, in a process of its own.
//!
//! A compiler is not built to withstand its input: a small component can ask for minutes and gigabytes. So it runs as a child with limits
//! on CPU time, address space and file size, at a low priority, and its death is one artifact's problem. The child is this very program,
//! started again with other arguments: `<compiler> <arguments…> <in> <out> <cpu seconds> <memory bytes>`.

mod child;
mod debug;

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    sync::Semaphore,
};
use types::{ByteCount, Code, Elapsed, Problem, limits};

pub use child::compile_child_main;

/// Compilers at once. Each takes one CPU.
const AT_ONCE: usize = 2;
/// Bytes of the child's last words that are kept.
const STDERR_BYTES: u64 = 16 << 10;

/// How compilers are started, and how much they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The program, which calls [`compile_child_main`] with what follows `arguments`.
    pub program: PathBuf,
    /// The arguments that make it do so.
    pub arguments: Vec<OsString>,
    /// CPU time for one component, in whole seconds.
    pub cpu_secs_max: u64,
    /// Address space for one component, beyond what the child has at its start.
    pub memory_max: ByteCount,
    /// Wall time for one component: for a child that neither works nor ends.
    pub wall_time_max: Duration,
}

impl Compiler {
    /// A compiler with the platform's limits.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        let cpu_secs_max = limits::COMPILE_CPU_SECS;
        let wall_time_max = Duration::from_secs(cpu_secs_max * 5);
        Self { program, arguments, cpu_secs_max, memory_max: limits::COMPILE_MEMORY, wall_time_max }
    }
}

/// Starts compilers, a few at once.
pub(crate) struct Compilers {
    settings: Compiler,
    permits: Semaphore,
}

impl Compilers {
    pub(crate) fn new(settings: Compiler) -> Self {
        Self { settings, permits: Semaphore::new(AT_ONCE) }
    }

    /// Compiles the component in the file `source` into the file `target`, and its lines, if it has any, into `target` with the extension
    /// `lines`.
    ///
    /// # Cancel safety
    /// Dropping the future kills the child. What it wrote stays in `target`.
    ///
    /// # Errors
    /// `E0305` for what does not compile, `E0307` for what takes too much, `E0513` if no compiler can be started.
    pub(crate) async fn compile(&self, source: &Path, target: &Path) -> Result<(), Problem> {
        let _permit = self.permits.acquire().await.map_err(|_| Problem::new(Code::E0409, "the node is stopping"))?;
        let mut child = self.start(source, target)?;
        let wall_time_max = self.settings.wall_time_max;
        let Ok((status, words)) = tokio::time::timeout(wall_time_max, last_words(&mut child)).await else {
            let allowed = Elapsed::from(wall_time_max);
            return Err(too_much("time", format!("more than {allowed}"), allowed));
        };
        let status = status.map_err(|error| Problem::new(Code::E0513, format!("cannot wait for the compiler: {error}")))?;
        self.judge(status, &words)
    }

    fn start(&self, source: &Path, target: &Path) -> Result<Child, Problem> {
        let Compiler { program, arguments, cpu_secs_max, memory_max, wall_time_max: _ } = &self.settings;
        Command::new(program)
            .args(arguments)
            .args([source, target])
            .args([cpu_secs_max.to_string(), memory_max.0.to_string()])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Problem::new(Code::E0513, format!("cannot start the compiler {}: {error}", program.display())))
    }

    fn judge(&self, status: ExitStatus, words: &str) -> Result<(), Problem> {
        const SIGXCPU: i32 = libc::SIGXCPU;
        const SIGXFSZ: i32 = libc::SIGXFSZ;
        let Compiler { cpu_secs_max, memory_max, .. } = &self.settings;
        let cpu = || too_much("CPU time", format!("more than {cpu_secs_max} s"), format!("{cpu_secs_max} s"));
        if let Some(child::INVALID) = status.code() {
            return Err(Problem::new(Code::E0305, format!("the artifact does not compile: {words}"))
                .help("build it again, with the newest release of its toolchain"));
        }
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (_, Some(SIGXCPU)) => Err(cpu()),
            (_, Some(SIGXFSZ)) => Err(too_much("compiled code", format!("more than {}", child::OUTPUT), child::OUTPUT)),
            _ if words.contains("memory allocation") || words.contains("Cannot allocate memory") => {
                Err(too_much("memory", format!("more than {memory_max}"), memory_max))
            }
            (Some(child::NOT_STARTED), _) => Err(Problem::new(Code::E0513, format!("the compiler failed: {words}"))),
            (_, signal) => {
                let how = signal.map_or_else(|| status.to_string(), |signal| format!("signal {signal}"));
                Err(Problem::new(Code::E0307, format!("the compiler died of the component ({how})")).note(words.to_owned()))
            }
        }
    }
}

fn too_much(what: &str, measured: impl std::fmt::Display, allowed: impl std::fmt::Display) -> Problem {
    Problem::limit(Code::E0307, what, measured, allowed).help("build it with optimization and without generated giant functions")
}

/// The child's end and the beginning of what it said on standard error.
async fn last_words(child: &mut Child) -> (std::io::Result<ExitStatus>, String) {
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // What goes beyond the bound finds the pipe closed.
        let _ = stderr.take(STDERR_BYTES).read_to_end(&mut said).await;
    }
    let status = child.wait().await;
    let words = String::from_utf8_lossy(&said);
    (status, crate::backtrace::printable(words.trim(), 2_000))
}
