use std::sync::Arc;
use bytes::Bytes;
use store_embedded::EmbeddedStore;
use types::kv::*;
use futures_util::StreamExt;

#[tokio::test]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let ns = Namespace("a/dev/x".into());
    let store = EmbeddedStore::open(dir.path(), Arc::new(system::SystemClock::new())).unwrap();
    let kv = store.kv();
    let put = |k: &'static str, v: &'static str| Write::Put { key: Bytes::from(k), value: Bytes::from(v), expires: None };
    let r = kv.commit(&ns, Transaction { writes: vec![put("a", "1"), put("b", "")], ..Default::default() }).await.unwrap();
    assert_eq!(r, Committed::At(Rev(1)));
    let mut w = kv.watch(&ns, Bytes::new(), WatchFrom::Snapshot).await.unwrap();
    for _ in 0..3 { println!("{:?}", w.next().await); }
    kv.commit(&ns, Transaction { writes: vec![put("a", "2")], ..Default::default() }).await.unwrap();
    println!("{:?}", w.next().await);
    println!("{:?}", kv.list(&ns, &Bytes::new(), None, 10).await.unwrap());
    let d = store.blob().put(Bytes::from("x")).await.unwrap();
    assert_eq!(store.blob().get(&d).await.unwrap().unwrap(), "x");
    println!("{:?}", store.catalog().apps().await.unwrap());
    drop((kv, store));
    println!("{:?}", w.next().await);
    EmbeddedStore::open(dir.path(), Arc::new(system::SystemClock::new())).map(drop).unwrap();
}
