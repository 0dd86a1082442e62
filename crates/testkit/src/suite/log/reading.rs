//! Reading, trimming and listing.

use std::{slice::from_ref, time::Duration};

use bytes::Bytes;
use ports::{
    Clock as _, StoreError,
    log::{Record, Sequence, StreamName},
};
use types::{
    Cause,
    trace::{SpanId, TraceContext, TraceId},
};

use super::{FIRST, LogFixture, bodies, record, soon};

pub(super) async fn gives_back_all_of_a_record(fixture: &LogFixture) {
    let trace = TraceId::from_bytes([7; 16]).expect("not zero");
    let span = SpanId::from_bytes([9; 8]).expect("not zero");
    let cause = Some(Cause { trace: TraceContext { trace, span, sampled: true }, depth: 3 });
    let whole = Record { key: Some(Bytes::from("k")), body: Bytes::from(vec![0, 255]), dedup: Some(Bytes::from("d")), cause };
    let empty = Record { key: Some(Bytes::new()), ..Record::default() };
    fixture.append(vec![whole.clone(), empty.clone(), Record::default()]).await;
    let found = fixture.read(FIRST, 0).await;
    assert_eq!(found[0].record, Record { dedup: None, ..whole });
    assert_eq!(found[1].record, empty);
    assert_eq!(found[2].record, Record::default());
    assert_eq!(found[0].at, fixture.clock.now());
}

pub(super) async fn reads_in_pieces_without_gaps(fixture: &LogFixture) {
    let big = |i: usize| Record { body: Bytes::from(vec![u8::try_from(i).expect("small"); 1 << 20]), ..Record::default() };
    for i in 0..40 {
        fixture.append(vec![big(i)]).await;
    }
    assert_eq!(fixture.try_read(FIRST, 5, 3).await.expect("readable").len(), 3);
    assert_eq!(fixture.try_read(FIRST, 5, 0).await.expect("readable").len(), 0);
    let mut from = 0;
    while from < 40 {
        let found = fixture.read(FIRST, from).await;
        assert!(!found.is_empty(), "there is more at {from}");
        for (record, expected) in found.iter().zip(from..) {
            assert_eq!((record.sequence.0, u64::from(record.record.body[0])), (expected, expected));
        }
        from += found.len() as u64;
    }
}

pub(super) async fn waits_for_the_first_record(fixture: &LogFixture) {
    for from in 0..3 {
        let (log, stream) = (fixture.log.clone(), fixture.stream().clone());
        let waits = tokio::spawn(async move { log.read(&stream, FIRST, Sequence(from), 10, Duration::from_secs(3_600)).await });
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!waits.is_finished());
        fixture.log.append(&fixture.streams[1], vec![record("elsewhere")], None).await.expect("there is room");
        fixture.append(vec![record("here")]).await;
        let found = soon("the record that was waited for", waits).await.expect("it does not panic").expect("readable");
        assert_eq!((bodies(&found), found[0].sequence.0), (vec!["here"], from));
    }
}

pub(super) async fn stops_waiting_when_time_is_up(fixture: &LogFixture) {
    let (log, stream) = (fixture.log.clone(), fixture.stream().clone());
    let waits = tokio::spawn(async move { log.read(&stream, FIRST, Sequence(0), 10, Duration::from_secs(5)).await });
    tokio::time::sleep(Duration::from_millis(5)).await;
    fixture.clock.advance(Duration::from_secs(4));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(!waits.is_finished(), "it is not time yet");
    let passes = async {
        while !waits.is_finished() {
            fixture.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the end of the wait", passes).await;
    assert_eq!(waits.await.expect("it does not panic").expect("readable"), []);
}

pub(super) async fn old_records_are_trimmed_and_said_to_be(fixture: &LogFixture) {
    let retention = Duration::from_secs(3_600);
    fixture.log.configure(fixture.stream(), 1, retention).await.expect("it can be configured");
    fixture.append(vec![record("a"), record("b")]).await;
    fixture.clock.advance(retention / 2);
    fixture.append(vec![record("c")]).await;
    fixture.clock.advance(retention / 2 - Duration::from_secs(1));
    assert_eq!(fixture.read(FIRST, 0).await.len(), 3, "nothing is over yet");
    fixture.clock.advance(Duration::from_secs(1));
    let trimmed = async {
        loop {
            match fixture.try_read(FIRST, 1, 10).await {
                Err(StoreError::Compacted { oldest }) => return oldest,
                other => other.expect("readable"),
            };
            // Late is allowed: whoever trims looks from time to time.
            fixture.clock.advance(Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert_eq!(soon("the trimming", trimmed).await, 2);
    assert_eq!(bodies(&fixture.read(FIRST, 2).await), ["c"]);
    let stats = fixture.log.stats(fixture.stream()).await.expect("readable");
    assert_eq!((stats[0].oldest, stats[0].next), (Sequence(2), Sequence(3)));
}

pub(super) async fn a_purge_hides_everything_and_sequences_go_on(fixture: &LogFixture) {
    fixture.log.purge(fixture.stream()).await.expect("there is nothing to purge");
    for _ in 0..7 {
        fixture.append((0..1_000).map(|i| record(&i.to_string())).collect()).await;
    }
    fixture.log.purge(fixture.stream()).await.expect("it can be purged");
    assert!(matches!(fixture.try_read(FIRST, 6_999, 10).await, Err(StoreError::Compacted { oldest: 7_000 })));
    assert_eq!(fixture.read(FIRST, 7_000).await, []);
    assert_eq!(fixture.append(vec![record("new")]).await, [(FIRST, Sequence(7_000))]);
    assert_eq!(bodies(&fixture.read(FIRST, 7_000).await), ["new"]);
}

pub(super) async fn lists_streams_by_prefix(fixture: &LogFixture) {
    assert_eq!(fixture.log.stats(fixture.stream()).await.expect("readable"), [], "there is none yet");
    for stream in &fixture.streams {
        fixture.log.append(stream, vec![record("a")], None).await.expect("there is room");
    }
    let list =
        async |prefix: &str, after: Option<&StreamName>, max| fixture.log.streams(prefix, after, max).await.expect("readable");
    let [first, second] = &fixture.streams;
    assert_eq!(list("shop/dev/", None, 10).await, [first.clone(), second.clone()]);
    assert_eq!(list("shop/dev/", None, 1).await, from_ref(first));
    assert_eq!(list("shop/dev/", Some(first), 10).await, from_ref(second));
    assert_eq!(list("shop/prod/", None, 10).await, Vec::<StreamName>::new());
}
