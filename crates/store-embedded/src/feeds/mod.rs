//! Feeds: which changes of the stores somebody waits for. A change that is wanted is enqueued in the batch that makes it.
//!
//! The list lies in the file and, with its globs compiled, in memory.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use globset::{GlobBuilder, GlobMatcher};
use parking_lot::{Mutex, MutexGuard};
use ports::{
    Feeds, StoreError,
    feeds::{Feed, FeedSource},
    queue::{Message, QueueName},
};
use types::{Cause, event::StoreChange, trigger::ChangeKind};

use crate::{
    queue::QueueModule,
    shard::{Batch, Module, Shard},
    sqlite::damaged,
};

/// The feeds inside a batch.
pub(crate) struct FeedsModule {
    queue: Arc<QueueModule>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    by_source: HashMap<FeedSource, Vec<Wanted>>,
    /// The open batch changed the list, or one that did was undone.
    is_changed: bool,
    is_stale: bool,
}

struct Wanted {
    change: ChangeKind,
    keys: Keys,
    queue: QueueName,
}

/// A glob over keys. A star stops at slashes.
enum Keys {
    All,
    /// Without a slash in it: over what follows the last slash of a key.
    LastPart(GlobMatcher),
    Whole(GlobMatcher),
}

impl Keys {
    fn of(pattern: Option<&str>) -> Result<Self, StoreError> {
        let Some(pattern) = pattern else { return Ok(Self::All) };
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|error| StoreError::Rejected(format!("{pattern:?} is no glob: {}", error.kind())))?;
        let glob = glob.compile_matcher();
        Ok(if pattern.contains('/') { Self::Whole(glob) } else { Self::LastPart(glob) })
    }

    fn hold(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::LastPart(glob) => glob.is_match(key.rsplit('/').next().unwrap_or(key)),
            Self::Whole(glob) => glob.is_match(key),
        }
    }
}

impl FeedsModule {
    pub(crate) fn new(queue: Arc<QueueModule>) -> Self {
        Self { queue, memory: Mutex::default() }
    }

    /// Whether anybody wants anything: most of the time this is all that a change costs.
    pub(crate) fn has_any(&self, batch: &Batch<'_>) -> rusqlite::Result<bool> {
        Ok(!self.fresh(batch)?.by_source.is_empty())
    }

    fn fresh(&self, batch: &Batch<'_>) -> rusqlite::Result<MutexGuard<'_, Memory>> {
        let mut memory = self.memory.lock();
        if memory.is_stale {
            memory.read(batch)?;
        }
        Ok(memory)
    }

    /// The queues that want this change of a key, which was written, or deleted. Keys that are no text match by what of them is.
    pub(crate) fn matching(
        &self,
        batch: &Batch<'_>,
        source: &FeedSource,
        key: &str,
        written: bool,
    ) -> rusqlite::Result<Vec<QueueName>> {
        let memory = self.fresh(batch)?;
        let kind = if written { ChangeKind::Written } else { ChangeKind::Deleted };
        let wanted = memory.by_source.get(source).into_iter().flatten();
        let wanted = wanted.filter(|feed| (feed.change == ChangeKind::Any || feed.change == kind) && feed.keys.hold(key));
        Ok(wanted.map(|feed| feed.queue.clone()).collect())
    }

    /// Writes a change into the queues that want it.
    pub(crate) fn enqueue(
        &self,
        batch: &mut Batch<'_>,
        queues: &[QueueName],
        change: &StoreChange,
        cause: Option<Cause>,
    ) -> rusqlite::Result<()> {
        let body = postcard::to_stdvec(change).expect("plain data in memory always serializes");
        let message = [Message { body: body.into(), cause, ..Message::default() }];
        for queue in queues {
            // Only deduplication refuses a message here, and this has no key for it.
            let enqueued = self.queue.enqueue(batch, queue, &message)?;
            debug_assert!(enqueued.is_ok(), "{enqueued:?}");
        }
        Ok(())
    }

    fn install(&self, batch: &Batch<'_>, feeds: &[Feed]) -> rusqlite::Result<()> {
        batch.connection.prepare_cached("DELETE FROM feed")?.execute([])?;
        for feed in feeds {
            let body = postcard::to_stdvec(feed).expect("plain data in memory always serializes");
            batch.connection.prepare_cached("INSERT INTO feed (body) VALUES (?1)")?.execute([body])?;
        }
        let mut memory = self.memory.lock();
        memory.is_changed = true;
        memory.read(batch)
    }
}

impl Memory {
    fn read(&mut self, batch: &Batch<'_>) -> rusqlite::Result<()> {
        let mut query = batch.connection.prepare_cached("SELECT body FROM feed ORDER BY n")?;
        let mut rows = query.query([])?;
        self.by_source.clear();
        while let Some(row) = rows.next()? {
            let feed: Feed = postcard::from_bytes(row.get_ref(0)?.as_blob()?).map_err(|error| damaged(error.to_string()))?;
            let Feed { source, change, matching, queue } = feed;
            let keys = Keys::of(matching.as_deref()).map_err(|error| damaged(error.to_string()))?;
            self.by_source.entry(source).or_default().push(Wanted { change, keys, queue });
        }
        self.is_stale = false;
        Ok(())
    }
}

impl Module for FeedsModule {
    fn open(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        self.memory.lock().read(batch)
    }

    fn committed(&self) {
        self.memory.lock().is_changed = false;
    }

    fn rolled_back(&self) {
        let mut memory = self.memory.lock();
        memory.is_stale |= std::mem::take(&mut memory.is_changed);
    }
}

/// The list as others install it.
pub(crate) struct FeedsStore {
    shard: Arc<Shard>,
    module: Arc<FeedsModule>,
}

impl FeedsStore {
    pub(crate) fn new(shard: Arc<Shard>, module: Arc<FeedsModule>) -> Self {
        Self { shard, module }
    }
}

#[async_trait]
impl Feeds for FeedsStore {
    async fn install(&self, feeds: Vec<Feed>) -> Result<(), StoreError> {
        feeds.iter().try_for_each(|feed| Keys::of(feed.matching.as_deref()).map(drop))?;
        let module = self.module.clone();
        self.shard.run(move |batch| module.install(batch, &feeds).map(Ok)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_without_a_slash_is_about_the_last_part_of_a_key() {
        let cases = [
            (None, "a/b", true),
            (Some("*.png"), "a.png", true),
            (Some("*.png"), "photos/2026/a.png", true),
            (Some("*.png"), "photos/a.png/b", false),
            (Some("photos/*.png"), "photos/a.png", true),
            (Some("photos/*.png"), "photos/2026/a.png", false),
            (Some("photos/**"), "photos/2026/a.png", true),
            (Some("photos/**/*.png"), "photos/a.png", true),
            (Some("{a,b}?"), "x/b1", true),
        ];
        for (pattern, key, is_held) in cases {
            assert_eq!(Keys::of(pattern).expect("it is a glob").hold(key), is_held, "{pattern:?} {key:?}");
        }
        assert!(Keys::of(Some("[")).is_err());
    }
}
