//! The decorators around a store must not change what it does: they run the store's own suite.

use std::sync::Arc;

use parking_lot::Mutex;
use ports::{Kv, runtime::Ended};
use testkit::{
    clock::TestClock,
    model::ModelKv,
    suite::{self, KvFixture},
};
use types::RecordMode;

use super::support::{World, guest};

/// The store as a guest sees it: recorded, granted, and the model behind that. The guest stays alive as long as the fixture does.
async fn decorated(record: RecordMode) -> KvFixture {
    let clock = Arc::new(TestClock::new());
    let opened: Arc<Mutex<Option<Arc<dyn Kv>>>> = Arc::default();
    let found = opened.clone();
    let open = guest(move |_, scope, _| {
        let found = found.clone();
        async move {
            *found.lock() = Some(scope.kv("cache").expect("granted").kv);
            std::future::pending::<Ended>().await
        }
    });
    let world = World::over(open, Arc::new(ModelKv::new(clock.clone())), |function| function.record = record);
    let mut running = world.invoke("/");
    assert!(futures_util::poll!(&mut running).is_pending());
    let kv = opened.lock().take().expect("the guest opened it");
    KvFixture::new(kv, clock).keeping((world, Mutex::new(running)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_and_granted_store_is_still_that_store() {
    suite::kv(|| decorated(RecordMode::All)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_under_a_grant_with_nothing_recorded_is_still_that_store() {
    suite::kv(|| decorated(RecordMode::Off)).await;
}
