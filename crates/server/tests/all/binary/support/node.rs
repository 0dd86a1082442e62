//! A node as a child process on free ports.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{
    Finished, Folder, Request, Response, dayfly, eventually,
    http::connect,
    process::{self, Reaped},
    sooner_or_later,
};

/// A running `dayfly up` or `dayfly server`. It is killed, by its id, with its handle.
pub(crate) struct Node {
    child: Reaped,
    /// Where commands that speak to it are run.
    folder: PathBuf,
    data: PathBuf,
    /// What it prints, outside of the folder that it watches.
    output: Folder,
    pub(crate) gateway: SocketAddr,
    pub(crate) control: SocketAddr,
    pub(crate) token: String,
    /// Commands have to name it: no folder above theirs is its own.
    named: bool,
}

const FREE_PORTS: [&str; 6] = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--aws", "127.0.0.1:0"];

impl Node {
    /// `dayfly up` in a folder with a manifest, once the app is served.
    pub(crate) fn up(folder: &Path) -> Self {
        let node = Self::up_unready(folder);
        let told = node.wait_for_either(" ready ", "waiting for a change");
        assert!(told.contains(" ready "), "it can't be served:\n{told}");
        node
    }
    /// `dayfly up`, whether or not its app can be served.
    pub(crate) fn up_unready(folder: &Path) -> Self {
        let mut command = dayfly(folder, ["up"]);
        command.args(FREE_PORTS);
        Self::start(command, folder.to_owned(), folder.join(".dayfly"), false)
    }
    /// `dayfly server` over a data folder, with more arguments.
    pub(crate) fn server(data: &Path, arguments: &[&str]) -> Self {
        let mut command = dayfly(data, ["server", "--data"]);
        command.arg(data).args(FREE_PORTS).args(arguments);
        Self::start(command, data.to_owned(), data.to_owned(), true)
    }
    fn start(mut command: Command, folder: PathBuf, data: PathBuf, named: bool) -> Self {
        let output = Folder::new();
        let (stdout, stderr) = (File::create(output.file("stdout")), File::create(output.file("stderr")));
        // Left by a node that was killed, it would be taken for this one's.
        let _ = fs::remove_file(data.join("control-url"));
        command.stdout(stdout.expect("the folder is ours")).stderr(stderr.expect("the folder is ours")).stdin(Stdio::null());
        let mut child = Reaped(command.spawn().expect("the program starts"));
        let control = eventually("the node listens", || {
            if let Some(status) = child.0.try_wait().expect("the child is ours") {
                panic!("the node ended with {status}:\n{}", output.read("stderr"));
            }
            let url = fs::read_to_string(data.join("control-url")).ok()?;
            url.trim().strip_prefix("http://")?.parse().ok()
        });
        let token = fs::read_to_string(data.join("token")).expect("the node keeps its token").trim().to_owned();
        let mut node = Self { child, folder, data, output, gateway: control, control, token, named };
        let url = node.api("/v1/node")["gateway_url"].as_str().expect("a URL").to_owned();
        node.gateway = url.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address");
        node
    }

    /// Ends the node without warning, as a power cut would, and answers when it is gone.
    pub(crate) fn kill(mut self) {
        self.child.0.kill().expect("it runs");
        self.child.0.wait().expect("the child is ours");
    }
    /// Asks the node to end, as Ctrl-C does, and answers with its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        signal(&self.child.0, Signal::INT);
        let status = eventually("the node ends", || self.child.0.try_wait().expect("the child is ours"));
        status.code().unwrap_or(-1)
    }
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.0.try_wait().expect("the child is ours").is_none()
    }
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// All that it printed to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.output.read("stdout")
    }
    pub(crate) fn stderr(&self) -> String {
        self.output.read("stderr")
    }
    /// Waits until it has printed this, to either.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_for_either(text, text)
    }
    fn wait_for_either(&self, text: &str, other: &str) -> String {
        let all = || self.stdout() + &self.stderr();
        let found = sooner_or_later(|| Some(all()).filter(|all| all.contains(text) || all.contains(other)));
        found.unwrap_or_else(|| panic!("waited five minutes in vain for {text:?}; it printed:\n{}", all()))
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.send(&Request::get(target))
    }
    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.gateway)
    }
    /// Asks the control API.
    pub(crate) fn api(&self, target: &str) -> Value {
        self.authorized(target).send(self.control).expect(200).json()
    }
    fn authorized(&self, target: impl Into<String>) -> Request {
        Request::get(target).header("authorization", format!("Bearer {}", self.token))
    }
    /// Writes through the control API, whatever the answer.
    pub(crate) fn write(&self, method: &'static str, target: &str, kind: &str, body: impl Into<Vec<u8>>) -> Response {
        let request = Request { body: Some(body.into()), ..self.authorized(target).method(method) };
        request.header("content-type", kind).send(self.control)
    }
    /// Sets a secret of an app in `prod`.
    pub(crate) fn secret(&self, app: &str, name: &str, value: &str) {
        let set = self.write("PUT", &format!("/v1/apps/{app}/prod/secrets/{name}"), "application/octet-stream", value);
        assert!(set.status < 300, "{}", set.text());
    }
    /// Messages of a queue of an app in `prod`, in whatever state.
    pub(crate) fn waiting(&self, app: &str, queue: &str) -> u64 {
        let all = self.api(&format!("/v1/apps/{app}/prod/queues?prefix={queue}"));
        let row = all.as_array().expect("a list").iter().find(|row| row["name"] == queue);
        let count = |name: &str| row.and_then(|row| row[name].as_u64()).unwrap_or(0);
        ["ready", "delayed", "claimed"].into_iter().map(count).sum()
    }

    /// A command that speaks to this node, run in its folder.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        self.command_in(&self.folder, arguments)
    }
    /// A command that speaks to this node, run in another folder.
    pub(crate) fn command_in(&self, folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = dayfly(folder, arguments);
        if self.named {
            command.env("DAYFLY_TARGET", format!("http://{}", self.control)).env("DAYFLY_TOKEN", &self.token);
        }
        command
    }
    pub(crate) fn cli(&self, arguments: &[&str]) -> Finished {
        process::run(self.command(arguments))
    }
    pub(crate) fn cli_in(&self, folder: &Path, arguments: &[&str]) -> Finished {
        process::run(self.command_in(folder, arguments))
    }
    /// Deploys the app of a folder, as it must be possible.
    pub(crate) fn deploy(&self, folder: &Path) -> Value {
        self.cli_in(folder, &["deploy", "--yes", "--json"]).expect_done().json()
    }

    /// The newest request that the node has kept with this path, once it is kept: records are written behind the answers.
    pub(crate) fn request(&self, path: &str) -> Value {
        eventually(&format!("a record of {path}"), || {
            let listed = self.api("/v1/invocations?limit=1000");
            let listed = listed.as_array().expect("a list");
            listed.iter().find(|request| request["cause"].as_str().is_some_and(|cause| cause.ends_with(path))).cloned()
        })
    }
    /// The record of an answer's invocation, once it is kept.
    pub(crate) fn record_of(&self, response: &Response) -> Value {
        let id = response.header("x-request-id").expect("each answer carries its id");
        let asked = self.authorized(format!("/v1/invocations/{id}"));
        eventually(&format!("a record of {id}"), || Some(asked.send(self.control)).filter(|answer| answer.status == 200)).json()
    }

    /// Time that the node has computed, in ticks of the kernel's clock, as proc_pid_stat(5) tells.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.0.id())).expect("the node runs");
        let (_, fields) = stat.rsplit_once(')').expect("the kernel tells");
        // The 14th and the 15th of all fields; two stand before these.
        fields.split_ascii_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// Does rounds of something until one adds less than `allowed` KiB to the node's memory; panics if each of a few adds more.
    ///
    /// A round tells the most that it saw, in KiB. What is kept for good is added by each round; what caches fill with and
    /// allocators keep for their threads, more or less of it as the machine has other work, is not.
    pub(crate) fn expect_growth_below(&self, allowed: u64, mut round: impl FnMut() -> u64) {
        const ROUNDS: usize = 8;
        let mut grown = Vec::new();
        while grown.iter().all(|grown| *grown >= allowed) {
            assert!(grown.len() < ROUNDS, "each of {ROUNDS} rounds added {allowed} KiB or more: {grown:?}");
            let before = self.resident_kib();
            grown.push(round().saturating_sub(before));
        }
    }

    /// Reads an answer and keeps nothing of it: how many bytes came, and the most that the node had resident meanwhile, in KiB.
    pub(crate) fn pass(&self, target: &str) -> (usize, u64) {
        let mut stream = connect(self.gateway);
        write!(stream, "GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("it is sent");
        let (mut received, mut most, mut chunk) = (0, 0, vec![0; 1 << 20]);
        loop {
            let count = stream.read(&mut chunk).expect("the node sends");
            if count == 0 {
                return (received, most);
            }
            // Each 4 MiB.
            if (received >> 22) != ((received + count) >> 22) {
                most = most.max(self.resident_kib());
            }
            received += count;
        }
    }

    /// Memory that the node has resident, in KiB, as proc_pid_status(5) tells.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).expect("the node runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel tells");
        line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
    }
}

fn signal(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).expect("an id");
    kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("it runs");
}
