//! Queues, streams, changed rows and units in memory: as little as the triggers' tests need, on the test's clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    BoxFuture, Clock, Kv, Log, Queue, Sql, SqlConnection, StoreError, Unit,
    log::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
    sql::{DatabaseName, Migration, RowChanged, SqlAccess},
    unit::{Effects, Refusal, RefusalKind, UnitOutcome},
};
use testkit::{TestClock, model::ModelKv};
use tokio::sync::watch;
use types::{
    Cause, Elapsed,
    kv::{Committed, IdempotencyKey},
};

#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) queue: QueueName,
    pub(crate) message: Message,
    attempt: u32,
    due_ns: u64,
    until_ns: u64,
}

/// What became a dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Buried {
    pub(crate) body: String,
    pub(crate) dead: String,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
}

#[derive(Default)]
struct Inner {
    last_id: u64,
    messages: BTreeMap<MessageId, Held>,
    buried: Vec<Buried>,
    streams: BTreeMap<StreamName, Vec<Appended>>,
    offsets: BTreeMap<(StreamName, GroupName), Sequence>,
    epoch: u64,
    rows: Vec<(RowChanged, Option<Cause>)>,
    captured: BTreeMap<DatabaseName, Vec<String>>,
}

pub(crate) struct Store {
    clock: Arc<TestClock>,
    pub(crate) kv: ModelKv,
    inner: Mutex<Inner>,
    news: watch::Sender<()>,
    pub(crate) claims: AtomicUsize,
    /// Pretends that noted rows are never forgotten, as if the process died before.
    pub(crate) forgets_nothing: AtomicBool,
    /// Pretends that leases can't be renewed: they are somebody else's.
    pub(crate) loses_leases: AtomicBool,
}

fn absent<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("this store has no such thing".into()))
}

impl Store {
    pub(crate) fn new(clock: &Arc<TestClock>) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(clock),
            kv: ModelKv::new(Arc::clone(clock) as Arc<dyn Clock>),
            inner: Mutex::default(),
            news: watch::Sender::new(()),
            claims: AtomicUsize::new(0),
            forgets_nothing: AtomicBool::new(false),
            loses_leases: AtomicBool::new(false),
        })
    }
    fn now(&self) -> u64 {
        self.clock.monotonic_ns()
    }
    pub(crate) fn put(&self, queue: &QueueName, message: Message) -> MessageId {
        let mut inner = self.inner.lock();
        inner.last_id += 1;
        let id = MessageId(inner.last_id);
        let due_ns = self.now() + Elapsed::from(message.delay).ns();
        inner.messages.insert(id, Held { queue: queue.clone(), message, attempt: 0, due_ns, until_ns: 0 });
        drop(inner);
        self.news.send_replace(());
        id
    }
    pub(crate) fn waiting(&self) -> usize {
        self.inner.lock().messages.len()
    }
    pub(crate) fn held(&self) -> Vec<Held> {
        self.inner.lock().messages.values().cloned().collect()
    }
    pub(crate) fn buried(&self) -> Vec<Buried> {
        self.inner.lock().buried.clone()
    }
    pub(crate) fn change_row(&self, row: RowChanged, cause: Option<Cause>) {
        self.inner.lock().rows.push((row, cause));
        self.news.send_replace(());
    }
    pub(crate) fn captured(&self) -> BTreeMap<DatabaseName, Vec<String>> {
        self.inner.lock().captured.clone()
    }
    pub(crate) fn offset(&self, stream: &StreamName, group: &str) -> Option<u64> {
        self.inner.lock().offsets.get(&(stream.clone(), GroupName(group.into()))).map(|at| at.0)
    }
    /// Somebody else joins every group.
    pub(crate) fn overtake(&self) {
        self.inner.lock().epoch += 1;
    }

    fn take(&self, queue: &QueueName, max: usize, lease: Duration) -> Vec<Delivery> {
        let now = self.now();
        let mut inner = self.inner.lock();
        let mut blocked: BTreeSet<bytes::Bytes> = BTreeSet::new();
        let held = inner.messages.values().filter(|held| held.queue == *queue && held.until_ns > now);
        blocked.extend(held.filter_map(|held| held.message.group.clone()));
        let mut taken = Vec::new();
        for (id, held) in inner.messages.iter_mut().filter(|(_, held)| held.queue == *queue && held.until_ns <= now) {
            let group = held.message.group.clone();
            if held.due_ns > now || group.as_ref().is_some_and(|group| blocked.contains(group)) {
                blocked.extend(group);
                continue;
            }
            if taken.len() == max {
                break;
            }
            held.attempt += 1;
            held.until_ns = now + Elapsed::from(lease).ns();
            let receipt = Receipt { id: *id, attempt: held.attempt };
            taken.push(Delivery { receipt, enqueued: self.clock.now(), message: held.message.clone() });
        }
        taken
    }

    fn soonest(&self, queue: &QueueName) -> u64 {
        let inner = self.inner.lock();
        let times = inner.messages.values().filter(|held| held.queue == *queue).map(|held| held.due_ns.max(held.until_ns));
        times.filter(|at| *at > self.now()).min().unwrap_or(u64::MAX)
    }

    fn settle(&self, queue: &QueueName, receipts: &[Receipt], mut then: impl FnMut(&mut Inner, MessageId)) -> Vec<Settled> {
        let mut inner = self.inner.lock();
        let mut settled = Vec::new();
        for receipt in receipts {
            let good =
                inner.messages.get(&receipt.id).is_some_and(|held| held.queue == *queue && held.attempt == receipt.attempt);
            if good {
                then(&mut inner, receipt.id);
            }
            settled.push(if good { Settled::Done } else { Settled::Stale });
        }
        drop(inner);
        self.news.send_replace(());
        settled
    }
}

#[async_trait]
impl Queue for Store {
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        _: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        Ok(messages.into_iter().map(|message| Enqueued::New(self.put(queue, message))).collect())
    }
    async fn claim(&self, queue: &QueueName, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, StoreError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        let end = self.now().saturating_add(Elapsed::from(wait).ns());
        let mut news = self.news.subscribe();
        loop {
            let taken = self.take(queue, max, lease);
            if !taken.is_empty() || self.now() >= end {
                return Ok(taken);
            }
            tokio::select! {
                _ = news.changed() => {}
                () = self.clock.sleep_until(end.min(self.soonest(queue))) => {}
            }
        }
    }
    async fn ack(&self, queue: &QueueName, receipts: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        Ok(self.settle(queue, receipts, |inner, id| drop(inner.messages.remove(&id))))
    }
    async fn extend(&self, queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Result<Vec<Settled>, StoreError> {
        if self.loses_leases.load(Ordering::Relaxed) {
            return Ok(vec![Settled::Stale; receipts.len()]);
        }
        let until = self.now() + Elapsed::from(lease).ns();
        Ok(self.settle(queue, receipts, |inner, id| inner.messages.get_mut(&id).expect("it is there").until_ns = until))
    }
    async fn nack(&self, queue: &QueueName, receipts: &[Receipt], delay: Duration) -> Result<Vec<Settled>, StoreError> {
        let due = self.now() + Elapsed::from(delay).ns();
        let give_back = |inner: &mut Inner, id| {
            let held = inner.messages.get_mut(&id).expect("it is there");
            (held.due_ns, held.until_ns) = (due, 0);
        };
        Ok(self.settle(queue, receipts, give_back))
    }
    async fn bury(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Result<Vec<Settled>, StoreError> {
        let bury = |inner: &mut Inner, id| {
            let held: Held = inner.messages.remove(&id).expect("it is there");
            let body = String::from_utf8_lossy(&held.message.body).into_owned();
            inner.buried.push(Buried { body, dead: dead.0.clone(), attempts: held.attempt, reason: reason.into() });
        };
        Ok(self.settle(queue, receipts, bury))
    }
    async fn redrive(&self, _: &QueueName, _: usize) -> Result<u64, StoreError> {
        absent()
    }
    async fn peek(&self, _: &QueueName, _: Option<MessageId>, _: usize) -> Result<Vec<Peeked>, StoreError> {
        absent()
    }
    async fn purge(&self, _: &QueueName) -> Result<u64, StoreError> {
        absent()
    }
    async fn queues(&self, _: &str, _: Option<&QueueName>, _: usize) -> Result<Vec<QueueName>, StoreError> {
        absent()
    }
    async fn retain(&self, _: &QueueName, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
    async fn stats(&self, queue: &QueueName) -> Result<QueueStats, StoreError> {
        let ready = self.inner.lock().messages.values().filter(|held| held.queue == *queue).count() as u64;
        Ok(QueueStats { ready, ..QueueStats::default() })
    }
}

#[async_trait]
impl Log for Store {
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        _: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        let mut inner = self.inner.lock();
        let kept = inner.streams.entry(stream.clone()).or_default();
        for record in records {
            kept.push(Appended { sequence: Sequence(kept.len() as u64), at: self.clock.now(), record });
        }
        drop(inner);
        self.news.send_replace(());
        Ok(Vec::new())
    }
    async fn read(
        &self,
        stream: &StreamName,
        _: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Appended>, StoreError> {
        let end = self.now().saturating_add(Elapsed::from(wait).ns());
        let mut news = self.news.subscribe();
        loop {
            let kept = self.inner.lock().streams.get(stream).cloned().unwrap_or_default();
            let read: Vec<Appended> = kept.into_iter().filter(|record| record.sequence >= from).take(max).collect();
            if !read.is_empty() || self.now() >= end {
                return Ok(read);
            }
            tokio::select! {
                _ = news.changed() => {}
                () = self.clock.sleep_until(end) => {}
            }
        }
    }
    async fn join(&self, _: &StreamName, _: &GroupName, _: &str, _: Duration) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        Ok(vec![(Partition(0), Epoch(self.inner.lock().epoch))])
    }
    async fn commit(
        &self,
        stream: &StreamName,
        group: &GroupName,
        _: Partition,
        next: Sequence,
        _: Epoch,
    ) -> Result<(), StoreError> {
        self.inner.lock().offsets.insert((stream.clone(), group.clone()), next);
        Ok(())
    }
    async fn committed(&self, stream: &StreamName, group: &GroupName, _: Partition) -> Result<Option<Sequence>, StoreError> {
        Ok(self.inner.lock().offsets.get(&(stream.clone(), group.clone())).copied())
    }
    async fn configure(&self, _: &StreamName, _: u32, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
    async fn streams(&self, _: &str, _: Option<&StreamName>, _: usize) -> Result<Vec<StreamName>, StoreError> {
        absent()
    }
    async fn stats(&self, stream: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        let inner = self.inner.lock();
        let next = Sequence(inner.streams.get(stream).map_or(0, Vec::len) as u64);
        let groups = inner.offsets.iter().filter(|((of, _), _)| of == stream).map(|((_, group), at)| (group.clone(), *at));
        Ok(vec![PartitionStats { partition: Partition(0), oldest: Sequence(0), next, groups: groups.collect() }])
    }
    async fn purge(&self, _: &StreamName) -> Result<(), StoreError> {
        absent()
    }
    async fn reset(&self, _: &StreamName, _: &GroupName, _: ResetTo) -> Result<(), StoreError> {
        absent()
    }
}

fn refused(kind: RefusalKind) -> Result<UnitOutcome, StoreError> {
    Ok(UnitOutcome::Refused(Refusal { kind, reason: format!("{kind:?}") }))
}

#[async_trait]
impl Unit for Store {
    async fn commit(&self, effects: Effects, _: IdempotencyKey) -> Result<UnitOutcome, StoreError> {
        let Effects { acks, enqueues, appends, kv, offsets } = effects;
        {
            let inner = self.inner.lock();
            let stale = |(queue, receipt): &(QueueName, Receipt)| {
                inner.messages.get(&receipt.id).is_none_or(|held| held.queue != *queue || held.attempt != receipt.attempt)
            };
            if acks.iter().any(stale) {
                return refused(RefusalKind::Stale);
            }
            if offsets.iter().any(|(_, _, _, _, epoch)| epoch.0 < inner.epoch) {
                return refused(RefusalKind::Fenced);
            }
        }
        for (namespace, transaction) in kv {
            if let Committed::Refused { .. } = self.kv.commit(&namespace, transaction).await? {
                return refused(RefusalKind::Conflict);
            }
        }
        for (queue, receipt) in acks {
            self.ack(&queue, &[receipt]).await?;
        }
        for (queue, message) in enqueues {
            self.put(&queue, message);
        }
        for (stream, record) in appends {
            Log::append(self, &stream, vec![record], None).await?;
        }
        for (stream, group, partition, next, epoch) in offsets {
            Log::commit(self, &stream, &group, partition, next, epoch).await?;
        }
        Ok(UnitOutcome::Committed)
    }
}

#[async_trait]
impl Sql for Store {
    async fn connect(&self, _: &DatabaseName, _: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError> {
        absent()
    }
    async fn migrate(&self, _: &DatabaseName, _: &[Migration]) -> Result<Vec<String>, StoreError> {
        absent()
    }
    async fn migrated(&self, _: &DatabaseName) -> Result<Vec<Migration>, StoreError> {
        absent()
    }
    async fn capture(&self, database: &DatabaseName, tables: &[String]) -> Result<(), StoreError> {
        self.inner.lock().captured.insert(database.clone(), tables.to_vec());
        Ok(())
    }
    async fn changes(&self, _: &DatabaseName, above: u64, max: usize) -> Result<Vec<(RowChanged, Option<Cause>)>, StoreError> {
        let inner = self.inner.lock();
        Ok(inner.rows.iter().filter(|(row, _)| row.sequence > above).take(max).cloned().collect())
    }
    async fn forget(&self, _: &DatabaseName, upto: u64) -> Result<(), StoreError> {
        if self.forgets_nothing.load(Ordering::Relaxed) {
            return absent();
        }
        self.inner.lock().rows.retain(|(row, _)| row.sequence > upto);
        Ok(())
    }
    fn changed(&self, _: &DatabaseName) -> BoxFuture<()> {
        let mut news = self.news.subscribe();
        Box::pin(async move { drop(news.changed().await) })
    }
    async fn databases(&self, _: &str) -> Result<Vec<DatabaseName>, StoreError> {
        absent()
    }
    async fn dump(&self, _: &DatabaseName) -> Result<ports::Body, StoreError> {
        absent()
    }
    async fn restore(&self, _: &DatabaseName, _: ports::Body) -> Result<(), StoreError> {
        absent()
    }
    async fn remove(&self, _: &DatabaseName) -> Result<(), StoreError> {
        absent()
    }
}
