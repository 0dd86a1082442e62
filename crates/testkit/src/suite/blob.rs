//! What every store of blobs must do.

use std::{any::Any, collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use ports::Blob;

use crate::rng::{SeededRng, seeds};

/// A fresh store of blobs.
pub struct BlobFixture {
    /// The store.
    pub blob: Arc<dyn Blob>,
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn blob<F: Future<Output = BlobFixture>>(make: impl Fn() -> F) {
    gives_back_what_was_put(&*make().await.blob).await;
    puts_the_same_bytes_once(&*make().await.blob).await;
    forgets_what_was_removed(&*make().await.blob).await;
    lists_all_that_is_stored(&*make().await.blob).await;
    many_put_the_same_at_once(make().await.blob).await;
    for seed in seeds(2) {
        agrees_with_a_map(&*make().await.blob, &SeededRng::new(seed)).await;
    }
}

async fn gives_back_what_was_put(store: &dyn Blob) {
    for size in [0, 1, 4096, 4097, 3 << 20] {
        let bytes = Bytes::from(vec![0xa5; size]);
        let digest = store.put(bytes.clone()).await.expect("there is room");
        assert_eq!(digest.as_bytes(), blake3::hash(&bytes).as_bytes(), "the digest is BLAKE3's");
        assert_eq!(store.get(&digest).await.expect("readable"), Some(bytes), "{size} bytes");
        assert!(store.has(&digest).await.expect("readable"));
    }
}

async fn puts_the_same_bytes_once(store: &dyn Blob) {
    let first = store.put(Bytes::from_static(b"twice")).await.expect("there is room");
    let second = store.put(Bytes::from_static(b"twice")).await.expect("there is room");
    assert_eq!(first, second);
    store.remove(&first).await.expect("removable");
    assert_eq!(store.get(&first).await.expect("readable"), None, "one removal removes it");
}

async fn forgets_what_was_removed(store: &dyn Blob) {
    let digest = store.put(Bytes::from_static(b"gone")).await.expect("there is room");
    let other = store.put(Bytes::from_static(b"stays")).await.expect("there is room");
    for _ in 0..2 {
        store.remove(&digest).await.expect("removing nothing is no error");
        assert!(!store.has(&digest).await.expect("readable"));
        assert_eq!(store.get(&digest).await.expect("readable"), None);
    }
    assert!(store.has(&other).await.expect("readable"));
}

async fn lists_all_that_is_stored(store: &dyn Blob) {
    assert_eq!(store.list().await.expect("readable"), []);
    let mut all = Vec::new();
    for byte in 0..40 {
        all.push(store.put(Bytes::from(vec![byte; 9])).await.expect("there is room"));
    }
    let gone = all.swap_remove(7);
    store.remove(&gone).await.expect("removable");
    let mut listed = store.list().await.expect("readable");
    listed.sort_unstable();
    all.sort_unstable();
    assert_eq!(listed, all);
}

async fn many_put_the_same_at_once(store: Arc<dyn Blob>) {
    let bytes = Bytes::from(vec![7; 100_000]);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (store, bytes) = (store.clone(), bytes.clone());
            tokio::spawn(async move { store.put(bytes).await.expect("there is room") })
        })
        .collect();
    for task in tasks {
        let digest = task.await.expect("it does not panic");
        assert_eq!(store.get(&digest).await.expect("readable").as_ref(), Some(&bytes));
    }
}

async fn agrees_with_a_map(store: &dyn Blob, rng: &SeededRng) {
    let model = crate::model::ModelBlob::default();
    let all: Vec<Bytes> = (0..8_usize).map(|i| Bytes::from(vec![i as u8; i * 777])).collect();
    for _ in 0..80 {
        let bytes = rng.pick(&all).clone();
        let digest = types::Digest::from_bytes(*blake3::hash(&bytes).as_bytes());
        match rng.below(4) {
            0 | 1 => assert_eq!(store.put(bytes.clone()).await.ok(), model.put(bytes).await.ok()),
            2 => assert_eq!(store.get(&digest).await.ok(), model.get(&digest).await.ok()),
            _ => assert_eq!(store.remove(&digest).await.ok(), model.remove(&digest).await.ok()),
        }
        assert_eq!(store.has(&digest).await.ok(), model.has(&digest).await.ok());
        let listed: BTreeSet<_> = store.list().await.expect("readable").into_iter().collect();
        assert_eq!(listed, model.list().await.expect("readable").into_iter().collect());
    }
}
