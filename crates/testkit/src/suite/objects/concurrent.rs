//! Many at once.

use super::*;

pub(super) async fn one_of_many_is_the_first(store: &ObjectsFixture) {
    for size in [10, 100_000] {
        let key = format!("first/{size}");
        let mut tasks = tokio::task::JoinSet::new();
        for i in 0..16_u8 {
            let (objects, bucket, key) = (store.objects.clone(), store.bucket().clone(), key.clone());
            let body = Body::from(pattern(size, i));
            tasks.spawn(async move { objects.put(&bucket, &key, body, on(ObjectCondition::Absent)).await.map(|_| i) });
        }
        let mut written = Vec::new();
        for outcome in soon("all writes", tasks.join_all()).await {
            match outcome {
                Ok(i) => written.push(i),
                Err(StoreError::Changed(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(written.len(), 1, "one is the first: {written:?}");
        assert!(store.bytes(&key).await == Some(pattern(size, written[0])), "and it is the one that is there");
    }
}

pub(super) async fn readers_get_whole_objects(store: &ObjectsFixture) {
    const ROUNDS: u8 = 20;
    // All bytes of an object are the same, and its size says which.
    let size_of = |i: u8| 60_000 + 20_000 * usize::from(i % 8);
    store.put("a", vec![0; size_of(0)]).await;
    let (objects, bucket) = (store.objects.clone(), store.bucket().clone());
    let writer = tokio::spawn(async move {
        for i in 1..ROUNDS {
            let body = Body::from(Bytes::from(vec![i % 8; 60_000 + 20_000 * usize::from(i % 8)]));
            objects.put(&bucket, "a", body, PutOptions::default()).await.expect("it can be written");
            if i % 5 == 0 {
                objects.delete(&bucket, "a", None, None).await.expect("removable");
            }
        }
    });
    while !writer.is_finished() {
        if let Some(bytes) = store.bytes("a").await {
            let i = bytes[0];
            assert!(bytes.len() == size_of(i) && bytes.iter().all(|byte| *byte == i), "a mixture: {} bytes of {i}", bytes.len());
        }
        tokio::task::yield_now().await;
    }
    writer.await.expect("it does not panic");
}

pub(super) async fn what_is_being_read_stays_readable(store: &ObjectsFixture) {
    for (size, overwrites) in [(10, true), (5 << 20, true), (5 << 20, false)] {
        let bytes = pattern(size, 1);
        store.put("a", bytes.clone()).await;
        let (info, mut body) = store.objects.get(store.bucket(), "a", None, None).await.expect("readable").expect("it is there");
        let first = body.frame().await.expect("there are bytes").expect("readable").into_data().expect("no trailers");
        if overwrites {
            store.put("a", pattern(size, 2)).await;
        } else {
            store.delete("a", None).await.expect("it was there");
        }
        store.objects.sweep().await.expect("it can be swept");
        let rest = collect(body).await.expect("the body is whole");
        assert_eq!(info.bytes, size as u64);
        assert!([first, rest].concat() == bytes, "the reader got another object's bytes");
    }
}
