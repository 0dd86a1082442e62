//! The composition of one node's stores.

use std::{path::Path, sync::Arc};

use ports::{AccessKeys, Blob, Catalog, Clock, Feeds, Kv, Lease, Log, Objects, Queue, Secrets, Sql, Unit};
use types::Problem;

use crate::{
    blob::BlobStore,
    catalog::CatalogStore,
    failpoint::Failpoints,
    feeds::{FeedsModule, FeedsStore},
    folder::Folder,
    kv::{KvModule, KvStore},
    lease::{LeaseModule, LeaseStore},
    log::{LogModule, LogStore},
    objects::{ObjectStore, ObjectsModule},
    queue::{QueueModule, QueueStore},
    secrets::SecretStore,
    shard::{Module, Shard},
    sql::SqlStore,
    stop::Stop,
    unit::{Parts, UnitStore},
};

/// All stores of one node in one folder. The folder is free again when this and everything taken from it was dropped.
pub struct EmbeddedStore {
    kv: Arc<KvStore>,
    queue: Arc<QueueStore>,
    unit: Arc<UnitStore>,
    lease: Arc<LeaseStore>,
    log: Arc<LogStore>,
    feeds: Arc<FeedsStore>,
    objects: Arc<ObjectStore>,
    blob: Arc<BlobStore>,
    catalog: Arc<CatalogStore>,
    sql: Arc<SqlStore>,
    secrets: Arc<SecretStore>,
    stop: Stop,
}

impl EmbeddedStore {
    /// Opens the folder, making it if it is new.
    ///
    /// # Errors
    /// `E0607` if another process uses it, named by its id; `E0601`, `E0602` or `E0603` if it can't be read or written.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        Self::open_with(dir, clock, Failpoints::default())
    }

    /// Opens the folder with places armed to fail: for tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(dir: &Path, clock: Arc<dyn Clock>, failpoints: Failpoints) -> Result<Self, Problem> {
        let folder = Arc::new(Folder::open(dir)?);
        let stop = Stop::default();
        let place = |error| Problem::from(error).note(format!("the data folder is {}", dir.display()));
        let queue = Arc::new(QueueModule::default());
        let feeds = Arc::new(FeedsModule::new(queue.clone()));
        let kv = Arc::new(KvModule::new(feeds.clone()));
        let lease = Arc::new(LeaseModule::default());
        let log = Arc::new(LogModule::default());
        let objects = ObjectsModule::new(&folder, feeds.clone(), stop.clone(), failpoints.clone()).map_err(place)?;
        let objects = Arc::new(objects);
        // Queues come last: the others enqueue.
        let modules: Vec<Arc<dyn Module>> =
            vec![feeds.clone(), kv.clone(), lease.clone(), log.clone(), objects.clone(), queue.clone()];
        let shard = Shard::open(folder.clone(), clock.clone(), stop.clone(), failpoints.clone(), modules).map_err(place)?;
        let shard = Arc::new(shard);
        let unit = UnitStore::new(shard.clone(), Parts { kv: kv.clone(), log: log.clone(), queue: queue.clone() });
        let feeds = FeedsStore::new(shard.clone(), feeds);
        let lease = LeaseStore::new(shard.clone(), lease);
        let log = LogStore::new(shard.clone(), log);
        let objects = ObjectStore::new(shard.clone(), objects).map_err(place)?;
        let kv = KvStore::new(shard.clone(), kv);
        let queue = QueueStore::new(shard, queue);
        let blob = BlobStore::open(folder.clone(), stop.clone(), failpoints.clone()).map_err(place)?;
        let secrets = SecretStore::open(folder.clone(), clock.clone(), stop.clone(), failpoints.clone()).map_err(place)?;
        let sql = SqlStore::open(folder.clone(), clock, stop.clone(), failpoints.clone()).map_err(place)?;
        let catalog = CatalogStore::open(folder, stop.clone(), failpoints).map_err(place)?;
        Ok(Self {
            kv: Arc::new(kv),
            queue: Arc::new(queue),
            unit: Arc::new(unit),
            lease: Arc::new(lease),
            log: Arc::new(log),
            feeds: Arc::new(feeds),
            objects: Arc::new(objects),
            blob: Arc::new(blob),
            catalog: Arc::new(catalog),
            sql: Arc::new(sql),
            secrets: Arc::new(secrets),
            stop,
        })
    }

    /// The key-value stores.
    #[must_use]
    pub fn kv(&self) -> Arc<dyn Kv> {
        self.kv.clone()
    }
    /// The queues.
    #[must_use]
    pub fn queue(&self) -> Arc<dyn Queue> {
        self.queue.clone()
    }
    /// Units of effects.
    #[must_use]
    pub fn unit(&self) -> Arc<dyn Unit> {
        self.unit.clone()
    }
    /// The leases.
    #[must_use]
    pub fn lease(&self) -> Arc<dyn Lease> {
        self.lease.clone()
    }
    /// The streams.
    #[must_use]
    pub fn log(&self) -> Arc<dyn Log> {
        self.log.clone()
    }
    /// The feeds.
    #[must_use]
    pub fn feeds(&self) -> Arc<dyn Feeds> {
        self.feeds.clone()
    }
    /// The objects.
    #[must_use]
    pub fn objects(&self) -> Arc<dyn Objects> {
        self.objects.clone()
    }
    /// The blobs.
    #[must_use]
    pub fn blob(&self) -> Arc<dyn Blob> {
        self.blob.clone()
    }
    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> Arc<dyn Catalog> {
        self.catalog.clone()
    }
    /// The databases of apps.
    #[must_use]
    pub fn sql(&self) -> Arc<dyn Sql> {
        self.sql.clone()
    }
    /// The secrets of apps.
    #[must_use]
    pub fn secrets(&self) -> Arc<dyn Secrets> {
        self.secrets.clone()
    }
    /// The keys that AWS clients sign with.
    #[must_use]
    pub fn access_keys(&self) -> Arc<dyn AccessKeys> {
        self.secrets.clone()
    }

    /// Calls the hook with the reason, once, when an fsync or a COMMIT failed: from then on every store refuses everything, and only a
    /// new process can find out what is on the disk. At once if that has happened.
    pub fn on_stop(&self, hook: impl FnOnce(&str) + Send + 'static) {
        self.stop.on_stop(Box::new(hook));
    }
}
