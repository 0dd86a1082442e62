//! Parts of an object's bytes.

use super::*;

pub(super) async fn give_exactly_their_bytes(store: &ObjectsFixture) {
    for size in [10_u64, 300_000] {
        let bytes = pattern(size as usize, 5);
        store.put("a", bytes.clone()).await;
        let last = size - 1;
        let ranges = [
            (ByteRange::Between(0, 0), Some((0, 1))),
            (ByteRange::Between(3, 7), Some((3, 8))),
            (ByteRange::Between(last, last + 100), Some((last, size))),
            (ByteRange::Between(0, u64::MAX), Some((0, size))),
            (ByteRange::Between(size, size + 1), None),
            (ByteRange::Between(5, 4), None),
            (ByteRange::From(0), Some((0, size))),
            (ByteRange::From(last), Some((last, size))),
            (ByteRange::From(size), None),
            (ByteRange::Last(4), Some((size - 4, size))),
            (ByteRange::Last(size + 4), Some((0, size))),
            (ByteRange::Last(0), None),
            (ByteRange::Between(size / 2 - 1, size / 2 + 1), Some((size / 2 - 1, size / 2 + 2))),
        ];
        for (range, expected) in ranges {
            let expected = expected.map_or(Bytes::new(), |(first, end)| bytes.slice(first as usize..end as usize));
            let got = store.read("a", None, Some(range)).await.expect("it is there");
            assert!(got == expected, "{range:?} of {size} gave {} bytes", got.len());
        }
    }
    // Where blocks of any likely size begin and end.
    let bytes = pattern(300_000, 5);
    for edge in [4_096_u64, 65_536, 131_072, 262_144] {
        for (first, last) in [(edge - 1, edge), (edge, edge + 1), (edge - 1, edge - 1), (edge, edge)] {
            let got = store.read("a", None, Some(ByteRange::Between(first, last))).await.expect("it is there");
            assert!(got == bytes.slice(first as usize..=last as usize), "{first} to {last}");
        }
    }
}
