//! Fakes of the stores: as much of each as guests can ask for. What they were asked is there for tests to look at.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    Log, Publish, Queue, Sql, SqlConnection, StoreError,
    log::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
    sql::{DatabaseName, Migration, RowChanged, Rows, SqlAccess, Statement},
};
use types::{Cause, CloudEvent, Timestamp, kv::IdempotencyKey};

/// What no guest can ask for.
fn unasked<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("no guest can ask for this".into()))
}

/// Queues, streams, buses and databases.
#[derive(Default)]
pub(crate) struct Services {
    pub(crate) messages: Mutex<Vec<(String, Message)>>,
    pub(crate) records: Mutex<Vec<Record>>,
    pub(crate) events: Mutex<Vec<(String, CloudEvent)>>,
    /// The statements that were run, and `close` for each connection that was dropped.
    pub(crate) statements: Arc<Mutex<Vec<String>>>,
}

/// Dedup keys are known for ever; the queue `full` has no room.
#[async_trait]
impl Queue for Services {
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        _: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        match queue.short() {
            "full" => return Err(StoreError::Full),
            "held" => return Ok(vec![Enqueued::New(MessageId::HELD); messages.len()]),
            "unclear" => return Err(StoreError::Ambiguous("the connection broke".into())),
            _ => {}
        }
        if let Some(large) = messages.iter().find(|message| message.body.len() as u64 > types::limits::EVENT.0) {
            return Err(StoreError::TooLarge {
                what: "event",
                measured: large.body.len() as u64,
                allowed: types::limits::EVENT.0,
            });
        }
        let mut all = self.messages.lock();
        let mut enqueued = Vec::new();
        for message in messages {
            let same = |(_, old): &(String, Message)| message.dedup.is_some() && old.dedup == message.dedup;
            match all.iter().position(same) {
                Some(at) if all[at].1.body == message.body => enqueued.push(Enqueued::Duplicate(MessageId(at as u64 + 1))),
                Some(_) => return Err(StoreError::Conflict("k".into())),
                None => {
                    all.push((queue.short().to_owned(), message));
                    enqueued.push(Enqueued::New(MessageId(all.len() as u64)));
                }
            }
        }
        Ok(enqueued)
    }
    async fn claim(&self, _: &QueueName, _: usize, _: Duration, _: Duration) -> Result<Vec<Delivery>, StoreError> {
        unasked()
    }
    async fn ack(&self, _: &QueueName, _: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        unasked()
    }
    async fn extend(&self, _: &QueueName, _: &[Receipt], _: Duration) -> Result<Vec<Settled>, StoreError> {
        unasked()
    }
    async fn nack(&self, _: &QueueName, _: &[Receipt], _: Duration) -> Result<Vec<Settled>, StoreError> {
        unasked()
    }
    async fn bury(&self, _: &QueueName, _: &[Receipt], _: &QueueName, _: &str) -> Result<Vec<Settled>, StoreError> {
        unasked()
    }
    async fn redrive(&self, _: &QueueName, _: usize) -> Result<u64, StoreError> {
        unasked()
    }
    async fn peek(&self, _: &QueueName, _: Option<MessageId>, _: usize) -> Result<Vec<Peeked>, StoreError> {
        unasked()
    }
    async fn purge(&self, _: &QueueName) -> Result<u64, StoreError> {
        unasked()
    }
    async fn queues(&self, _: &str, _: Option<&QueueName>, _: usize) -> Result<Vec<QueueName>, StoreError> {
        unasked()
    }
    async fn retain(&self, _: &QueueName, _: Duration) -> Result<(), StoreError> {
        unasked()
    }
    async fn stats(&self, _: &QueueName) -> Result<QueueStats, StoreError> {
        unasked()
    }
}

/// One partition. The stream `reading` is granted for reading only; of `trimmed` only what is above 4 is left.
#[async_trait]
impl Log for Services {
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        _: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        if stream.0.ends_with("/reading") {
            return Err(StoreError::Denied("stream.reading is granted for reading only".into()));
        }
        if stream.0.ends_with("/held") {
            return Ok(vec![(Partition(0), Sequence::HELD); records.len()]);
        }
        let mut all = self.records.lock();
        let first = all.len() as u64;
        all.extend(records);
        Ok((first..all.len() as u64).map(|at| (Partition(0), Sequence(at))).collect())
    }
    async fn read(
        &self,
        stream: &StreamName,
        _: Partition,
        from: Sequence,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Appended>, StoreError> {
        assert!(wait.is_zero() && max <= 64, "guests do not wait, and get few at once");
        if stream.0.ends_with("/trimmed") && from.0 < 4 {
            return Err(StoreError::Compacted { oldest: 4 });
        }
        let at = Timestamp::from_unix_ms(1_790_000_000_000);
        let records = self.records.lock();
        let numbered = records.iter().enumerate().skip(usize::try_from(from.0).unwrap_or(usize::MAX)).take(max);
        Ok(numbered.map(|(index, record)| Appended { sequence: Sequence(index as u64), at, record: record.clone() }).collect())
    }
    async fn join(&self, _: &StreamName, _: &GroupName, _: &str, _: Duration) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        unasked()
    }
    async fn commit(&self, _: &StreamName, _: &GroupName, _: Partition, _: Sequence, _: Epoch) -> Result<(), StoreError> {
        unasked()
    }
    async fn committed(&self, _: &StreamName, _: &GroupName, _: Partition) -> Result<Option<Sequence>, StoreError> {
        unasked()
    }
    async fn configure(&self, _: &StreamName, _: u32, _: Duration) -> Result<(), StoreError> {
        unasked()
    }
    async fn streams(&self, _: &str, _: Option<&StreamName>, _: usize) -> Result<Vec<StreamName>, StoreError> {
        unasked()
    }
    async fn stats(&self, _: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        unasked()
    }
    async fn purge(&self, _: &StreamName) -> Result<(), StoreError> {
        unasked()
    }
    async fn reset(&self, _: &StreamName, _: &GroupName, _: ResetTo) -> Result<(), StoreError> {
        unasked()
    }
}

/// A bus by its name.
pub(crate) struct FakeBus(pub(crate) Arc<Services>, pub(crate) String);

#[async_trait]
impl Publish for FakeBus {
    async fn publish(&self, events: Vec<CloudEvent>) -> Result<(), StoreError> {
        let Self(services, name) = self;
        services.events.lock().extend(events.into_iter().map(|event| (name.clone(), event)));
        Ok(())
    }
}

#[async_trait]
impl Sql for Services {
    async fn connect(&self, _: &DatabaseName, access: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError> {
        Ok(Arc::new(FakeConnection { statements: self.statements.clone(), access, inserted: Mutex::new(0) }))
    }
    async fn migrate(&self, _: &DatabaseName, _: &[Migration]) -> Result<Vec<String>, StoreError> {
        unasked()
    }
    async fn migrated(&self, _: &DatabaseName) -> Result<Vec<Migration>, StoreError> {
        unasked()
    }
    async fn capture(&self, _: &DatabaseName, _: &[String]) -> Result<(), StoreError> {
        unasked()
    }
    async fn changes(&self, _: &DatabaseName, _: u64, _: usize) -> Result<Vec<(RowChanged, Option<Cause>)>, StoreError> {
        unasked()
    }
    async fn forget(&self, _: &DatabaseName, _: u64) -> Result<(), StoreError> {
        unasked()
    }
    fn changed(&self, _: &DatabaseName) -> ports::BoxFuture<()> {
        Box::pin(std::future::pending())
    }
    async fn databases(&self, _: &str) -> Result<Vec<DatabaseName>, StoreError> {
        unasked()
    }
    async fn dump(&self, _: &DatabaseName) -> Result<ports::Body, StoreError> {
        unasked()
    }
    async fn restore(&self, _: &DatabaseName, _: ports::Body) -> Result<(), StoreError> {
        unasked()
    }
    async fn remove(&self, _: &DatabaseName) -> Result<(), StoreError> {
        unasked()
    }
}

/// `SELECT` gives its parameters as a row, `INSERT` and `UPDATE` change one row, anything that is not known is refused.
struct FakeConnection {
    statements: Arc<Mutex<Vec<String>>>,
    access: SqlAccess,
    inserted: Mutex<i64>,
}

impl FakeConnection {
    fn answer(&self, statement: &Statement) -> Result<Rows, StoreError> {
        let Statement { text, parameters } = statement;
        let word = text.split(' ').next().unwrap_or_default();
        let writes = matches!(word, "INSERT" | "UPDATE" | "CREATE");
        if writes && self.access == SqlAccess::Read {
            return Err(StoreError::Denied("sql.reading is granted for reading only".into()));
        }
        self.statements.lock().push(text.clone());
        let mut inserted = self.inserted.lock();
        *inserted += i64::from(word == "INSERT");
        let last_insert = *inserted;
        match word {
            "BEGIN" | "COMMIT" | "ROLLBACK" | "CREATE" => Ok(Rows { last_insert, ..Rows::default() }),
            "INSERT" | "UPDATE" => Ok(Rows { changed: 1, last_insert, ..Rows::default() }),
            "SELECT" => {
                let columns = (0..parameters.len()).map(|index| format!("c{index}")).collect();
                Ok(Rows { columns, rows: vec![parameters.clone()], changed: 0, last_insert })
            }
            "MANY" => Err(StoreError::TooMany { what: "rows", measured: 10_001, allowed: 10_000 }),
            "BUSY" => Err(StoreError::Changed("others hold the database".into())),
            other => Err(StoreError::Rejected(format!("near {other:?}: syntax error"))),
        }
    }
}

#[async_trait]
impl SqlConnection for FakeConnection {
    async fn run(&self, statement: Statement, _: Option<Cause>) -> Result<Rows, StoreError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.answer(&statement)
    }
    async fn batch(&self, statements: Vec<Statement>, _: Option<Cause>) -> Result<Vec<Rows>, StoreError> {
        statements.iter().map(|statement| self.answer(statement)).collect()
    }
    fn in_transaction(&self) -> bool {
        false
    }
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        self.statements.lock().push("close".into());
    }
}

/// Secrets: one that is set, one that is not, one that is no text.
pub(crate) fn secrets() -> BTreeMap<String, Option<Vec<u8>>> {
    let secret = |name: &str, value: Option<&[u8]>| (name.to_owned(), value.map(<[u8]>::to_vec));
    BTreeMap::from([secret("api-key", Some(b"s3cret")), secret("unset", None), secret("greeting2", Some(b"hush"))])
}
