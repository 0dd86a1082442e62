//! Bad artifacts, and what they get.

use std::time::Duration;

use ports::Runtime;
use types::{ByteCount, Code, Problem};

use crate::world::{call, digest, load, program, runtime, shared};

async fn refused(name: &str) -> Problem {
    let bytes = program(name);
    shared().prepare(&digest(&bytes), &bytes).await.expect_err(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_artifact_is_refused_with_its_code() {
    let refusals = [
        ("empty-file", Code::E0305),
        ("not-wasm", Code::E0305),
        ("truncated", Code::E0305),
        ("bytes-flipped", Code::E0305),
        ("invalid-code", Code::E0303),
        ("core-module", Code::E0302),
        ("empty-component", Code::E0303),
        ("wrong-world", Code::E0303),
        ("handler-wrong-type", Code::E0303),
        ("unknown-import", Code::E0304),
        ("oversize", Code::E0306),
        ("bomb-functions", Code::E0307),
        ("bomb-nesting", Code::E0308),
        ("bomb-locals", Code::E0308),
        ("memory-huge", Code::E0311),
    ];
    for (name, code) in refusals {
        let problem = refused(&format!("malformed/{name}")).await;
        assert_eq!(problem.code, code, "{name}: {problem:#?}");
    }
    let problem = refused("malformed/unknown-import").await;
    assert!(problem.message.contains("acme:io/"), "{problem}");
    let problem = refused("malformed/wrong-world").await;
    assert!(problem.message.contains("it exports "), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_traps_at_its_start_fails_each_call_and_nothing_else() {
    let component = load(&shared(), program("malformed/start-trap")).await.expect("it loads");
    assert_eq!(call(&component, "/").await.fault().code, Code::E0501);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compiler_that_takes_too_much_is_killed_and_says_of_what() {
    let data = tempfile::tempdir().expect("a folder");
    let js = program("js");
    let problem = async |change: fn(&mut runtime_wasm::Compiler)| {
        let runtime = runtime(data.path(), |settings| change(&mut settings.compiler));
        runtime.prepare(&digest(&js), &js).await.expect_err("too much")
    };
    let cpu = problem(|compiler| compiler.cpu_secs_max = 1).await;
    assert_eq!(cpu.message, "the component took too much to compile: CPU time more than 1 s, allowed 1 s");
    let memory = problem(|compiler| compiler.memory_max = ByteCount::mib(64)).await;
    assert_eq!(memory.message, "the component took too much to compile: memory more than 64 MiB, allowed 64 MiB");
    let wall = problem(|compiler| compiler.wall_time_max = Duration::from_millis(20)).await;
    assert!(wall.message.starts_with("the component took too much to compile: time more than 20"), "{wall}");
    let left: Vec<_> = std::fs::read_dir(data.path().join("aot")).expect("the cache").flatten().collect();
    let inside =
        left.iter().filter(|entry| entry.path().is_dir()).flat_map(|entry| std::fs::read_dir(entry.path()).expect("a folder"));
    assert_eq!(inside.count(), 0, "nothing is left of a compilation that failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compiler_that_cannot_be_started_is_the_platforms_failure() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |settings| settings.compiler.program = "/nowhere/dayfly".into());
    let hello = program("hello");
    let problem = runtime.prepare(&digest(&hello), &hello).await.expect_err("no compiler");
    assert_eq!(problem.code, Code::E0513, "{problem}");
}
