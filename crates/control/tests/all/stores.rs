//! The stores of apps' data for tests: models where there are some, and a database, streams and lists that take notes where there are none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use control::Data;
use parking_lot::Mutex;
use ports::{
    AwsEndpoint, Body, BoxFuture, Bus, Clock, Feeds, Log, Schedules, Sql, SqlConnection, StoreError,
    feeds::Feed,
    log::{Appended, Epoch, GroupName, Partition, PartitionStats, Record, ResetTo, Sequence, StreamName},
    presign::LinkWanted,
    schedules::Schedule,
    sql::{DatabaseName, Migration, RowChanged, Rows, SqlAccess, SqlValue, Statement},
    unit::Effects,
};
use testkit::model::{ModelKv, ModelObjects, ModelQueue, ModelSecrets, ModelUnit};
use types::{AppKey, Cause, CloudEvent, FunctionName, Problem, Timestamp, event::BusName};

/// Everything that a test looks at.
pub(crate) struct Stores {
    pub(crate) kv: Arc<ModelKv>,
    pub(crate) queue: Arc<ModelQueue>,
    pub(crate) objects: Arc<ModelObjects>,
    pub(crate) secrets: Arc<ModelSecrets>,
    pub(crate) noted: Arc<Noting>,
}

impl Stores {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            kv: Arc::new(ModelKv::new(Arc::clone(clock))),
            queue: Arc::new(ModelQueue::new(Arc::clone(clock))),
            objects: Arc::new(ModelObjects::new(Arc::clone(clock))),
            secrets: Arc::new(ModelSecrets::new(Arc::clone(clock))),
            noted: Arc::default(),
        }
    }

    pub(crate) fn data(&self) -> Data {
        Data {
            kv: Arc::clone(&self.kv) as _,
            queue: Arc::clone(&self.queue) as _,
            log: Arc::clone(&self.noted) as _,
            unit: Arc::new(ModelUnit::new(Arc::clone(&self.kv), Arc::clone(&self.queue))),
            sql: Arc::clone(&self.noted) as _,
            objects: Arc::clone(&self.objects) as _,
            secrets: Arc::clone(&self.secrets) as _,
            access_keys: Arc::clone(&self.secrets) as _,
            feeds: Arc::clone(&self.noted) as _,
            bus: Arc::clone(&self.noted) as _,
            schedules: Arc::clone(&self.noted) as _,
            aws: Arc::clone(&self.noted) as _,
        }
    }
}

/// Notes what it is told, in the order in which it is told.
#[derive(Default)]
pub(crate) struct Noting {
    pub(crate) feeds: Mutex<Vec<Feed>>,
    pub(crate) streams: Mutex<BTreeMap<StreamName, (u32, Duration)>>,
    pub(crate) records: Mutex<BTreeMap<StreamName, u64>>,
    pub(crate) migrated: Mutex<BTreeMap<DatabaseName, Vec<Migration>>>,
    pub(crate) captured: Mutex<BTreeMap<DatabaseName, Vec<String>>>,
    /// All that was ever said to be captured, in order.
    pub(crate) captures: Mutex<Vec<String>>,
}

fn not_here<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("no test asks for this".into()))
}

#[async_trait]
impl Feeds for Noting {
    async fn install(&self, feeds: Vec<Feed>) -> Result<(), StoreError> {
        *self.feeds.lock() = feeds;
        Ok(())
    }
}

/// Applies migrations whose text does not say `BROKEN`, and has a table for each.
#[async_trait]
impl Sql for Noting {
    async fn connect(&self, database: &DatabaseName, _: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError> {
        let migrations = self.migrated.lock().get(database).cloned().unwrap_or_default();
        Ok(Arc::new(Tables(migrations.into_iter().map(|migration| migration.name).collect())))
    }
    async fn migrate(&self, database: &DatabaseName, migrations: &[Migration]) -> Result<Vec<String>, StoreError> {
        let mut migrated = self.migrated.lock();
        let applied = migrated.entry(database.clone()).or_default();
        let mut names = Vec::new();
        for migration in &migrations[applied.len()..] {
            if migration.sql.contains("BROKEN") {
                return Err(StoreError::Rejected(format!("{}: near \"BROKEN\": syntax error", migration.name)));
            }
            applied.push(migration.clone());
            names.push(migration.name.clone());
        }
        Ok(names)
    }
    async fn migrated(&self, database: &DatabaseName) -> Result<Vec<Migration>, StoreError> {
        Ok(self.migrated.lock().get(database).cloned().unwrap_or_default())
    }
    async fn capture(&self, database: &DatabaseName, tables: &[String]) -> Result<(), StoreError> {
        if tables.iter().any(|table| table == "gone") && self.migrated.lock().contains_key(database) {
            return Err(StoreError::Rejected("no such table: gone".into()));
        }
        self.captures.lock().push(tables.join(" "));
        self.captured.lock().insert(database.clone(), tables.to_vec());
        Ok(())
    }
    async fn changes(&self, _: &DatabaseName, _: u64, _: usize) -> Result<Vec<(RowChanged, Option<Cause>)>, StoreError> {
        not_here()
    }
    async fn forget(&self, _: &DatabaseName, _: u64) -> Result<(), StoreError> {
        not_here()
    }
    fn changed(&self, _: &DatabaseName) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
    async fn databases(&self, prefix: &str) -> Result<Vec<DatabaseName>, StoreError> {
        Ok(self.migrated.lock().keys().filter(|name| name.0.starts_with(prefix)).cloned().collect())
    }
    async fn dump(&self, _: &DatabaseName) -> Result<Body, StoreError> {
        not_here()
    }
    async fn restore(&self, _: &DatabaseName, _: Body) -> Result<(), StoreError> {
        not_here()
    }
    async fn remove(&self, database: &DatabaseName) -> Result<(), StoreError> {
        self.migrated.lock().remove(database);
        Ok(())
    }
}

/// Answers every statement with the names of tables.
struct Tables(BTreeSet<String>);

#[async_trait]
impl SqlConnection for Tables {
    async fn run(&self, _: Statement, _: Option<Cause>) -> Result<Rows, StoreError> {
        Ok(Rows { rows: self.0.iter().map(|name| vec![SqlValue::Text(name.clone())]).collect(), ..Rows::default() })
    }
    async fn batch(&self, _: Vec<Statement>, _: Option<Cause>) -> Result<Vec<Rows>, StoreError> {
        not_here()
    }
    fn in_transaction(&self) -> bool {
        false
    }
}

#[async_trait]
impl Log for Noting {
    async fn append(
        &self,
        stream: &StreamName,
        records: Vec<Record>,
        _: Option<Sequence>,
    ) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        *self.records.lock().entry(stream.clone()).or_default() += records.len() as u64;
        Ok(Vec::new())
    }
    async fn read(&self, _: &StreamName, _: Partition, _: Sequence, _: usize, _: Duration) -> Result<Vec<Appended>, StoreError> {
        not_here()
    }
    async fn join(&self, _: &StreamName, _: &GroupName, _: &str, _: Duration) -> Result<Vec<(Partition, Epoch)>, StoreError> {
        not_here()
    }
    async fn commit(&self, _: &StreamName, _: &GroupName, _: Partition, _: Sequence, _: Epoch) -> Result<(), StoreError> {
        not_here()
    }
    async fn committed(&self, _: &StreamName, _: &GroupName, _: Partition) -> Result<Option<Sequence>, StoreError> {
        not_here()
    }
    async fn configure(&self, stream: &StreamName, partitions: u32, retention: Duration) -> Result<(), StoreError> {
        self.streams.lock().insert(stream.clone(), (partitions, retention));
        Ok(())
    }
    async fn streams(&self, _: &str, _: Option<&StreamName>, _: usize) -> Result<Vec<StreamName>, StoreError> {
        not_here()
    }
    async fn stats(&self, stream: &StreamName) -> Result<Vec<PartitionStats>, StoreError> {
        let next = Sequence(self.records.lock().get(stream).copied().unwrap_or_default());
        Ok(vec![PartitionStats { partition: Partition(0), oldest: Sequence(0), next, groups: Vec::new() }])
    }
    async fn purge(&self, stream: &StreamName) -> Result<(), StoreError> {
        self.records.lock().remove(stream);
        Ok(())
    }
    async fn reset(&self, _: &StreamName, _: &GroupName, _: ResetTo) -> Result<(), StoreError> {
        not_here()
    }
}

impl Bus for Noting {
    fn effects(&self, _: &BusName, _: &[CloudEvent], _: Option<Cause>) -> Result<Effects, StoreError> {
        not_here()
    }
}

#[async_trait]
impl Schedules for Noting {
    async fn schedules(&self, _: &AppKey) -> Result<Vec<Schedule>, Problem> {
        Ok(Vec::new())
    }
    async fn run(&self, app: &AppKey, function: &FunctionName) -> Result<(), Problem> {
        Err(Problem::new(types::Code::E0708, format!("{app} has no function {function}")))
    }
}

#[async_trait]
impl AwsEndpoint for Noting {
    fn url(&self) -> String {
        "http://127.0.0.1:4566".into()
    }
    async fn link(&self, _: &AppKey, wanted: &LinkWanted) -> Result<(String, Timestamp), Problem> {
        Ok((format!("{}/{}/{}", self.url(), wanted.bucket, wanted.key), Timestamp::default()))
    }
}
