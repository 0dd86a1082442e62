//! A run may be dropped whenever it waits.

use std::{future::poll_fn, path::Path, pin::Pin, sync::Arc, task::Poll};

use futures_util::poll;
use ports::runtime::{Ended, Run};
use types::Limits;

use crate::world::{World, call, load, program, runtime, start};

/// Polls the run whenever it is woken, but not more than so many times. Gives its end if it comes to that.
async fn poll_at_most(run: &mut Pin<Box<dyn Run>>, polls: u32) -> Option<Ended> {
    let mut polled = 0;
    poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match run.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if polled == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops a run after each possible number of polls. The pool has room for one: a slot that stayed taken would show at once.
async fn drop_at_each_await(name: &str, target: &str) {
    let data = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let runtime = runtime(data, |settings| settings.engine.instances = 1);
    let program = load(&runtime, program(name)).await.expect("it loads");
    let mut polls = 0;
    loop {
        let (mut run, _response) = start(&program, target, Limits::default(), &Arc::new(World::default()));
        if let Some(ended) = poll_at_most(&mut run, polls).await {
            assert_eq!(ended, Ended::Returned, "{name} {target} after {polls} polls");
            break;
        }
        polls += 1;
    }
    assert!(polls > 2, "{name} {target} hardly waited");
    let called = call(&program, "/hello").await;
    assert_eq!(called.status, Some(200), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_dropped_at_each_await() {
    drop_at_each_await("rust-wasip2", "/timer-1ms?n=20").await;
    drop_at_each_await("rust-wasip2", "/slow-body").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spinning_run_can_be_dropped_and_leaves_its_slot() {
    let data = Path::new(env!("CARGO_TARGET_TMPDIR"));
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
