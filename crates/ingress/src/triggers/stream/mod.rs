//! Records of streams as events, read in place with consumer groups: the group is the function's name.
//!
//! Type `dayfly.stream.record`, source `/apps/{app}/{env}/stream/{stream}`, id `{partition}-{sequence}`, the data is the body, its media
//! type what it looks like. Further attributes: `partition`, `sequence`, and `partitionkey` where the record has a key that is text.
//!
//! Each partition has one worker (`partition`), so its records are worked off in order. Positions move with the unit of the invocation's
//! effects and carry the epoch under which the partition was joined, so a worker that was overtaken commits nothing.

mod partition;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ports::{
    StoreError,
    log::{Epoch, GroupName, Partition, PartitionStats, Sequence, StreamName},
};
use tokio::task::JoinSet;
use types::{
    AppKey, CloudEvent, Elapsed, FunctionName,
    stream::Appended,
    trigger::{Source, StreamStart},
};

use self::partition::Worker;
use super::{Shared, Triggers, dispatch::retry::jitter, manager::Start, origin, queue::looks_like, wanted::Candidates};
use crate::Drain;

/// How long a membership holds. A node that dies keeps its partitions for so long, unless it comes back under its name.
const MEMBERSHIP: Duration = Duration::from_secs(10 * 60);
/// When it is renewed.
const REJOIN: Duration = Duration::from_secs(3 * 60);
/// The longest pause after joining failed.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How far a function is behind in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The partition.
    pub partition: Partition,
    /// Records that it has not worked off yet.
    pub records: u64,
}

/// How far a group is behind, by what the partitions say of themselves. A group that never committed is behind by all that is left.
#[must_use]
pub fn lag(stats: &[PartitionStats], group: &GroupName) -> Vec<Lag> {
    let of = |stats: &PartitionStats| {
        let at = stats.groups.iter().find(|(name, _)| name == group).map_or(stats.oldest, |(_, at)| *at);
        Lag { partition: stats.partition, records: stats.next.0.saturating_sub(at.0.max(stats.oldest.0)) }
    };
    stats.iter().map(of).collect()
}

impl Triggers {
    /// How far a function is behind in the partitions of a stream.
    ///
    /// # Errors
    /// As the store.
    pub async fn lag(&self, stream: &StreamName, function: &FunctionName) -> Result<Vec<Lag>, StoreError> {
        Ok(lag(&self.shared.settings.log.stats(stream).await?, &group(function)))
    }
}

fn group(function: &FunctionName) -> GroupName {
    GroupName(function.to_string())
}

pub(crate) fn event(app: &AppKey, stream: &str, partition: Partition, appended: &Appended) -> CloudEvent {
    let Appended { sequence, at, record } = appended;
    let mut extensions = vec![("partition".to_owned(), partition.0.to_string()), ("sequence".to_owned(), sequence.0.to_string())];
    let key = record.key.as_ref().and_then(|key| std::str::from_utf8(key).ok());
    if let Some(key) = key.filter(|key| crate::cloudevents::is_text(key)) {
        extensions.push(("partitionkey".to_owned(), key.to_owned()));
    }
    CloudEvent {
        id: format!("{}-{}", partition.0, sequence.0),
        source: origin::source(app, "stream", stream),
        kind: "dayfly.stream.record".to_owned(),
        subject: None,
        time: Some(*at),
        content_type: Some(looks_like(&record.body).to_owned()),
        schema: None,
        extensions,
        data: Some(record.body.clone()),
    }
}

/// Follows a stream for one function until it is stopped.
pub(crate) async fn follow(stream: StreamName, function: FunctionName, start: Start) {
    let Start { shared, mut candidates, stop } = start;
    let follower = Follower { shared, stream, group: group(&function) };
    let mut workers: BTreeMap<Partition, (Epoch, Drain)> = BTreeMap::new();
    let mut tasks: JoinSet<Partition> = JoinSet::new();
    let mut failures = 0_u32;
    while !stop.has_begun() {
        candidates.borrow_and_update();
        let pause = match follower.join(&candidates).await {
            Ok(joined) => {
                failures = 0;
                stop_others(&workers, &joined);
                for (partition, epoch, next) in joined {
                    if workers.contains_key(&partition) {
                        continue;
                    }
                    let halt = Drain::new();
                    let worker = Worker::new(&follower, (partition, epoch), next, candidates.clone(), halt.clone());
                    tasks.spawn(worker.run());
                    workers.insert(partition, (epoch, halt));
                }
                REJOIN
            }
            Err(error) => {
                tracing::warn!(stream = %follower.stream.0, group = %follower.group.0, %error, "a stream can't be joined");
                failures = failures.saturating_add(1);
                follower.pause(failures)
            }
        };
        let clock = &follower.shared.settings.clock;
        let until = clock.monotonic_ns().saturating_add(Elapsed::from(pause).ns());
        tokio::select! {
            () = stop.clone().begun() => {}
            _ = candidates.changed() => {}
            () = clock.sleep_until(until) => {}
            Some(ended) = tasks.join_next() => match ended {
                // It was overtaken, or could not go on: join again, but not in a loop without a pause.
                Ok(partition) => {
                    workers.remove(&partition);
                    clock.sleep_until(clock.monotonic_ns().saturating_add(Elapsed::from(follower.pause(1)).ns())).await;
                }
                Err(error) => {
                    tracing::error!(%error, "a reader of a stream broke");
                    workers.clear();
                    tasks.shutdown().await;
                }
            },
        }
    }
    workers.values().for_each(|(_, halt)| halt.begin());
    while tasks.join_next().await.is_some() {}
}

fn stop_others(workers: &BTreeMap<Partition, (Epoch, Drain)>, joined: &[(Partition, Epoch, Sequence)]) {
    for (partition, (epoch, halt)) in workers {
        if !joined.iter().any(|(other, newest, _)| other == partition && newest == epoch) {
            halt.begin();
        }
    }
}

/// One group of one stream.
#[derive(Clone)]
struct Follower {
    shared: Arc<Shared>,
    stream: StreamName,
    group: GroupName,
}

impl Follower {
    fn pause(&self, failures: u32) -> Duration {
        let longest = Duration::from_millis(100).saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
        jitter(&*self.shared.settings.rng, longest)
    }

    /// The partitions that are ours, and where each goes on.
    async fn join(
        &self,
        candidates: &tokio::sync::watch::Receiver<Candidates>,
    ) -> Result<Vec<(Partition, Epoch, Sequence)>, StoreError> {
        let settings = &self.shared.settings;
        let joined = settings.log.join(&self.stream, &self.group, &settings.member, MEMBERSHIP).await?;
        let stats = settings.log.stats(&self.stream).await?;
        // A group that was there before starts new partitions at their beginning: it has seen none of their records.
        let known = stats.iter().any(|stats| stats.groups.iter().any(|(name, _)| *name == self.group));
        let newest = !known && from(&candidates.borrow()) == StreamStart::Newest;
        let mut places = Vec::with_capacity(joined.len());
        for (partition, epoch) in joined {
            let committed = settings.log.committed(&self.stream, &self.group, partition).await?;
            let next = match (committed, stats.iter().find(|stats| stats.partition == partition)) {
                (Some(next), _) => next,
                (None, None) => Sequence::default(),
                (None, Some(stats)) if newest => {
                    // Stored at once: after a restart it is this place, not what is newest then.
                    settings.log.commit(&self.stream, &self.group, partition, stats.next, epoch).await?;
                    stats.next
                }
                (None, Some(stats)) => stats.oldest,
            };
            places.push((partition, epoch, next));
        }
        Ok(places)
    }
}

fn from(candidates: &Candidates) -> StreamStart {
    match candidates.heaviest().and_then(|function| function.function.on.as_ref()).map(|on| &on.source) {
        Some(Source::Stream { from, .. }) => *from,
        _ => StreamStart::default(),
    }
}
