//! Object storage: what is known of objects in the shard, small bytes beside it, larger ones in files.
//!
//! ```text
//! objects/xx/…   a file for each larger object or part, see [`block`]; named by a number that never comes twice
//! ```
//!
//! A small object is one transaction: row, bytes and the event for whoever waits, in one fsync that others share. A larger one is written
//! and synced first ([`ingest`]), then named by the same kind of transaction ([`apply`]), so it is there whole or not at all. Copies and
//! completed uploads name files that are there already; a file goes when nothing names it and nobody reads it ([`files`], [`reaper`]).

mod apply;
mod block;
mod body;
mod check;
mod files;
mod find;
mod ingest;
mod lifecycle;
mod list;
mod reaper;
mod row;
mod store;
mod upload;

use std::sync::{Arc, atomic::AtomicBool};

use ports::StoreError;
use types::Timestamp;

use crate::{
    failpoint::Failpoints,
    feeds::FeedsModule,
    folder::Folder,
    shard::{Batch, Module, Shard},
    stop::Stop,
};
use files::Files;
use reaper::Reaper;

/// Objects inside a batch.
pub(crate) struct ObjectsModule {
    feeds: Arc<FeedsModule>,
    files: Arc<Files>,
}

impl ObjectsModule {
    pub(crate) fn new(
        folder: &Arc<Folder>,
        feeds: Arc<FeedsModule>,
        stop: Stop,
        failpoints: Failpoints,
    ) -> Result<Self, StoreError> {
        Ok(Self { feeds, files: Arc::new(Files::open(folder, stop, failpoints)?) })
    }
}

impl Module for ObjectsModule {
    fn open(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let next = "UPDATE object_folder SET generation = generation + 1 RETURNING generation";
        let generation: i64 = batch.connection.query_row(next, [], |row| row.get(0))?;
        self.files.begin(crate::sqlite::uint(generation));
        Ok(())
    }
}

/// The objects of one node.
pub(crate) struct ObjectStore {
    /// Dropped first: its thread uses the shard.
    _reaper: Reaper,
    shard: Arc<Shard>,
    module: Arc<ObjectsModule>,
    has_looked_for_orphans: AtomicBool,
}

impl ObjectStore {
    pub(crate) fn new(shard: Arc<Shard>, module: Arc<ObjectsModule>) -> Result<Self, StoreError> {
        let reaper = Reaper::start(shard.clone(), module.files.clone())?;
        Ok(Self { _reaper: reaper, shard, module, has_looked_for_orphans: AtomicBool::new(false) })
    }

    fn now(&self) -> Timestamp {
        self.shard.clock().now()
    }
}
