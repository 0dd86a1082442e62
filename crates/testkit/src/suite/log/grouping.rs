//! Consumer groups.

use std::{collections::BTreeMap, time::Duration};

use ports::{
    StoreError,
    log::{Epoch, GroupName, Partition, ResetTo, Sequence},
};

use super::{FIRST, LogFixture, record};

const TTL: Duration = Duration::from_secs(30);

impl LogFixture {
    async fn join(&self, group: &str, member: &str) -> BTreeMap<Partition, Epoch> {
        let joined = self.log.join(self.stream(), &GroupName(group.into()), member, TTL).await;
        joined.expect("it can be joined").into_iter().collect()
    }
    async fn commit(&self, group: &str, partition: Partition, next: u64, epoch: Epoch) -> Result<(), StoreError> {
        self.log.commit(self.stream(), &GroupName(group.into()), partition, Sequence(next), epoch).await
    }
    async fn committed(&self, group: &str, partition: Partition) -> Option<u64> {
        let next = self.log.committed(self.stream(), &GroupName(group.into()), partition).await;
        next.expect("readable").map(|next| next.0)
    }
}

pub(super) async fn partitions_are_shared_and_pass_on(fixture: &LogFixture) {
    fixture.configure(4).await;
    let alone = fixture.join("g", "one").await;
    assert_eq!(alone.len(), 4, "who is alone has all");
    assert_eq!(fixture.join("g", "one").await, alone, "who stays keeps its epochs");
    assert_eq!(fixture.join("other", "one").await.len(), 4, "groups share nothing");
    let two = fixture.join("g", "two").await;
    let one = fixture.join("g", "one").await;
    assert_eq!((one.len(), two.len()), (2, 2));
    assert!(one.keys().all(|partition| !two.contains_key(partition)), "each partition has one owner");
    for (partition, epoch) in &two {
        assert!(alone[partition] < *epoch, "what changed hands has a newer epoch");
    }
    fixture.clock.advance(TTL / 2);
    assert_eq!(fixture.join("g", "two").await, two);
    fixture.clock.advance(TTL / 2);
    let left = fixture.join("g", "two").await;
    assert_eq!(left.len(), 4, "who is gone loses its part");
    assert!(two.iter().all(|(partition, epoch)| left[partition] >= *epoch));
    assert!(one.iter().all(|(partition, epoch)| left[partition] > *epoch));
}

pub(super) async fn an_old_epoch_commits_nothing(fixture: &LogFixture) {
    fixture.append(vec![record("a"), record("b"), record("c")]).await;
    let refused = fixture.commit("g", FIRST, 1, Epoch(1)).await;
    assert!(matches!(refused, Err(StoreError::Fenced(_))), "nobody joined: {refused:?}");
    let old = fixture.join("g", "one").await[&FIRST];
    fixture.commit("g", FIRST, 1, old).await.expect("it is the newest");
    fixture.clock.advance(TTL);
    let new = fixture.join("g", "two").await[&FIRST];
    for epoch in [old, Epoch(new.0 + 1), Epoch(0)] {
        let refused = fixture.commit("g", FIRST, 2, epoch).await;
        assert!(matches!(refused, Err(StoreError::Fenced(_))), "{epoch:?}: {refused:?}");
    }
    assert_eq!(fixture.committed("g", FIRST).await, Some(1));
    fixture.commit("g", FIRST, 3, new).await.expect("it is the newest");
    assert_eq!(fixture.committed("g", FIRST).await, Some(3));
    assert_eq!(fixture.committed("other", FIRST).await, None);
}

pub(super) async fn commits_go_forward_and_resets_go_back(fixture: &LogFixture) {
    fixture.append((0..5).map(|i| record(&i.to_string())).collect()).await;
    let epoch = fixture.join("g", "one").await[&FIRST];
    for (next, expected) in [(3, 3), (1, 3), (4, 4)] {
        fixture.commit("g", FIRST, next, epoch).await.expect("it is the newest");
        assert_eq!(fixture.committed("g", FIRST).await, Some(expected));
    }
    assert!(fixture.commit("g", FIRST, 6, epoch).await.is_err(), "nothing is there yet");
    for (to, expected) in
        [(ResetTo::Oldest, 0), (ResetTo::Newest, 5), (ResetTo::At(Sequence(2)), 2), (ResetTo::At(Sequence(99)), 5)]
    {
        let epoch = fixture.join("g", "one").await[&FIRST];
        let group = GroupName("g".into());
        fixture.log.reset(fixture.stream(), &group, to).await.expect("it can be reset");
        assert_eq!(fixture.committed("g", FIRST).await, Some(expected), "{to:?}");
        let late = fixture.commit("g", FIRST, 5, epoch).await;
        assert!(matches!(late, Err(StoreError::Fenced(_))), "what was under way must not undo a reset: {late:?}");
    }
    fixture.log.reset(fixture.stream(), &GroupName("new".into()), ResetTo::Newest).await.expect("it can be reset");
    assert_eq!(fixture.committed("new", FIRST).await, Some(5));
    let stats = fixture.log.stats(fixture.stream()).await.expect("readable");
    assert_eq!(stats[0].groups, [(GroupName("g".into()), Sequence(5)), (GroupName("new".into()), Sequence(5))]);
}

pub(super) async fn new_partitions_are_dealt_out_too(fixture: &LogFixture) {
    let before = fixture.join("g", "one").await;
    assert_eq!(before.len(), 1);
    fixture.configure(3).await;
    let after = fixture.join("g", "one").await;
    assert_eq!(after.len(), 3);
    assert_eq!(after[&FIRST], before[&FIRST]);
}
