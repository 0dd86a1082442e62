//! The program itself: what it prints, where, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// No test waits longer for a program that has hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server over the folder. It is killed when this is dropped.
struct Server(Child);

impl Server {
    /// Starts it and waits until it says that it is ready.
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dayfly"))
            .args(["server", "--json", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--aws", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (said, says) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // Nobody may be listening any more: then the test has failed already.
            let _ = stdout.read_line(&mut line).and_then(|_| said.send(line).map_err(std::io::Error::other));
        });
        let server = Self(child);
        let line = says.recv_timeout(PATIENCE).expect("it says when it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("one line of JSON");
        assert_eq!(ready["ready"], true, "{line}");
        server
    }

    /// Ends it, and gives its exit code and what it said on standard error.
    fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        let id = i32::try_from(self.0.id()).expect("an id");
        kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("it runs");
        let mut said = String::new();
        self.0.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        (self.0.wait().expect("it ends").code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_ends_with_code_0_on_either_signal_and_has_nothing_to_complain_about() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().expect("a folder");
        let (code, said) = Server::start(folder.path()).end(signal);
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    }
}

#[test]
fn a_data_folder_is_free_again_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    for signal in [Signal::KILL, Signal::KILL] {
        let (code, _) = Server::start(folder.path()).end(signal);
        assert_eq!(code, None, "it did not end by itself");
    }
    assert_eq!(Server::start(folder.path()).end(Signal::TERM).0, Some(0));
}
