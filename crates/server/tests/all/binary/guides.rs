//! The guides, run as they are read: each `console` block typed into one shell, what it prints compared with what the guide says.
//!
//! Ports of the guides are replaced by free ones. What only reads is repeated until it fits, as the guides tell their readers to do.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::support::{Folder, eventually, process::Reaped, repository, run, text::fits};

#[test]
fn the_first_five_minutes_go_as_written() {
    guide("first-five-minutes");
}

#[test]
fn javascript_goes_as_written() {
    guide("javascript");
}

#[test]
fn replay_goes_as_written() {
    guide("replay");
}

#[test]
fn trace_log_cost_goes_as_written() {
    guide("trace-log-cost");
}

#[test]
fn deploy_and_rollback_goes_as_written() {
    guide("deploy-and-rollback");
}

#[test]
fn every_guide_is_run() {
    let guides = fs::read_dir(repository().join("docs/guides")).expect("a folder");
    let names = guides.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let mut unknown: Vec<_> = names.filter(|name| name != "README.md").collect();
    unknown.retain(|name| {
        !["first-five-minutes.md", "javascript.md", "replay.md", "trace-log-cost.md", "deploy-and-rollback.md"]
            .contains(&name.as_str())
    });
    assert!(unknown.is_empty(), "add a test for {unknown:?}");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ends,
    Fails,
    Background,
}

/// One command and what it prints.
struct Step {
    kind: Kind,
    command: String,
    expected: String,
}

/// The steps of all `console` blocks.
fn steps(markdown: &str) -> Vec<Step> {
    let (mut steps, mut block): (Vec<Step>, _) = (Vec::new(), None);
    for line in markdown.lines() {
        match (block, line.strip_prefix("```")) {
            (None, Some(info)) => {
                block = Some(match info {
                    "console" => Some(Kind::Ends),
                    "console fails" => Some(Kind::Fails),
                    "console background" => Some(Kind::Background),
                    other => {
                        assert!(!other.starts_with("console"), "unknown kind of block: {other}");
                        None
                    }
                });
            }
            (Some(_), Some(_)) => block = None,
            (Some(Some(kind)), None) => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { kind, command: command.to_owned(), expected: String::new() }),
                (None, Some(step)) => step.expected += &format!("{line}\n"),
                (None, None) => panic!("output before any command: {line}"),
            },
            _ => {}
        }
    }
    steps
}

/// Ports that nobody has. They lie below those that the system gives away by itself, where somebody could get one before it is used here,
/// and in a range of this process.
fn free_ports() -> impl Iterator<Item = u16> {
    const RANGES: u32 = 200;
    let first = 10_000 + u16::try_from(std::process::id() % RANGES).expect("few ranges") * 100;
    (first..first + 100).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

/// A shell's state between commands: where it is, and what it exported.
struct Shell {
    home: Folder,
    ports: Vec<(&'static str, String)>,
    background: Vec<Reaped>,
}

/// Runs a command, `$1`, in the state that the one before left in the folder `$0`.
const WRAPPED: &str =
    r#"cd "$(cat "$0/cwd")" && . "$0/env" && eval "$1"; code=$?; pwd > "$0/cwd"; export -p > "$0/env"; exit $code"#;
/// Becomes the command.
const REPLACED: &str = r#"cd "$(cat "$0/cwd")" && . "$0/env" && eval "exec $1""#;

impl Shell {
    fn new() -> Self {
        let home = Folder::new();
        let work = home.file("work");
        fs::create_dir(&work).expect("the folder is ours");
        home.write("cwd", format!("{}\n", work.display()));
        home.write("env", "");
        let mut free = free_ports();
        let ports =
            ["4000", "4001", "4100", "4101", "4566", "4166"].map(|port| (port, free.next().expect("a free port").to_string()));
        Self { home, ports: ports.into(), background: Vec::new() }
    }

    fn with_free_ports(&self, text: &str) -> String {
        let gateway = &self.ports[0].1;
        let (control, aws) = (&self.ports[1].1, &self.ports[4].1);
        let up = format!("dayfly up --listen 127.0.0.1:{gateway} --control 127.0.0.1:{control} --aws 127.0.0.1:{aws}");
        let replaced =
            self.ports.iter().fold(text.to_owned(), |text, (port, free)| text.replace(&format!(":{port}"), &format!(":{free}")));
        if replaced == "dayfly up" { up } else { replaced }
    }

    fn command(&self, script: &str, typed: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_dayfly"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command.args(["-c", script]).arg(self.home.path()).arg(typed).stdin(Stdio::null());
        command.env("PATH", format!("{}:{path}", program.parent().expect("a folder").display()));
        for name in ["DAYFLY_TARGET", "DAYFLY_TOKEN", "CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            command.env_remove(name);
        }
        if let Some(rustc) = assembled_rustc() {
            command.env("RUSTC", rustc);
        }
        command
    }

    fn run(&mut self, step: &Step) {
        let typed = self.with_free_ports(&step.command);
        if step.kind == Kind::Background {
            return self.start(&typed);
        }
        let expected = self.with_free_ports(&step.expected);
        let mut last = String::new();
        let attempt = |shell: &Self, last: &mut String| {
            let finished = run(shell.command(&format!("exec 2>&1; {WRAPPED}"), &typed));
            *last = format!("$ {typed}\nexit {}\n{}", finished.code, finished.stdout);
            (finished.code == 0) == (step.kind == Kind::Ends) && fits(&finished.stdout, &expected)
        };
        if !is_repeatable(&typed) {
            assert!(attempt(self, &mut last), "{last}\nexpected:\n{expected}\n{}", self.told());
            return;
        }
        for _ in 0..1_000 {
            if attempt(self, &mut last) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(150));
        }
        panic!("{last}\nexpected:\n{expected}\n{}", self.told());
    }

    /// Starts what goes on running, without a shell in between, and waits until it serves.
    fn start(&mut self, typed: &str) {
        let output = fs::File::create(self.home.file("background")).expect("the folder is ours");
        let mut command = self.command(REPLACED, typed);
        command.stdout(output.try_clone().expect("a file can be cloned")).stderr(output);
        self.background.push(Reaped(command.spawn().expect("bash is installed")));
        eventually(&format!("{typed} is ready"), || self.told().contains("ready").then_some(()));
    }

    /// What the background has printed.
    fn told(&self) -> String {
        fs::read_to_string(self.home.file("background")).unwrap_or_default()
    }
}

/// Commands that change nothing may be typed again.
fn is_repeatable(typed: &str) -> bool {
    ["curl ", "dayfly trace", "dayfly logs", "dayfly cost", "dayfly replay"].iter().any(|start| typed.starts_with(start))
}

/// The compiler for a guide's own `cargo build`, where the active toolchain lacks the target: what `cargo xtask setup` assembled.
fn assembled_rustc() -> Option<PathBuf> {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", "wasm32-wasip2"])
        .output()
        .expect("rustc is installed");
    if Path::new(String::from_utf8_lossy(&printed.stdout).trim()).is_dir() {
        return None;
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"))).expect("a home");
    let rustc = cache.join("dayfly/toolchains/rust-wasi/bin/rustc");
    assert!(rustc.is_file(), "nothing here compiles for wasm32-wasip2; get it with: cargo xtask setup");
    Some(rustc)
}

fn guide(name: &str) {
    let markdown = fs::read_to_string(repository().join(format!("docs/guides/{name}.md"))).expect("the guide is there");
    let steps = steps(&markdown);
    assert!(steps.len() > 3, "{name} has only {} commands", steps.len());
    let mut shell = Shell::new();
    steps.iter().for_each(|step| shell.run(step));
}
