//! Components that other people's toolchains made: each serves, logs, keeps, calls out, fails, and is replayed byte for byte.

use std::fs;

use super::support::{Folder, Node, Upstream, assert_has, dayfly, run};

/// What a program can do, as far as its SDK goes.
struct Program {
    name: &'static str,
    /// What `/hello` answers.
    hello: &'static str,
    fails: &'static str,
    fetches: &'static str,
    counts: Option<&'static str>,
    logs: &'static str,
}

const fn sdk(name: &'static str, hello: &'static str) -> Program {
    Program { name, hello, fails: "/fail", fetches: "/fetch", counts: Some("/count"), logs: "/log?walrus" }
}

#[test]
fn a_rust_wasip2_component_serves_logs_keeps_calls_out_and_replays() {
    let counts = Some("/kv/incr?key=visits");
    let program = sdk("rust-wasip2", "hello\n");
    check(&Program { fails: "/fail-after-work", counts, logs: "/log?text=walrus", ..program });
}

#[test]
fn a_rust_wstd_component_serves_logs_keeps_calls_out_and_replays() {
    check(&sdk("rust-wstd", "hello from wstd\n"));
}

#[test]
fn a_javascript_component_serves_logs_keeps_calls_out_and_replays() {
    check(&sdk("js", "hello from js\n"));
}

#[test]
fn a_python_component_serves_logs_keeps_calls_out_and_replays() {
    check(&sdk("python", "hello from python\n"));
}

/// Keeping is the next one's: it takes an import that only hosts of Spin's interfaces have.
#[test]
fn a_spin_component_serves_logs_calls_out_and_replays() {
    check(&Program { counts: None, ..sdk("spin", "hello from spin\n") });
}

#[test]
fn a_spin_component_keeps_in_its_own_sdks_store_and_replays() {
    let folder = Folder::app("real", "spin-kv", "uses = [\"kv.default\"]\nrecord = \"all\"");
    let node = Node::up(folder.path());
    assert_eq!(node.get("/").expect(200).text(), "1\n");
    let second = node.get("/").expect(200);
    assert_eq!(second.text(), "2\n");
    let id = node.record_of(&second)["invocation"].as_str().expect("an id").to_owned();
    assert_has(&node.cli(&["replay", &id]).expect_done().stdout, "the same, byte for byte");
}

fn check(program: &Program) {
    let upstream = Upstream::start();
    let folder = Folder::app("real", program.name, &format!("uses = [\"kv.things\"]\n{}", upstream.reach()));
    let node = Node::up(folder.path());
    serves(program, &node, &upstream);
    let failed = node.get(&format!("{}?url={}", program.fails, upstream.url("/work"))).expect(500);
    assert_has(&failed.text(), &format!("answer {} to /work", upstream.served()));
    let record = node.record_of(&failed);
    assert_eq!((record["status"].as_u64(), record["replayable"].as_bool()), (Some(500), Some(true)), "{record}");
    replays(program, node, &folder, record["invocation"].as_str().expect("an id"), &upstream);
}

fn serves(program: &Program, node: &Node, upstream: &Upstream) {
    assert_eq!(node.get("/hello").expect(200).text(), program.hello);
    let fetched = node.get(&format!("{}?url={}", program.fetches, upstream.url("/there"))).expect(200);
    assert_eq!(fetched.text(), "answer 1 to /there");
    if let Some(counts) = program.counts {
        assert_eq!(node.get(counts).expect(200).text().trim(), "1");
        assert_eq!(node.get(counts).expect(200).text().trim(), "2", "what one instance kept the next one finds");
    }
    let logged = node.get(program.logs).expect(200);
    node.record_of(&logged);
    let lines = node.cli(&["logs", "--text", "walrus"]).expect_done().json_lines();
    for stream in ["stdout: ", "stderr: "] {
        let heard = lines.iter().any(|line| line["text"].as_str().is_some_and(|text| text.starts_with(stream)));
        assert!(heard, "no line of {stream} in {lines:?}");
    }
}

/// The node is stopped on the way: what follows needs nothing but a file.
fn replays(program: &Program, node: Node, folder: &Folder, id: &str, upstream: &Upstream) {
    let served = upstream.served();
    let replayed = node.cli(&["replay", id]).expect_done();
    assert_has(&replayed.stdout, "the same, byte for byte");
    let report = node.cli(&["replay", id, "--json"]).expect_done().json();
    assert_eq!((report["faithful"].as_bool(), report["status"].as_u64()), (Some(true), Some(500)), "{report}");
    let until = node.cli(&["replay", id, "--until", "2", "--json"]).expect_done().json();
    assert_eq!((until["halt"]["why"].as_str(), until["steps_replayed"].as_u64()), (Some("until"), Some(2)), "{until}");
    node.cli(&["replay", id, "--export", "failure.dayfly"]).expect_done();
    assert_eq!(node.stop(), 0);

    let elsewhere = Folder::new();
    fs::copy(folder.file("failure.dayfly"), elsewhere.file("failure.dayfly")).expect("the export was written");
    let from = |more: &[&str]| run(dayfly(elsewhere.path(), [&["replay", "--from", "failure.dayfly"], more].concat()));
    assert_has(&from(&[]).expect_done().stdout, "the same, byte for byte");
    let other = super::support::program(if program.name == "rust-wstd" { "rust-wasip2" } else { "rust-wstd" });
    let diverged = from(&["--with", other.to_str().expect("a path")]).expect_code(1);
    assert_has(&diverged.stdout, "error[E0803]");
    assert_eq!(upstream.served(), served, "no replay calls anybody");
}
