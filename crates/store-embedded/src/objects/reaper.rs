//! The thread that unlinks files which no object names any more, when nobody reads them. To unlink a large file takes long, so nobody
//! waits for it; that it is yet to be done is durable.

use std::{
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
};

use ports::StoreError;
use rusqlite::Connection;

use super::files::Files;
use crate::{
    shard::Shard,
    sqlite::{int, uint},
};

/// Files that are unlinked before their rows are removed.
const BATCH: usize = 256;

pub(super) struct Reaper {
    files: Arc<Files>,
    thread: Option<JoinHandle<()>>,
}

impl Reaper {
    pub(super) fn start(shard: Arc<Shard>, files: Arc<Files>) -> Result<Self, StoreError> {
        let cannot = |error| StoreError::Failed(format!("cannot start the reaper of objects: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(cannot)?;
        let shared = files.clone();
        // What an earlier process had yet to unlink.
        files.wake();
        let run = move || runtime.block_on(run(&shard, &shared));
        let thread = std::thread::Builder::new().name("object-reaper".into()).spawn(run).map_err(cannot)?;
        Ok(Self { files, thread: Some(thread) })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.files.is_closed.store(true, Ordering::SeqCst);
        self.files.wake();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported where it happened; what is left is unlinked by the next process.
            let _ = thread.join();
        }
    }
}

async fn run(shard: &Shard, files: &Files) {
    loop {
        files.work.notified().await;
        if files.is_closed.load(Ordering::SeqCst) {
            return;
        }
        files.take_discarded().into_iter().for_each(|id| files.unlink(id));
        if let Err(error) = reap(shard, files).await {
            // The next change of an object tries again.
            tracing::warn!(%error, "cannot free the bytes of removed objects yet");
        }
    }
}

async fn reap(shard: &Shard, files: &Files) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let dead = shard.reading().with(|connection, _| dead(connection, after))?;
        let Some(last) = dead.last().copied() else { return Ok(()) };
        after = last;
        let unread = files.unread(dead);
        unread.iter().for_each(|id| files.unlink(*id));
        if !unread.is_empty() {
            shard.run(move |batch| forget(batch.connection, &unread).map(Ok)).await?;
        }
    }
}

fn dead(connection: &Connection, after: u64) -> rusqlite::Result<Vec<u64>> {
    let sql = "SELECT id FROM object_file WHERE refs = 0 AND id > ?1 ORDER BY id LIMIT ?2";
    let mut query = connection.prepare_cached(sql)?;
    let ids = query.query_map([int(after), int(BATCH as u64)], |row| row.get(0).map(uint))?;
    ids.collect()
}

fn forget(connection: &Connection, ids: &[u64]) -> rusqlite::Result<()> {
    let mut forget = connection.prepare_cached("DELETE FROM object_file WHERE id = ?1 AND refs = 0")?;
    ids.iter().try_for_each(|id| forget.execute([int(*id)]).map(drop))
}
