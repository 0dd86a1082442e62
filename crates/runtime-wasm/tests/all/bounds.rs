//! Memory, instances and what else is bounded.

use std::sync::Arc;

use ports::runtime::Ended;
use types::{ByteCount, Code, Limits};

use crate::world::{World, call, call_with, load, loaded, program, runtime, start};

fn memory(mib: u64) -> Limits {
    Limits { memory: ByteCount::mib(mib), ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn growth_stops_at_the_limit_and_the_guest_lives_on() {
    let hostile = loaded("hostile").await;
    for mib in [4, 16] {
        let called = call_with(&hostile, "/grow", memory(mib), World::default()).await;
        assert_eq!(called.status, Some(200), "{called:?}");
        let after = called.told.memory_peak;
        assert_eq!(after, ByteCount::mib(mib), "all of the limit can be used, and no more");
        assert!(called.told.grow_denied.iter().all(|(wanted, allowed)| wanted > allowed && *allowed == mib << 20), "{called:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_dies_of_a_denied_growth_ran_out_of_memory() {
    let called = call_with(&loaded("hostile").await, "/grow-trap", memory(8), World::default()).await;
    let fault = called.fault();
    assert_eq!(fault.code, Code::E0503);
    assert!(fault.message.contains("allowed 8 MiB"), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_cannot_be_born_within_its_limit_ran_out_of_memory() {
    let called =
        call_with(&loaded("hello").await, "/", Limits { memory: ByteCount::kib(64), ..Limits::default() }, World::default())
            .await;
    assert_eq!(called.fault().code, Code::E0503, "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_pool_refuses_the_next_and_serves_again_when_one_ends() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = runtime(data.path(), |settings| settings.engine.instances = 2);
    let hostile = load(&runtime, program("hostile")).await.expect("it loads");
    let mut held = Vec::new();
    for _ in 0..2 {
        let (mut run, response) = start(&hostile, "/never", Limits::default(), &Arc::new(World::default()));
        assert!(futures_util::poll!(&mut run).is_pending());
        held.push((run, response));
    }
    let called = call(&hostile, "/hello").await;
    assert_eq!(called.fault().code, Code::E0512, "{called:?}");
    held.pop();
    let called = call(&hostile, "/hello").await;
    assert_eq!((called.status, called.ended), (Some(200), Ended::Returned));
}
