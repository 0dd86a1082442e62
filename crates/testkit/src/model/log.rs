//! Streams in memory: what is trimmed is trimmed when somebody looks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    Clock, Log, StoreError,
    log::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
};
use tokio::sync::watch;
use types::{Elapsed, Timestamp, limits};

/// What a flawed model does wrong, for controls of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFlaw {
    /// Commits under any epoch.
    IgnoresEpochs,
    /// Goes back when an older place is committed.
    GoesBack,
    /// Appends a record again that came before.
    ForgetsKeys,
    /// Appends whatever was expected.
    IgnoresExpectations,
    /// Spreads records of one key.
    SpreadsKeys,
    /// Gives what is left instead of saying that something was trimmed.
    HidesCompaction,
    /// Does not wake who waits.
    SleepsThrough,
}

/// Streams behind one lock.
pub struct ModelLog {
    clock: Arc<dyn Clock>,
    flaw: Option<LogFlaw>,
    streams: Mutex<BTreeMap<StreamName, Stream>>,
    appended: watch::Sender<()>,
}

struct Stream {
    parts: Vec<Part>,
    retention: Elapsed,
    keys: BTreeMap<bytes::Bytes, (Partition, Sequence, Timestamp)>,
    groups: BTreeMap<GroupName, Group>,
}

#[derive(Default)]
struct Part {
    oldest: u64,
    records: Vec<Appended>,
}

impl Part {
    fn next(&self) -> u64 {
        self.oldest + self.records.len() as u64
    }
}

#[derive(Default)]
struct Group {
    /// Until when each is in it, by the monotonic clock.
    members: BTreeMap<String, u64>,
    places: BTreeMap<u32, Place>,
}

#[derive(Default)]
struct Place {
    owner: Option<String>,
    epoch: u64,
    next: Option<u64>,
}

impl Default for Stream {
    fn default() -> Self {
        let retention = limits::RETENTION_TIME.into();
        Self { parts: vec![Part::default()], retention, keys: BTreeMap::new(), groups: BTreeMap::new() }
    }
}

impl ModelLog {
    /// No streams.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_flaw(clock, None)
    }

    /// No streams, and something wrong.
    #[must_use]
    pub fn with_flaw(clock: Arc<dyn Clock>, flaw: Option<LogFlaw>) -> Self {
        Self { clock, flaw, streams: Mutex::default(), appended: watch::Sender::default() }
    }

    fn has(&self, flaw: LogFlaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Runs the function on the stream, which is made if it is new.
    fn with<T>(&self, name: &StreamName, run: impl FnOnce(&mut Stream) -> T) -> T {
        let mut streams = self.streams.lock();
        let stream = streams.entry(name.clone()).or_default();
        let now = self.clock.now();
        for part in &mut stream.parts {
            let over = part.records.iter().take_while(|record| record.at.plus(stream.retention) <= now).count();
            part.records.drain(..over);
            part.oldest += over as u64;
        }
        run(stream)
    }

    fn look(&self, stream: &Stream, partition: Partition, from: Sequence, max: usize) -> Result<Vec<Appended>, StoreError> {
        let missing = || StoreError::Missing(format!("partition {}", partition.0));
        let part = stream.parts.get(partition.0 as usize).ok_or_else(missing)?;
        if from.0 < part.oldest && !self.has(LogFlaw::HidesCompaction) {
            return Err(StoreError::Compacted { oldest: part.oldest });
        }
        Ok(part.records.iter().filter(|record| record.sequence >= from).take(max).cloned().collect())
    }
}

fn check(records: &[Record]) -> Result<(), StoreError> {
    let (measured, allowed) = (records.len() as u64, limits::EVENT_BATCH as u64);
    if measured > allowed {
        return Err(StoreError::TooMany { what: "records", measured, allowed });
    }
    let bodies = records.iter().map(|record| record.body.len() as u64);
    let (largest, total) = (bodies.clone().max().unwrap_or(0), bodies.sum::<u64>());
    if largest > limits::EVENT.0 {
        return Err(StoreError::TooLarge { what: "event", measured: largest, allowed: limits::EVENT.0 });
    }
    if total > limits::UNIT_BYTES.0 {
        return Err(StoreError::TooLarge { what: "transaction", measured: total, allowed: limits::UNIT_BYTES.0 });
    }
    Ok(())
}

impl Stream {
    /// Where a record with this key goes, by the rule of the port.
    fn place_of(&self, record: &Record, free: usize) -> usize {
        let Some(key) = &record.key else { return free };
        let hash = blake3::hash(key);
        let head = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        usize::try_from(u64::from_le_bytes(*head) % self.parts.len() as u64).expect("small")
    }

    fn append(&mut self, model: &ModelLog, records: Vec<Record>) -> Vec<(Partition, Sequence)> {
        let now = model.clock.now();
        let free = self.free();
        let mut places = Vec::new();
        for (index, mut record) in records.into_iter().enumerate() {
            let key = record.dedup.take();
            if let Some((place, sequence, until)) = key.as_ref().and_then(|key| self.keys.get(key))
                && *until > now
                && !model.has(LogFlaw::ForgetsKeys)
            {
                places.push((*place, *sequence));
                continue;
            }
            let spread = (index + self.parts.iter().map(|part| part.records.len()).sum::<usize>()) % self.parts.len();
            let place = if model.has(LogFlaw::SpreadsKeys) { spread } else { self.place_of(&record, free) };
            let sequence = Sequence(self.parts[place].next());
            self.parts[place].records.push(Appended { sequence, at: now, record });
            let place = Partition(u32::try_from(place).expect("small"));
            if let Some(key) = key {
                self.keys.insert(key, (place, sequence, now.plus(limits::QUEUE_DEDUP_TIME.into())));
            }
            places.push((place, sequence));
        }
        places
    }

    /// The partition to which the fewest records went.
    fn free(&self) -> usize {
        (0..self.parts.len()).min_by_key(|place| self.parts[*place].next()).unwrap_or(0)
    }
}

#[async_trait]
impl Log for ModelLog {
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        expect: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        check(&records)?;
        if records.is_empty() {
            return Ok(vec![]);
        }
        let now = self.clock.now();
        let appended = self.with(stream, |stream| {
            if let Some(expect) = expect.filter(|_| !self.has(LogFlaw::IgnoresExpectations)) {
                // One that is the same as an earlier one of this call is not new either.
                let mut fresh = BTreeSet::new();
                let is_new = |record: &&Record| {
                    let known = record.dedup.as_ref().and_then(|key| stream.keys.get(key));
                    let is_fresh = record.dedup.clone().is_none_or(|key| fresh.insert(key));
                    is_fresh && known.is_none_or(|(_, _, until)| *until <= now)
                };
                let places: BTreeSet<usize> =
                    records.iter().filter(is_new).map(|record| stream.place_of(record, stream.free())).collect();
                if places.len() > 1 {
                    return Err(StoreError::Rejected("records for several partitions".into()));
                }
                if places.first().is_some_and(|place| stream.parts[*place].next() != expect.0) {
                    return Err(StoreError::Changed("the next sequence is another".into()));
                }
            }
            Ok(stream.append(self, records))
        })?;
        self.appended.send_replace(());
        Ok(appended)
    }

    async fn read(
        &self,
        stream: &StreamName,
        partition: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Appended>, StoreError> {
        let until = self.clock.monotonic_ns().saturating_add(Elapsed::from(wait).ns());
        let mut news = self.appended.subscribe();
        loop {
            let known = self.streams.lock().contains_key(stream);
            let found = if known { self.with(stream, |stream| self.look(stream, partition, from, max))? } else { vec![] };
            if !found.is_empty() || wait.is_zero() || max == 0 {
                return Ok(found);
            }
            tokio::select! {
                () = self.clock.sleep_until(until) => return Ok(found),
                _ = news.changed(), if !self.has(LogFlaw::SleepsThrough) => {}
            }
        }
    }

    async fn join(
        &self,
        stream: &StreamName,
        group: &GroupName,
        member: &str,
        ttl: Duration,
    ) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        let now = self.clock.monotonic_ns();
        Ok(self.with(stream, |stream| {
            let count = u32::try_from(stream.parts.len()).expect("small");
            let group = stream.groups.entry(group.clone()).or_default();
            group.members.retain(|_, until| *until > now);
            group.members.insert(member.to_owned(), now.saturating_add(Elapsed::from(ttl).ns()));
            let members: Vec<String> = group.members.keys().cloned().collect();
            for place in 0..count {
                // By turns, however many that moves: what the suite asks for is an even share.
                let owner = &members[place as usize % members.len()];
                let held = group.places.entry(place).or_default();
                if held.owner.as_ref() != Some(owner) {
                    (held.owner, held.epoch) = (Some(owner.clone()), held.epoch + 1);
                }
            }
            let own = group.places.iter().filter(|(_, place)| place.owner.as_deref() == Some(member));
            own.map(|(place, held)| (Partition(*place), Epoch(held.epoch))).collect()
        }))
    }

    async fn commit(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
        next: Sequence,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        self.with(stream, |stream| {
            let end = stream.parts.get(partition.0 as usize).map_or(0, Part::next);
            let place = stream.groups.get_mut(group).and_then(|group| group.places.get_mut(&partition.0));
            let Some(place) = place.filter(|place| place.epoch == epoch.0 || self.has(LogFlaw::IgnoresEpochs)) else {
                return Err(StoreError::Fenced(format!("epoch {}", epoch.0)));
            };
            if next.0 > end {
                return Err(StoreError::Rejected("beyond the end".into()));
            }
            let before = place.next.filter(|_| !self.has(LogFlaw::GoesBack));
            place.next = before.max(Some(next.0));
            Ok(())
        })
    }

    async fn committed(
        &self,
        stream: &StreamName,
        group: &GroupName,
        partition: Partition,
    ) -> Result<Option<Sequence>, StoreError> {
        let streams = self.streams.lock();
        let group = streams.get(stream).and_then(|stream| stream.groups.get(group));
        Ok(group.and_then(|group| group.places.get(&partition.0)).and_then(|place| place.next).map(Sequence))
    }

    async fn configure(&self, stream: &StreamName, partitions: u32, retention: Duration) -> Result<(), StoreError> {
        let (measured, allowed) = (u64::from(partitions), u64::from(limits::PARTITIONS));
        if measured > allowed {
            return Err(StoreError::TooMany { what: "partitions", measured, allowed });
        }
        self.with(stream, |stream| {
            stream.retention = retention.into();
            let count = stream.parts.len().max(partitions as usize);
            stream.parts.resize_with(count, Part::default);
        });
        Ok(())
    }

    async fn streams(&self, prefix: &str, after: Option<&StreamName>, max: usize) -> Result<Vec<StreamName>, StoreError> {
        let streams = self.streams.lock();
        let names = streams.keys().filter(|name| name.0.starts_with(prefix) && after.is_none_or(|after| *name > after));
        Ok(names.take(max).cloned().collect())
    }

    async fn stats(&self, stream: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        if !self.streams.lock().contains_key(stream) {
            return Ok(vec![]);
        }
        Ok(self.with(stream, |stream| {
            let stats = (0_u32..).zip(&stream.parts).map(|(place, part)| {
                let groups = stream.groups.iter().filter_map(|(name, group)| {
                    let next = group.places.get(&place).and_then(|place| place.next);
                    next.map(|next| (name.clone(), Sequence(next)))
                });
                let (oldest, next) = (Sequence(part.oldest), Sequence(part.next()));
                PartitionStats { partition: Partition(place), oldest, next, groups: groups.collect() }
            });
            stats.collect()
        }))
    }

    async fn purge(&self, stream: &StreamName) -> Result<(), StoreError> {
        if let Some(stream) = self.streams.lock().get_mut(stream) {
            for part in &mut stream.parts {
                part.oldest = part.next();
                part.records.clear();
            }
        }
        Ok(())
    }

    async fn reset(&self, stream: &StreamName, group: &GroupName, to: ResetTo) -> Result<(), StoreError> {
        self.with(stream, |stream| {
            let held = stream.groups.entry(group.clone()).or_default();
            held.members.clear();
            for (place, part) in (0_u32..).zip(&stream.parts) {
                let next = match to {
                    ResetTo::Oldest => part.oldest,
                    ResetTo::Newest => part.next(),
                    ResetTo::At(Sequence(sequence)) => sequence.min(part.next()),
                };
                let held = held.places.entry(place).or_default();
                *held = Place { owner: None, epoch: held.epoch + 1, next: Some(next) };
            }
        });
        Ok(())
    }
}
