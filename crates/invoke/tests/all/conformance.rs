//! The decorators around a store must not change what it does: they run the store's own suite.

use std::sync::Arc;

use parking_lot::Mutex;
use ports::{Kv, Scope, runtime::Ended};
use testkit::{
    clock::TestClock,
    model::{ModelKv, ModelObjects, ModelQueue},
    suite::{self, KvFixture, ObjectsFixture, QueueFixture},
};
use types::{RecordMode, object::BucketName, queue::QueueName};

use super::{
    split::{SplitObjects, SplitQueue},
    support::{World, function, guest},
};

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

/// What a guest was given: it opens it, and then stays alive as long as the fixture does.
type Opened<T> = Arc<Mutex<Option<T>>>;

fn opening<T: Send + 'static>(open: fn(&Arc<dyn Scope>) -> T) -> (super::support::Guest, Opened<T>) {
    let opened: Opened<T> = Arc::default();
    let found = opened.clone();
    let run = guest(move |_, scope, _| {
        let found = found.clone();
        async move {
            *found.lock() = Some(open(&scope));
            std::future::pending::<Ended>().await
        }
    });
    (run, opened)
}

const GRANTS: [&str; 5] = ["bucket.first", "bucket.second", "queue.first", "queue.second", "queue.lost"];

async fn objects(record: RecordMode) -> ObjectsFixture {
    let clock = Arc::new(TestClock::new());
    let (run, opened) = opening(|scope| ["first", "second"].map(|name| scope.bucket(name).expect("granted")));
    let model = Arc::new(ModelObjects::new(clock.clone()));
    let live = || {
        function(|function| {
            function.record = record;
            function.uses = GRANTS.map(|grant| grant.parse().expect("a grant")).into();
        })
    };
    let world = World::made(run, Arc::new(ModelKv::new(clock.clone())), model.clone(), [live(), live()]);
    let mut running = world.invoke("/");
    assert!(futures_util::poll!(&mut running).is_pending());
    let fronts = opened.lock().take().expect("the guest opened them");
    let mut fixture = ObjectsFixture::new(Arc::new(SplitObjects { inner: model, fronts }), clock);
    fixture.buckets = ["first", "second"].map(|name| BucketName(format!("shop/dev/{name}")));
    fixture.keeping((world, Mutex::new(running)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_and_granted_buckets_are_still_those_buckets() {
    suite::objects(|| objects(RecordMode::All)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_under_a_grant_with_nothing_recorded_are_still_those_buckets() {
    suite::objects(|| objects(RecordMode::Off)).await;
}

async fn queues() -> QueueFixture {
    let clock = Arc::new(TestClock::new());
    let (run, opened) = opening(|scope| ["first", "second", "lost"].map(|name| scope.queue(name).expect("granted")));
    let model = Arc::new(ModelQueue::new(clock.clone()));
    let world = World::over(run, Arc::new(ModelKv::new(clock.clone())), |function| {
        function.uses = GRANTS.map(|grant| grant.parse().expect("a grant")).into();
    });
    *world.platform.queue.lock() = Some(model.clone());
    let mut running = world.invoke("/");
    assert!(futures_util::poll!(&mut running).is_pending());
    let fronts = opened.lock().take().expect("the guest opened them");
    let mut fixture = QueueFixture::new(Arc::new(SplitQueue { inner: model, fronts }), clock);
    fixture.names = ["first", "second", "lost"].map(|name| QueueName(format!("shop/dev/{name}")));
    fixture.keeping((world, Mutex::new(running)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_and_granted_queues_are_still_those_queues() {
    suite::queue(queues).await;
}
