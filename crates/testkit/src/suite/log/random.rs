//! Random calls, each answered by the store and by the model.

use std::time::Duration;

use bytes::Bytes;
use ports::{
    Log as _,
    log::{GroupName, Partition, Record, ResetTo, Sequence},
};
use types::limits;

use super::LogFixture;
use crate::{model::ModelLog, rng::SeededRng};

const CALLS: usize = 250;

pub(super) async fn agrees_with_the_model(fixture: &LogFixture, seed: u64) {
    let (rng, log) = (SeededRng::new(seed), &fixture.log);
    let model = ModelLog::new(fixture.clock.clone());
    let groups = [GroupName("a".into()), GroupName("b".into())];
    for _ in 0..CALLS {
        let (stream, group) = (rng.pick(&fixture.streams), rng.pick(&groups));
        let partition = Partition(u32::try_from(rng.below(4)).expect("small"));
        let sequence = Sequence(rng.below(30) as u64);
        match rng.below(14) {
            0..6 => {
                let records = records(&rng);
                let expect = rng.percent(20).then_some(sequence);
                let ours = log.append(stream, records.clone(), expect).await;
                let theirs = model.append(stream, records, expect).await;
                assert_eq!(ours.ok(), theirs.ok());
            }
            6..9 => {
                let max = rng.below(9);
                let ours = log.read(stream, partition, sequence, max, Duration::ZERO).await;
                let theirs = model.read(stream, partition, sequence, max, Duration::ZERO).await;
                assert_eq!(ours.map_err(|error| error.to_string().contains("compacted")).ok(), theirs.ok());
            }
            9 => {
                // Who has which partition is the store's affair; with one member there is only one way.
                let ttl = Duration::from_secs(1_000_000);
                let ours = log.join(stream, group, "only", ttl).await.expect("it can be joined");
                let theirs = model.join(stream, group, "only", ttl).await.expect("it can be joined");
                assert_eq!(ours, theirs);
                for (partition, epoch) in ours {
                    let ours = log.commit(stream, group, partition, sequence, epoch).await;
                    assert_eq!(ours.is_ok(), model.commit(stream, group, partition, sequence, epoch).await.is_ok());
                }
            }
            10 => {
                let to = *rng.pick(&[ResetTo::Oldest, ResetTo::Newest, ResetTo::At(sequence)]);
                assert_eq!(log.reset(stream, group, to).await.ok(), model.reset(stream, group, to).await.ok());
            }
            11 => {
                let count = u32::try_from(1 + rng.below(4)).expect("small");
                let ours = log.configure(stream, count, limits::RETENTION_TIME).await;
                assert_eq!(ours.ok(), model.configure(stream, count, limits::RETENTION_TIME).await.ok());
            }
            12 if rng.percent(20) => assert_eq!(log.purge(stream).await.ok(), model.purge(stream).await.ok()),
            _ => fixture.clock.advance(Duration::from_secs(rng.below(200) as u64)),
        }
        let (ours, theirs) = (log.committed(stream, group, partition).await, model.committed(stream, group, partition).await);
        assert_eq!(ours.ok(), theirs.ok());
        assert_eq!(log.stats(stream).await.ok(), model.stats(stream).await.ok());
    }
    let all = log.streams("", None, 100).await.expect("readable");
    assert_eq!(all, model.streams("", None, 100).await.expect("readable"));
}

fn records(rng: &SeededRng) -> Vec<Record> {
    let bytes = |count: usize| Bytes::from(rng.below(count).to_string());
    let record = |_| Record {
        key: rng.percent(60).then(|| bytes(6)),
        body: bytes(1_000),
        dedup: rng.percent(40).then(|| bytes(8)),
        cause: None,
    };
    (0..rng.below(4)).map(record).collect()
}
