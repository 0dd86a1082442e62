//! The stores that have no model: enough of each for what functions do with it. What is committed can be looked at, and outcomes can be
//! put on.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Bus, Kv, Log, Queue, Secrets, Sql, SqlConnection, StoreError, Unit,
    secrets::{SecretInfo, SecretValue},
    unit::{Effects, Refusal, RefusalKind, UnitOutcome},
};
use types::{
    AppKey, Cause, CloudEvent, Timestamp,
    event::BusName,
    kv::{Committed, IdempotencyKey},
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
    sql::{DatabaseName, Migration, RowChanged, Rows, SqlAccess, SqlValue, Statement},
    stream::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
};

/// All of the fakes in one, over the store of keys and values.
pub(crate) struct Platform {
    pub(crate) kv: Arc<dyn Kv>,
    /// Takes messages in place of `sent`.
    pub(crate) queue: Mutex<Option<Arc<dyn Queue>>>,
    pub(crate) sent: Mutex<Vec<(QueueName, Message)>>,
    pub(crate) appended: Mutex<Vec<(StreamName, Record)>>,
    pub(crate) acked: Mutex<Vec<Receipt>>,
    pub(crate) offsets: Mutex<Vec<(Partition, Sequence)>>,
    pub(crate) stale: Mutex<Vec<Receipt>>,
    /// What the next commits answer, and whether they happen all the same.
    pub(crate) outcomes: Mutex<VecDeque<(StoreError, bool)>>,
    pub(crate) units: Mutex<BTreeMap<String, UnitOutcome>>,
    pub(crate) slow: AtomicBool,
    pub(crate) secrets: Mutex<BTreeMap<String, SecretValue>>,
    pub(crate) statements: Mutex<Vec<(Statement, Option<Cause>)>>,
    pub(crate) open: Mutex<u32>,
}

impl Platform {
    pub(crate) fn new(kv: Arc<dyn Kv>) -> Arc<Self> {
        Arc::new(Self {
            kv,
            queue: Mutex::default(),
            sent: Mutex::default(),
            appended: Mutex::default(),
            acked: Mutex::default(),
            offsets: Mutex::default(),
            stale: Mutex::default(),
            outcomes: Mutex::default(),
            units: Mutex::default(),
            slow: AtomicBool::new(false),
            secrets: Mutex::default(),
            statements: Mutex::default(),
            open: Mutex::default(),
        })
    }

    async fn apply(&self, effects: Effects) -> Result<UnitOutcome, StoreError> {
        let refused = |kind, reason: &str| Ok(UnitOutcome::Refused(Refusal { kind, reason: reason.into() }));
        if effects.acks.iter().any(|(_, receipt)| self.stale.lock().contains(receipt)) {
            return refused(RefusalKind::Stale, "the receipt is stale");
        }
        for (namespace, transaction) in effects.kv {
            if let Committed::Refused { .. } = self.kv.commit(&namespace, transaction).await? {
                return refused(RefusalKind::Conflict, "somebody was faster");
            }
        }
        self.acked.lock().extend(effects.acks.iter().map(|(_, receipt)| *receipt));
        self.sent.lock().extend(effects.enqueues);
        self.appended.lock().extend(effects.appends);
        self.offsets.lock().extend(effects.offsets.iter().map(|(_, _, partition, next, _)| (*partition, *next)));
        Ok(UnitOutcome::Committed)
    }
}

#[async_trait]
impl Unit for Platform {
    async fn commit(&self, effects: Effects, idempotency: IdempotencyKey) -> Result<UnitOutcome, StoreError> {
        if self.slow.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        if let Some(known) = self.units.lock().get(&idempotency.0) {
            return Ok(known.clone());
        }
        let put_on = self.outcomes.lock().pop_front();
        let outcome = match &put_on {
            Some((_, false)) => None,
            _ => Some(self.apply(effects).await?),
        };
        if let Some(outcome) = &outcome
            && *outcome == UnitOutcome::Committed
        {
            self.units.lock().insert(idempotency.0, outcome.clone());
        }
        match (put_on, outcome) {
            (Some((error, _)), _) => Err(error),
            (None, Some(outcome)) => Ok(outcome),
            (None, None) => Err(StoreError::Failed("nothing was put on".into())),
        }
    }
}

fn unused<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("no function does this".into()))
}

#[async_trait]
impl Queue for Platform {
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        _: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let other = self.queue.lock().clone();
        if let Some(other) = other {
            return other.enqueue(queue, messages, None).await;
        }
        let mut sent = self.sent.lock();
        let first = sent.len() as u64 + 1;
        let ids = (first..).take(messages.len()).map(|id| Enqueued::New(MessageId(id))).collect();
        sent.extend(messages.into_iter().map(|message| (queue.clone(), message)));
        Ok(ids)
    }
    async fn claim(&self, _: &QueueName, _: usize, _: Duration, _: Duration) -> Result<Vec<Delivery>, StoreError> {
        unused()
    }
    async fn ack(&self, _: &QueueName, _: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        unused()
    }
    async fn extend(&self, _: &QueueName, _: &[Receipt], _: Duration) -> Result<Vec<Settled>, StoreError> {
        unused()
    }
    async fn nack(&self, _: &QueueName, _: &[Receipt], _: Duration) -> Result<Vec<Settled>, StoreError> {
        unused()
    }
    async fn bury(&self, _: &QueueName, _: &[Receipt], _: &QueueName, _: &str) -> Result<Vec<Settled>, StoreError> {
        unused()
    }
    async fn redrive(&self, _: &QueueName, _: usize) -> Result<u64, StoreError> {
        unused()
    }
    async fn peek(&self, _: &QueueName, _: Option<MessageId>, _: usize) -> Result<Vec<Peeked>, StoreError> {
        unused()
    }
    async fn purge(&self, _: &QueueName) -> Result<u64, StoreError> {
        unused()
    }
    async fn queues(&self, _: &str, _: Option<&QueueName>, _: usize) -> Result<Vec<QueueName>, StoreError> {
        unused()
    }
    async fn retain(&self, _: &QueueName, _: Duration) -> Result<(), StoreError> {
        unused()
    }
    async fn stats(&self, _: &QueueName) -> Result<QueueStats, StoreError> {
        unused()
    }
}

#[async_trait]
impl Log for Platform {
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        _: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        let mut appended = self.appended.lock();
        let first = appended.len() as u64;
        let places = (first..).take(records.len()).map(|at| (Partition(0), Sequence(at))).collect();
        appended.extend(records.into_iter().map(|record| (stream.clone(), record)));
        Ok(places)
    }
    async fn read(
        &self,
        stream: &StreamName,
        _: Partition,
        from: Sequence,
        max: usize,
        _: Duration,
    ) -> Result<Vec<Appended>, StoreError> {
        let appended = self.appended.lock();
        let own = appended.iter().filter(|(name, _)| name == stream).zip(0..).skip(from.0 as usize).take(max);
        let at = Timestamp::from_unix_ms(1);
        Ok(own.map(|((_, record), at_)| Appended { sequence: Sequence(at_), at, record: record.clone() }).collect())
    }
    async fn stats(&self, _: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        let next = Sequence(self.appended.lock().len() as u64);
        Ok(vec![PartitionStats { partition: Partition(0), oldest: Sequence(0), next, groups: Vec::new() }])
    }
    async fn join(&self, _: &StreamName, _: &GroupName, _: &str, _: Duration) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        unused()
    }
    async fn commit(&self, _: &StreamName, _: &GroupName, _: Partition, _: Sequence, _: Epoch) -> Result<(), StoreError> {
        unused()
    }
    async fn committed(&self, _: &StreamName, _: &GroupName, _: Partition) -> Result<Option<Sequence>, StoreError> {
        unused()
    }
    async fn configure(&self, _: &StreamName, _: u32, _: Duration) -> Result<(), StoreError> {
        unused()
    }
    async fn streams(&self, _: &str, _: Option<&StreamName>, _: usize) -> Result<Vec<StreamName>, StoreError> {
        unused()
    }
    async fn purge(&self, _: &StreamName) -> Result<(), StoreError> {
        unused()
    }
    async fn reset(&self, _: &StreamName, _: &GroupName, _: ResetTo) -> Result<(), StoreError> {
        unused()
    }
}

/// Events become one message each in the queue `~listener`.
impl Bus for Platform {
    fn effects(&self, bus: &BusName, events: &[CloudEvent], cause: Option<Cause>) -> Result<Effects, StoreError> {
        let queue = QueueName::of(&bus.key.app, &bus.key.env, "~listener");
        let message = |event: &CloudEvent| Message { body: event.id.clone().into(), cause, ..Message::default() };
        let enqueues = events.iter().map(|event| (queue.clone(), message(event))).collect();
        Ok(Effects { enqueues, ..Effects::default() })
    }
}

#[async_trait]
impl Secrets for Platform {
    async fn set(&self, _: &AppKey, name: &str, value: SecretValue) -> Result<u32, StoreError> {
        self.secrets.lock().insert(name.to_owned(), value);
        Ok(1)
    }
    async fn get(&self, _: &AppKey, name: &str) -> Result<Option<(u32, SecretValue)>, StoreError> {
        Ok(self.secrets.lock().get(name).map(|value| (1, value.clone())))
    }
    async fn list(&self, _: &AppKey) -> Result<Vec<SecretInfo>, StoreError> {
        unused()
    }
    async fn rewrap(&self) -> Result<u64, StoreError> {
        unused()
    }
    async fn remove(&self, _: &AppKey, _: &str) -> Result<(), StoreError> {
        unused()
    }
}

/// A database: every statement gives its number and its text.
pub(crate) struct FakeSql(pub(crate) Arc<Platform>);
struct FakeConnection(Arc<Platform>, SqlAccess);

#[async_trait]
impl Sql for FakeSql {
    async fn connect(&self, _: &DatabaseName, access: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError> {
        *self.0.open.lock() += 1;
        Ok(Arc::new(FakeConnection(self.0.clone(), access)))
    }
    async fn migrate(&self, _: &DatabaseName, _: &[Migration]) -> Result<Vec<String>, StoreError> {
        unused()
    }
    async fn migrated(&self, _: &DatabaseName) -> Result<Vec<Migration>, StoreError> {
        unused()
    }
    async fn capture(&self, _: &DatabaseName, _: &[String]) -> Result<(), StoreError> {
        unused()
    }
    async fn changes(&self, _: &DatabaseName, _: u64, _: usize) -> Result<Vec<(RowChanged, Option<Cause>)>, StoreError> {
        unused()
    }
    async fn forget(&self, _: &DatabaseName, _: u64) -> Result<(), StoreError> {
        unused()
    }
    fn changed(&self, _: &DatabaseName) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
    async fn databases(&self, _: &str) -> Result<Vec<DatabaseName>, StoreError> {
        unused()
    }
    async fn remove(&self, _: &DatabaseName) -> Result<(), StoreError> {
        unused()
    }
    async fn dump(&self, _: &DatabaseName) -> Result<Body, StoreError> {
        unused()
    }
    async fn restore(&self, _: &DatabaseName, _: Body) -> Result<(), StoreError> {
        unused()
    }
}

#[async_trait]
impl SqlConnection for FakeConnection {
    async fn run(&self, statement: Statement, cause: Option<Cause>) -> Result<Rows, StoreError> {
        tokio::task::yield_now().await;
        if self.1 == SqlAccess::Read && !statement.text.starts_with("SELECT") {
            return Err(StoreError::Denied("the connection reads only".into()));
        }
        if statement.text == "SELEC" {
            return Err(StoreError::Rejected("near \"SELEC\": syntax error".into()));
        }
        let mut statements = self.0.statements.lock();
        statements.push((statement.clone(), cause));
        let row = vec![SqlValue::Integer(statements.len() as i64), SqlValue::Text(statement.text)];
        Ok(Rows { columns: vec!["n".into(), "text".into()], rows: vec![row], changed: 1, last_insert: 7 })
    }
    async fn batch(&self, statements: Vec<Statement>, cause: Option<Cause>) -> Result<Vec<Rows>, StoreError> {
        let mut all = Vec::new();
        for statement in statements {
            all.push(self.run(statement, cause).await?);
        }
        Ok(all)
    }
    fn in_transaction(&self) -> bool {
        self.0.statements.lock().last().is_some_and(|(statement, _)| statement.text.starts_with("BEGIN"))
    }
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        *self.0.open.lock() -= 1;
    }
}
