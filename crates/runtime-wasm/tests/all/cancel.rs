//! A run may be dropped whenever it waits.

use std::{sync::Arc, task::Poll};

use futures_util::poll;
use types::Limits;

use crate::world::{World, call, load, program, runtime, start};

/// Drops a run after each possible number of polls. The pool has room for one: a slot that stayed taken would show at once.
async fn drop_at_each_await(name: &str, target: &str) {
    let data = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let runtime = runtime(data, |settings| settings.engine.instances = 1);
    let program = load(&runtime, program(name)).await.expect("it loads");
    let mut polls = 0;
    loop {
        let (mut run, response) = start(&program, target, Limits::default(), &Arc::new(World::default()));
        let mut ended = false;
        for _ in 0..polls {
            if let Poll::Ready(end) = poll!(&mut run) {
                assert_eq!(end, ports::runtime::Ended::Returned, "{name} {target} after {polls} polls");
                ended = true;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        drop(run);
        drop(response);
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 1, "{target} never waited");
    let called = call(&program, "/hello").await;
    assert_eq!(called.status, Some(200), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_dropped_at_each_await() {
    drop_at_each_await("rust-wasip2", "/sleep?ms=5").await;
    drop_at_each_await("rust-wasip2", "/timer-1ms?n=5").await;
    drop_at_each_await("rust-wstd", "/sleep?ms=5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spinning_run_can_be_dropped_and_leaves_its_slot() {
    let data = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let runtime = runtime(data, |settings| settings.engine.instances = 1);
    for (name, target) in [("hostile", "/spin"), ("malformed/start-spin", "/")] {
        let program = load(&runtime, program(name)).await.expect("it loads");
        for _ in 0..3 {
            let (mut run, _response) = start(&program, target, Limits::default(), &Arc::new(World::default()));
            assert!(!run.is_busy());
            for _ in 0..3 {
                assert!(poll!(&mut run).is_pending());
            }
            assert!(run.is_busy(), "{target} used up its slices");
        }
    }
    let called = call(&load(&runtime, program("hostile")).await.expect("it loads"), "/hello").await;
    assert_eq!(called.status, Some(200), "{called:?}");
}
