//! Watching a prefix: present values if they are wanted, then every change.
//!
//! A watcher reads changes from the file in chunks of whole revisions and sleeps while there are none. It holds nothing open between
//! chunks, so a slow one costs the store nothing; one that falls behind the kept changes is told `Compacted`.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures_util::stream;
use ports::{BoxStream, StoreError};
use tokio::sync::watch;
use types::kv::{Change, Namespace, Rev, WatchFrom};

use super::read;
use crate::shard::{Reading, signals::Signals};

const SNAPSHOT_PAGE: usize = 256;

enum Phase {
    /// Present values come first: those up to `cursor`, after this key.
    Snapshot(Option<Bytes>),
    /// Changes, and nothing was said about being caught up.
    Behind,
    Live,
    Ended,
}

struct Watcher {
    reading: Arc<Reading>,
    news: watch::Receiver<()>,
    namespace: Namespace,
    prefix: Bytes,
    phase: Phase,
    /// Everything up to here was sent or is in `ready`.
    cursor: Rev,
    /// Whole revisions, so that the changes of a transaction come together.
    ready: VecDeque<Change>,
}

pub(super) async fn start(
    reading: Arc<Reading>,
    signals: &Signals<Namespace>,
    namespace: Namespace,
    prefix: Bytes,
    from: WatchFrom,
) -> Result<BoxStream<Change>, StoreError> {
    // Subscribed before anything is read: what is committed in between is then noticed.
    let news = signals.subscribe(&namespace);
    let (phase, cursor) = match from {
        WatchFrom::After(rev) => (Phase::Behind, rev),
        WatchFrom::Snapshot => {
            let of = namespace.clone();
            let head = reading.run(move |connection, _| read::head(connection, &of)).await?;
            (Phase::Snapshot(None), head.rev)
        }
    };
    let watcher = Watcher { reading, news, namespace, prefix, phase, cursor, ready: VecDeque::new() };
    Ok(Box::pin(stream::unfold(watcher, |mut watcher| async move {
        let change = watcher.next().await?;
        Some((change, watcher))
    })))
}

impl Watcher {
    async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Some(change);
            }
            let step = match &self.phase {
                Phase::Ended => return None,
                Phase::Snapshot(after) => {
                    let after = after.clone();
                    self.snapshot(after).await
                }
                Phase::Behind | Phase::Live => self.changes().await,
            };
            if let Err(error) = step {
                tracing::warn!(namespace = %self.namespace.0, %error, "a watch ended");
                return None;
            }
        }
    }

    /// One page of present values. What is newer than the start comes later as a change, so it is left out here.
    async fn snapshot(&mut self, after: Option<Bytes>) -> Result<(), StoreError> {
        let (namespace, prefix) = (self.namespace.clone(), self.prefix.clone());
        let page = self
            .reading
            .run(move |connection, now| read::list(connection, &namespace, &prefix, after.as_ref(), SNAPSHOT_PAGE, now));
        let page = page.await?;
        self.phase = match page.last() {
            Some(last) if page.len() == SNAPSHOT_PAGE => Phase::Snapshot(Some(last.key.clone())),
            _ => Phase::Behind,
        };
        self.ready.extend(page.into_iter().filter(|entry| entry.rev <= self.cursor).map(Change::Put));
        Ok(())
    }

    /// The next changes, or a wait for them.
    async fn changes(&mut self) -> Result<(), StoreError> {
        self.news.mark_unchanged();
        let (namespace, prefix, above) = (self.namespace.clone(), self.prefix.clone(), self.cursor);
        let chunk = self.reading.run(move |connection, _| read::chunk(connection, &namespace, &prefix, above)).await?;
        let Some(read::Chunk { changes, upto, is_head }) = chunk else {
            self.phase = Phase::Ended;
            self.ready.push_back(Change::Compacted);
            return Ok(());
        };
        self.cursor = upto;
        self.ready.extend(changes);
        if is_head && matches!(self.phase, Phase::Behind) {
            self.phase = Phase::Live;
            self.ready.push_back(Change::CaughtUp(upto));
        } else if is_head && self.ready.is_empty() && self.news.changed().await.is_err() {
            self.phase = Phase::Ended;
        }
        Ok(())
    }
}
