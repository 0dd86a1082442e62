//! Components of each toolchain answer, and their ends are told.

use ports::runtime::Ended;
use types::{Code, journal::Level};

use crate::world::{World, call, call_with, loaded};

#[tokio::test(flavor = "multi_thread")]
async fn components_of_each_toolchain_answer() {
    for (program, target) in [("hello", "/"), ("rust-wasip2", "/hello"), ("rust-wstd", "/hello"), ("spin", "/hello")] {
        let called = call(&loaded(program).await, target).await;
        assert_eq!((called.status, &called.ended), (Some(200), &Ended::Returned), "{program}: {called:?}");
        assert!(called.body.to_lowercase().contains("hello"), "{program}: {called:?}");
        assert!(called.told.memory_peak.0 >= 1 << 16, "{program}: {called:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn language_runtimes_that_carry_files_and_sockets_link_and_answer() {
    for program in ["js", "python"] {
        let called = call(&loaded(program).await, "/hello").await;
        assert_eq!((called.status, &called.ended), (Some(200), &Ended::Returned), "{program}: {called:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_names_the_guests_functions_and_lines() {
    let called = call(&loaded("rust-wasip2").await, "/trap").await;
    let fault = called.fault();
    assert_eq!(fault.code, Code::E0501);
    for (line, name) in fault.backtrace.iter().zip(["inner_of_trap", "middle_of_trap", "outer_of_trap", "trap ("]) {
        assert!(line.contains(name) && line.contains("(src/platform.rs:"), "{fault:#?}");
    }
    assert_eq!(fault.backtrace.len(), 5, "nothing of the language's runtime is shown: {fault:#?}");
    assert!(called.told.logs.iter().any(|(level, context, _)| *level == Level::Error && context == "stderr"), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_prints_reaches_no_terminal_as_it_is() {
    let called = call(&loaded("hostile").await, "/ansi-panic").await;
    let fault = called.fault();
    let shown = fault.backtrace.iter().chain([&fault.message]);
    assert!(shown.flat_map(|line| line.chars()).all(|c| !c.is_control() && c != '\u{202e}'), "{fault:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_end_has_its_code() {
    let hostile = loaded("hostile").await;
    let ends = [
        ("/abort", Code::E0501),
        ("/recurse", Code::E0508),
        ("/exit?code=3", Code::E0515),
        ("/poll-nothing", Code::E0501),
        ("/handles?n=20000", Code::E0506),
        ("/pollables?n=20000", Code::E0506),
        ("/random-huge", Code::E0501),
    ];
    for (target, code) in ends {
        let called = call(&hostile, target).await;
        assert_eq!(called.fault().code, code, "{target}: {called:#?}");
    }
    assert_eq!(call(&hostile, "/hello").await.status, Some(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_platform_ends_one_run_and_no_more() {
    let program = loaded("rust-wasip2").await;
    let world = World::with_a_broken_generator();
    let called = call_with(&program, "/random", types::Limits::default(), world).await;
    assert_eq!(called.fault().code, Code::E0513);
    assert!(called.fault().message.ends_with("the generator broke"), "{called:?}");
    assert_eq!(call(&program, "/random").await.status, Some(200));
}
