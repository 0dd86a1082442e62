//! The conformance suite, on one thread and on two.

use testkit::suite::{self, ObjectsFixture};

use super::*;

async fn fresh() -> ObjectsFixture {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(TestClock::new());
    let store = EmbeddedStore::open(dir.path(), clock.clone()).expect("a new folder opens");
    ObjectsFixture::new(store.objects(), clock).keeping((dir, store))
}

#[tokio::test]
async fn objects_do_what_all_do() {
    suite::objects(fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_do_so_on_many_threads() {
    suite::objects(fresh).await;
}
