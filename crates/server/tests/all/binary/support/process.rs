//! Child processes that end in bounded time.

use std::{
    ffi::OsStr,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::Value;

use super::eventually;

/// How a command ended and what it printed.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// The command ended with this code; if not, everything it printed is shown.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
    #[track_caller]
    pub(crate) fn expect_done(self) -> Self {
        self.expect_code(0)
    }
    /// Standard output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}\n{}", self.stdout, self.stderr))
    }
    /// Standard output as one JSON value a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}"));
        self.stdout.lines().map(read).collect()
    }
}

/// The program in a folder, with nothing of the person's who runs the tests: no targets, no tokens, no terminal.
pub(crate) fn dayfly(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dayfly"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env_remove("DAYFLY_TARGET").env_remove("DAYFLY_TOKEN").env_remove("DAYFLY_LOG");
    // Replays compile what they run, which for Python takes long: all tests share what is compiled.
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env("XDG_CONFIG_HOME", folder.join(".config"));
    command
}

/// Runs a command to its end, which must come within five minutes.
pub(crate) fn run(mut command: Command) -> Finished {
    let shown = format!("{command:?}");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let mut child = Reaped(child);
    let status = eventually(&shown, || child.0.try_wait().expect("the child is ours"));
    let text = |thread: thread::JoinHandle<String>| thread.join().expect("the reader does not panic");
    Finished { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

/// Pipes are read while the child runs, or a talkative child would wait for ever.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    let mut pipe = pipe.expect("it is piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A child that does not outlive its handle.
pub(crate) struct Reaped(pub(crate) Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
