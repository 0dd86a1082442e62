//! Running other programs: said aloud, bounded where they may hang, and timed.

use anyhow::{Context, Result, bail};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo tells its children about xtask's own package, which is no business of what we start.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        cargo.env_remove(name);
    }
    cargo
}

/// Runs to the end with our own output. Anything but success is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("     $ {}", show(command));
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{}`", show(command)))?;
    check(command, status)
}

/// The same, but ended when it takes longer than it should.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    eprintln!("     $ {}", show(command));
    // A group of its own, so that what it starts ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start `{}`", show(command)))?;
    let Some(status) = wait_until(now() + limit, &mut child)? else {
        end(&mut child).context("cannot end it")?;
        child.wait().context("cannot wait for it")?;
        bail!("`{}` did not end within {} s", show(command), limit.as_secs());
    };
    check(command, status)
}

/// What a program prints, if it can be started and succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{}`", show(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", show(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Turns this process into another program.
#[cfg(unix)]
pub(crate) fn become_process(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", show(command)))
}

/// Runs another program and ends as it does.
#[cfg(not(unix))]
pub(crate) fn become_process(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot start `{}`", show(command)))?;
    check(command, status).map(|()| ExitCode::SUCCESS)
}

/// What was done, and how long each part took.
#[derive(Default)]
pub(crate) struct Stages(Vec<(&'static str, Duration)>);

impl Stages {
    pub(crate) fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("{name:>15}");
        let start = now();
        let result = work().with_context(|| name);
        self.0.push((name, now() - start));
        result
    }

    pub(crate) fn print(&self) {
        for (name, took) in &self.0 {
            eprintln!("{name:>15}  {:>7.1} s", took.as_secs_f64());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "xtask is outside the platform, and its clock is nobody's input")]
fn now() -> Instant {
    Instant::now()
}

fn wait_until(deadline: Instant, child: &mut Child) -> Result<Option<ExitStatus>> {
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for it")? {
            return Ok(Some(status));
        }
        if now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(unix)]
fn end(child: &mut Child) -> std::io::Result<()> {
    let group = rustix::process::Pid::from_child(child);
    Ok(rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?)
}

#[cfg(not(unix))]
fn end(child: &mut Child) -> std::io::Result<()> {
    child.kill()
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", show(command));
    }
    Ok(())
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
