//! Appending.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use ports::{
    StoreError,
    log::{Partition, Record, Sequence},
};
use types::limits;

use super::{FIRST, LogFixture, bodies, keyed, once, record, soon};

pub(super) async fn sequences_begin_at_zero_and_have_no_gaps(fixture: &LogFixture) {
    assert_eq!(fixture.append(vec![]).await, []);
    assert_eq!(fixture.append(vec![record("a"), record("b")]).await, [(FIRST, Sequence(0)), (FIRST, Sequence(1))]);
    assert_eq!(fixture.append(vec![record("c")]).await, [(FIRST, Sequence(2))]);
    assert_eq!(bodies(&fixture.read(FIRST, 0).await), ["a", "b", "c"]);
    assert_eq!(bodies(&fixture.read(FIRST, 2).await), ["c"]);
    assert_eq!(fixture.read(FIRST, 3).await, []);
}

pub(super) async fn records_of_one_key_share_a_partition_and_others_are_spread(fixture: &LogFixture) {
    fixture.configure(8).await;
    let mut used = BTreeSet::new();
    for key in 0..40 {
        let key = format!("key {key}");
        let places = fixture.append(vec![keyed(&key, "a"), keyed(&key, "b")]).await;
        let later = fixture.append(vec![keyed(&key, "c")]).await;
        assert!(places[0].0 == places[1].0 && places[1].0 == later[0].0, "{key}: {places:?} {later:?}");
        assert!(places[0].1 < places[1].1 && places[1].1 < later[0].1);
        used.insert(later[0].0);
    }
    assert!(used.len() > 4, "40 keys used {used:?} of 8 partitions");
    let mut spread = BTreeSet::new();
    for _ in 0..100 {
        spread.insert(fixture.append(vec![record("x")]).await[0].0);
    }
    assert_eq!(spread.len(), 8, "records without a key reach every partition");
    fixture.configure(2).await;
    assert_eq!(fixture.log.stats(fixture.stream()).await.expect("readable").len(), 8, "partitions only grow");
}

pub(super) async fn a_repeated_record_is_one_record(fixture: &LogFixture) {
    let first = fixture.append(vec![once("1", "a"), record("b")]).await;
    assert_eq!(fixture.append(vec![once("1", "a")]).await, [first[0]]);
    let mixed = fixture.append(vec![once("2", "c"), once("1", "a"), once("2", "c")]).await;
    assert_eq!(mixed, [(FIRST, Sequence(2)), first[0], (FIRST, Sequence(2))]);
    assert_eq!(bodies(&fixture.read(FIRST, 0).await), ["a", "b", "c"]);
    fixture.clock.advance(limits::QUEUE_DEDUP_TIME - Duration::from_nanos(1));
    assert_eq!(fixture.append(vec![once("1", "a")]).await, [first[0]]);
    fixture.clock.advance(Duration::from_nanos(1));
    assert_eq!(fixture.append(vec![once("1", "a")]).await, [(FIRST, Sequence(3))], "after its time it is another");
}

pub(super) async fn what_is_expected_must_be_so(fixture: &LogFixture) {
    let append = |body: &'static str, expect: u64| {
        fixture.log.append(fixture.stream(), vec![once(body, body), record("x")], Some(Sequence(expect)))
    };
    append("a", 0).await.expect("it is empty");
    for wrong in [0, 1, 3] {
        let refused = append("b", wrong).await;
        assert!(matches!(refused, Err(StoreError::Changed(_))), "{refused:?}");
    }
    assert_eq!(append("b", 2).await.expect("it is as expected")[0], (FIRST, Sequence(2)));
    let repeated = fixture.log.append(fixture.stream(), vec![once("b", "b")], Some(Sequence(2))).await;
    assert_eq!(repeated.expect("what was appended already expects nothing")[0].1, Sequence(2));
    assert_eq!(fixture.read(FIRST, 0).await.len(), 4, "a refusal appends nothing");
}

pub(super) async fn refuses_what_is_over_a_limit(fixture: &LogFixture) {
    let body = |bytes: u64| Record { body: Bytes::from(vec![1; usize::try_from(bytes).expect("small")]), ..Record::default() };
    fixture.append(vec![body(limits::EVENT.0)]).await;
    for (records, is_large) in [
        (vec![body(1), body(limits::EVENT.0 + 1)], true),
        (vec![body(limits::EVENT.0); 65], true),
        (vec![body(0); limits::EVENT_BATCH + 1], false),
    ] {
        match fixture.log.append(fixture.stream(), records, None).await {
            Err(StoreError::TooLarge { .. }) if is_large => {}
            Err(StoreError::TooMany { .. }) if !is_large => {}
            other => panic!("{other:?}"),
        }
    }
    let many = fixture.log.configure(fixture.stream(), limits::PARTITIONS + 1, limits::RETENTION_TIME).await;
    assert!(matches!(many, Err(StoreError::TooMany { .. })), "{many:?}");
    assert_eq!(fixture.read(FIRST, 0).await.len(), 1, "nothing of what was refused is there");
}

pub(super) async fn streams_share_nothing(fixture: &LogFixture) {
    let [one, other] = &fixture.streams;
    fixture.log.append(one, vec![once("1", "a")], None).await.expect("there is room");
    let appended = fixture.log.append(other, vec![once("1", "b")], None).await.expect("there is room");
    assert_eq!(appended, [(FIRST, Sequence(0))]);
    fixture.log.purge(one).await.expect("it can be purged");
    let left = fixture.log.read(other, FIRST, Sequence(0), 10, Duration::ZERO).await.expect("readable");
    assert_eq!(bodies(&left), ["b"]);
    let missing = fixture.log.read(other, Partition(1), Sequence(0), 10, Duration::ZERO).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))), "{missing:?}");
}

/// Readers run beside writers: what they saw ends where the next read begins, and nothing comes in between later.
pub(super) async fn no_sequence_appears_below_one_seen(fixture: &LogFixture) {
    const WRITERS: usize = 6;
    const EACH: usize = 25;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (log, stream) = (fixture.log.clone(), fixture.stream().clone());
        tasks.spawn(async move {
            for i in 0..EACH {
                let records = vec![record(&format!("{writer}-{i}a")), record(&format!("{writer}-{i}b"))];
                let places = log.append(&stream, records, None).await.expect("there is room");
                assert_eq!(places[0].1.0 + 1, places[1].1.0, "records of one call lie side by side");
                // Who was answered finds it.
                let found = log.read(&stream, FIRST, places[0].1, 1, Duration::ZERO).await.expect("readable");
                assert_eq!(bodies(&found), [format!("{writer}-{i}a")]);
            }
        });
    }
    let mut seen = 0;
    while seen < (2 * WRITERS * EACH) as u64 {
        for found in soon("more records", fixture.log.read(fixture.stream(), FIRST, Sequence(seen), 10, Duration::from_secs(1)))
            .await
            .expect("readable")
        {
            assert_eq!(found.sequence, Sequence(seen), "there is no gap");
            seen += 1;
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("it does not panic");
    }
    assert_eq!(fixture.read(FIRST, 0).await.len() as u64, seen);
}
