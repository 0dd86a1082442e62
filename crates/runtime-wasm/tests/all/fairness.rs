//! Guests that spin leave room for everyone else.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use types::Limits;

use crate::world::{World, loaded, start};

const SPINNING: usize = 8;
const TIMERS: u32 = 50;

#[test]
fn timers_of_one_millisecond_fire_beside_spinning_guests() {
    let lane = || {
        let mut lane = tokio::runtime::Builder::new_multi_thread();
        lane.worker_threads(1).event_interval(1).global_queue_interval(3).enable_all().build().expect("a tokio runtime")
    };
    let lane = lane();
    let hostile = lane.block_on(loaded("hostile"));
    let polls: Vec<Arc<AtomicU64>> = (0..SPINNING).map(|_| Arc::default()).collect();
    let spinning: Vec<_> = (polls.iter().cloned())
        .map(|polls| {
            let (mut run, response) = start(&hostile, "/spin", Limits::default(), &Arc::new(World::default()));
            let counted = poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::Relaxed);
                run.as_mut().poll(cx)
            });
            (lane.spawn(counted), response)
        })
        .collect();
    let fired = lane.block_on(lane.spawn(async {
        let mut ticks = 0;
        for _ in 0..TIMERS {
            tokio::time::sleep(Duration::from_millis(1)).await;
            ticks += 1;
        }
        ticks
    }));
    assert_eq!(fired.expect("timers fire"), TIMERS);
    let polls: Vec<u64> = polls.iter().map(|polls| polls.load(Ordering::Relaxed)).collect();
    let (least, most) = (polls.iter().min().copied(), polls.iter().max().copied());
    assert!(least.zip(most).is_some_and(|(least, most)| least > 0 && most <= 3 * least + 10), "slices are shared: {polls:?}");
    for (run, _) in &spinning {
        assert!(!run.is_finished(), "a spinning guest never ends by itself");
        run.abort();
    }
    for (run, _) in spinning {
        assert!(lane.block_on(run).expect_err("it was aborted").is_cancelled());
    }
}

/// The control: code that doesn't give way, in the guests' place, holds the timer up until it ends.
#[test]
fn without_slices_the_same_timers_wait() {
    let lane = tokio::runtime::Builder::new_multi_thread().worker_threads(1).event_interval(1).enable_all().build();
    let lane = lane.expect("a tokio runtime");
    let spinning = Arc::new(AtomicBool::new(true));
    let (began, begins) = std::sync::mpsc::channel();
    let hog = lane.spawn({
        let spinning = spinning.clone();
        async move {
            began.send(()).expect("the test waits");
            while spinning.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        }
    });
    begins.recv().expect("it spins");
    let timer = lane.spawn(async { tokio::time::sleep(Duration::from_millis(1)).await });
    std::thread::sleep(Duration::from_millis(200));
    assert!(!timer.is_finished(), "nothing else may run");
    spinning.store(false, Ordering::Relaxed);
    lane.block_on(async { (timer.await.expect("it fires"), hog.await.expect("it ends")) });
}
