//! The program itself: what it prints, where, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

fn dayfly(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dayfly"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).expect("an id");
    kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("it runs");
}

#[test]
fn a_server_ends_with_code_0_on_either_signal_and_says_nothing_about_itself() {
    for ending in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().to_str().expect("a path");
        let arguments = ["server", "--json", "--data", data, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
        let mut child = dayfly(&arguments).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("it says where it listens").expect("text");
        assert!(first.contains("127.0.0.1"), "{first}");
        signal(&child, ending);
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert_eq!(said, "", "a quiet node says nothing");
    }
}

#[test]
fn a_data_folder_is_free_again_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path");
    let arguments = ["server", "--json", "--data", data, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    for ending in [Signal::KILL, Signal::KILL, Signal::TERM] {
        let mut child = dayfly(&arguments).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(lines.next().expect("it starts over the same folder").expect("text").contains("127.0.0.1"));
        signal(&child, ending);
        child.wait().expect("it ends");
    }
}
