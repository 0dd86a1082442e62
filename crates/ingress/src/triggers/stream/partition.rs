//! One partition's worker: reads, invokes, goes on.
//!
//! A batch that fails as a whole is halved until it succeeds or one record is alone. One that fails alone is tried again with growing
//! pauses; after its retries it goes to the dead-letter queue in one unit with the move past it, and the others go on. Attempts are
//! counted in memory: a restart begins to count anew, so a record may get more of them, never fewer.

use std::time::Duration;

use ports::{
    StoreError, Verdict,
    invoker::{Acknowledge, Item},
    log::{Epoch, Partition, Sequence},
    queue::{Message, QueueName},
    unit::{Effects, UnitOutcome},
};
use tokio::sync::watch;
use types::{Code, Elapsed, Problem, kv::IdempotencyKey, limits, stream::Appended, trigger::Source};

use super::Follower;
use crate::{
    Drain,
    triggers::{
        dispatch::{
            ask::{Asked, ask},
            reader::{Reader, Readers},
            request::Ready,
            retry::{jitter, pause},
        },
        wanted::Candidates,
    },
};

/// How long one read waits. The store wakes it.
const READ_WAIT: Duration = Duration::from_secs(10 * 60);
/// The longest pause after it was not known what became of a batch.
const UNKNOWN_PAUSE_MAX: Duration = Duration::from_secs(2);

pub(super) struct Worker {
    follower: Follower,
    partition: Partition,
    epoch: Epoch,
    candidates: watch::Receiver<Candidates>,
    stop: Drain,
    /// The record to go on with.
    next: Sequence,
    /// The deliveries of that record, this one included.
    attempt: u32,
    /// The records of a batch, while one that fails is looked for.
    narrowed: Option<usize>,
}

/// How a worker goes on.
enum Step {
    /// With what it is at now.
    On,
    /// Not at all.
    End,
}

impl Worker {
    pub(super) fn new(
        follower: &Follower,
        (partition, epoch): (Partition, Epoch),
        next: Sequence,
        candidates: watch::Receiver<Candidates>,
        stop: Drain,
    ) -> Self {
        Self { follower: follower.clone(), partition, epoch, candidates, stop, next, attempt: 1, narrowed: None }
    }

    /// Works until it is stopped or overtaken.
    pub(super) async fn run(mut self) -> Partition {
        let mut readers = Readers::of(&self.candidates.borrow_and_update());
        while !self.stop.has_begun() {
            if self.candidates.has_changed().unwrap_or(false) {
                readers = Readers::of(&self.candidates.borrow_and_update());
            }
            if readers.heaviest().is_none() {
                break;
            }
            let reader = readers.draw(&*self.follower.shared.settings.rng);
            match self.turn(&reader).await {
                Ok(Step::On) => {}
                Ok(Step::End) => break,
                Err(StoreError::Fenced(_)) => break,
                Err(error) => {
                    tracing::warn!(stream = %self.follower.stream.0, partition = self.partition.0, %error, "a stream can't be read");
                    self.sleep(Duration::from_secs(1)).await;
                }
            }
        }
        self.partition
    }

    async fn sleep(&self, pause: Duration) {
        let clock = &self.follower.shared.settings.clock;
        tokio::select! {
            () = self.stop.clone().begun() => {}
            () = clock.sleep_until(clock.monotonic_ns().saturating_add(Elapsed::from(pause).ns())) => {}
        }
    }

    async fn turn(&mut self, reader: &Reader) -> Result<Step, StoreError> {
        let mut records = match self.read(reader).await {
            Ok(records) => records,
            Err(StoreError::Compacted { oldest }) => {
                let lost = oldest.saturating_sub(self.next.0);
                tracing::warn!(stream = %self.follower.stream.0, partition = self.partition.0, lost, "records were gone before they were read");
                (self.next, self.attempt, self.narrowed) = (Sequence(oldest), 1, None);
                return Ok(Step::On);
            }
            Err(error) => return Err(error),
        };
        let looping = |record: &Appended| record.record.cause.is_some_and(|cause| cause.depth >= limits::CAUSAL_DEPTH);
        if let Some(at) = records.iter().position(looping) {
            records.truncate(at.max(1));
            if at == 0 {
                let depth = records[0].record.cause.map_or(0, |cause| cause.depth) + 1;
                let problem = Problem::limit(Code::E0516, "causal depth", depth, limits::CAUSAL_DEPTH);
                return self.bury(reader, &records[0], &problem.to_string()).await;
            }
        }
        if records.is_empty() {
            return Ok(Step::On);
        }
        let shared = &self.follower.shared;
        let permit = tokio::select! {
            () = self.stop.clone().begun() => return Ok(Step::End),
            permit = shared.runs.acquire() => permit,
        };
        let ready: Vec<Ready> = records.iter().map(|record| self.ready(reader, record)).collect();
        let asked = ask(shared, reader, &ready, self.attempt, &self.stop, |_| {}).await;
        drop(permit);
        match asked {
            Asked::Stopped => Ok(Step::End),
            Asked::Verdict(verdict) => self.decide(reader, &records, verdict).await,
        }
    }

    async fn read(&self, reader: &Reader) -> Result<Vec<Appended>, StoreError> {
        let (rules, settings) = (reader.rules(), &self.follower.shared.settings);
        let batch = (rules.batch as usize).max(1);
        let max = self.narrowed.unwrap_or(batch).min(batch);
        let read = async |from: Sequence, max, wait| {
            tokio::select! {
                () = self.stop.clone().begun() => Ok(Vec::new()),
                read = settings.log.read(&self.follower.stream, self.partition, from, max, wait) => read,
            }
        };
        let mut records = read(self.next, max, READ_WAIT).await?;
        let end = settings.clock.monotonic_ns().saturating_add(Elapsed::from(rules.wait).ns());
        while self.narrowed.is_none() && records.len() < max && !self.stop.has_begun() {
            let left = Duration::from_nanos(end.saturating_sub(settings.clock.monotonic_ns()));
            let Some(last) = records.last().filter(|_| !left.is_zero()) else { break };
            let more = read(Sequence(last.sequence.0 + 1), max - records.len(), left).await?;
            if more.is_empty() {
                break;
            }
            records.extend(more);
        }
        Ok(records)
    }

    fn ready(&self, reader: &Reader, record: &Appended) -> Ready {
        let Follower { stream, group, .. } = &self.follower;
        let name = stream.0.rsplit('/').next().unwrap_or_default();
        let event = super::event(&reader.function.key, name, self.partition, record);
        let acknowledge = Acknowledge::Record {
            stream: stream.clone(),
            group: group.clone(),
            partition: self.partition,
            next: Sequence(record.sequence.0 + 1),
            epoch: self.epoch,
        };
        Ready { item: Item { id: event.id.clone(), acknowledge }, event, cause: record.record.cause }
    }

    async fn decide(&mut self, reader: &Reader, records: &[Appended], verdict: Verdict) -> Result<Step, StoreError> {
        match verdict {
            Verdict::Done { failed } => {
                let id = |record: &Appended| format!("{}-{}", self.partition.0, record.sequence.0);
                match records.iter().position(|record| failed.contains(&id(record))) {
                    None => self.went_well(records),
                    Some(at) => {
                        if at > 0 {
                            (self.next, self.attempt) = (records[at].sequence, 1);
                        }
                        return self.failed_alone(reader, &records[at], "the function said that it failed").await;
                    }
                }
            }
            Verdict::Failed { reason } => return self.failed(reader, records, &reason).await,
            Verdict::Conflict => return self.failed(reader, records, "others kept changing what the function reads").await,
            Verdict::Superseded => return Ok(Step::End),
            Verdict::Unknown { reason } => {
                let Follower { shared, stream, group } = &self.follower;
                tracing::warn!(stream = %stream.0, partition = self.partition.0, reason, "it is not known what became of a batch");
                let pause = jitter(&*shared.settings.rng, UNKNOWN_PAUSE_MAX);
                self.sleep(pause).await;
                let committed = shared.settings.log.committed(stream, group, self.partition).await?;
                self.next = committed.unwrap_or(self.next).max(self.next);
            }
        }
        Ok(Step::On)
    }

    fn went_well(&mut self, records: &[Appended]) {
        let last = records.last().map_or(self.next.0, |record| record.sequence.0 + 1);
        (self.next, self.attempt) = (Sequence(last), 1);
        // What failed was not in here; it is found sooner if batches grow slowly again.
        self.narrowed = self.narrowed.map(|size| size * 2).filter(|size| *size < limits::BATCH_MAX as usize);
    }

    async fn failed(&mut self, reader: &Reader, records: &[Appended], reason: &str) -> Result<Step, StoreError> {
        if let [alone] = records {
            return self.failed_alone(reader, alone, reason).await;
        }
        self.narrowed = Some((records.len() / 2).max(1));
        let pause = pause(&*self.follower.shared.settings.rng, 1);
        self.sleep(pause).await;
        Ok(Step::On)
    }

    async fn failed_alone(&mut self, reader: &Reader, record: &Appended, reason: &str) -> Result<Step, StoreError> {
        self.narrowed = Some(1);
        if self.attempt > reader.rules().retries {
            return self.bury(reader, record, reason).await;
        }
        let pause = pause(&*self.follower.shared.settings.rng, self.attempt);
        self.attempt += 1;
        self.sleep(pause).await;
        Ok(Step::On)
    }

    /// Moves a record to the dead-letter queue and the group past it, both or neither.
    async fn bury(&mut self, reader: &Reader, record: &Appended, reason: &str) -> Result<Step, StoreError> {
        let Follower { shared, stream, group } = &self.follower;
        let key = &reader.function.key;
        let (partition, sequence) = (self.partition.0, record.sequence.0);
        tracing::warn!(stream = %stream.0, partition, sequence, reason, "a record became a dead letter");
        let from = match reader.source() {
            Source::Stream { stream, .. } => stream.clone(),
            _ => stream.0.clone(),
        };
        let attributes = [
            ("stream", from),
            ("partition", partition.to_string()),
            ("sequence", sequence.to_string()),
            ("reason", reason.to_owned()),
        ];
        let message = Message {
            body: record.record.body.clone(),
            attributes: attributes.map(|(name, value)| (format!("dayfly-{name}"), value)).to_vec(),
            // Whoever works off dead letters is not the end of a loop.
            cause: record.record.cause.filter(|cause| cause.depth < limits::CAUSAL_DEPTH),
            ..Message::default()
        };
        let dead = QueueName::of(&key.app, &key.env, &reader.rules().dead);
        let next = Sequence(sequence + 1);
        let effects = Effects {
            enqueues: vec![(dead, message)],
            offsets: vec![(stream.clone(), group.clone(), self.partition, next, self.epoch)],
            ..Effects::default()
        };
        let name = IdempotencyKey(format!("dead/{}/{}/{partition}/{sequence}/{}", stream.0, group.0, self.epoch.0));
        match shared.settings.unit.commit(effects, name).await? {
            UnitOutcome::Committed => {
                (self.next, self.attempt, self.narrowed) = (next, 1, None);
                Ok(Step::On)
            }
            UnitOutcome::Refused(_) => Ok(Step::End),
        }
    }
}
