//! Keys, pages and prefixes.

use bytes::Bytes;
use types::kv::Write;

use super::{KvFixture, bytes, put};

fn raw(key: &[u8]) -> Write {
    Write::Put { key: Bytes::copy_from_slice(key), value: Bytes::copy_from_slice(key), expires: None }
}

/// Keys around every edge that prefixes have, in byte order.
const EDGES: [&[u8]; 13] =
    [b"", b"\0", b"\0\0", b"a", b"a\0", b"a\xfe", b"a\xff", b"a\xff\0", b"a\xff\xff", b"b", b"\xfe", b"\xff", b"\xff\xff\xff"];

pub(super) async fn keys_and_values_are_any_bytes(store: &KvFixture) {
    for key in EDGES {
        store.write([raw(key)]).await;
    }
    let listed: Vec<Bytes> = store.list("").await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, EDGES, "byte order");
    for key in EDGES {
        let entry = store.kv.get(store.namespace(), &Bytes::from_static(key)).await.expect("readable").expect("it was put");
        assert_eq!((entry.key.as_ref(), entry.value.as_ref()), (key, key));
    }
}

pub(super) async fn lists_in_pages_without_gaps(store: &KvFixture) {
    let keys: Vec<String> = (0..25).map(|i| format!("p/{i:02}")).collect();
    store.write(keys.iter().map(|key| put(key, "v")).collect::<Vec<_>>()).await;
    store.write([put("o", "before"), put("q", "after")]).await;
    for size in [1, 7, 25, 26] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.kv.list(store.namespace(), &bytes("p/"), after.as_ref(), size).await.expect("readable");
            let is_last = page.len() < size;
            after = page.last().map(|entry| entry.key.clone()).or(after);
            seen.extend(page.into_iter().map(|entry| entry.key));
            if is_last {
                break;
            }
        }
        assert_eq!(seen, keys, "pages of {size}");
    }
    let list = async |after: &str, limit| {
        let page = store.kv.list(store.namespace(), &bytes("p/"), Some(&bytes(after)), limit).await.expect("readable");
        page.into_iter().map(|entry| entry.key).collect::<Vec<_>>()
    };
    assert_eq!(list("p/03x", 1).await, ["p/04"], "`after` need not exist");
    assert_eq!(list("a", 1).await, ["p/00"], "`after` may lie before the prefix");
    assert!(list("q", 1).await.is_empty() && list("p/24", 1).await.is_empty() && list("", 0).await.is_empty());
}

pub(super) async fn prefixes_end_where_they_should(store: &KvFixture) {
    store.write(EDGES.map(raw)).await;
    for prefix in EDGES {
        let listed: Vec<Bytes> = store.list(prefix).await.into_iter().map(|entry| entry.key).collect();
        let wanted: Vec<&[u8]> = EDGES.into_iter().filter(|key| key.starts_with(prefix)).collect();
        assert_eq!(listed, wanted, "prefix {prefix:?}");
    }
}

pub(super) async fn reads_many_keys_at_once(store: &KvFixture) {
    store.write([put("a", "1"), put("c", "3")]).await;
    let keys = ["c", "b", "a", "a"].map(bytes);
    let entries = store.kv.get_many(store.namespace(), &keys).await.expect("readable");
    let values: Vec<_> = entries.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
    assert_eq!(values, [Some(bytes("3")), None, Some(bytes("1")), Some(bytes("1"))]);
    assert_eq!(store.kv.get_many(store.namespace(), &[]).await.expect("readable"), []);
}

pub(super) async fn bounds_what_is_read_at_once(store: &KvFixture) {
    let value = Bytes::from(vec![b'v'; types::limits::KV_VALUE.as_usize()]);
    store.write([types::kv::Write::Put { key: bytes("large"), value, expires: None }]).await;
    let read = async |key: &str, times: usize| store.kv.get_many(store.namespace(), &vec![bytes(key); times]).await;
    assert_eq!(read("large", 16).await.expect("the limit itself is allowed").len(), 16);
    let refused = read("large", 17).await;
    assert!(matches!(refused, Err(ports::StoreError::TooLarge { what: "values", .. })), "many bytes are refused");
    let count = types::limits::KV_TRANSACTION;
    assert_eq!(read("none", count).await.expect("the limit itself is allowed").len(), count);
    let refused = read("none", count + 1).await;
    assert!(matches!(refused, Err(ports::StoreError::TooMany { what: "keys", .. })), "many keys are refused");
}
