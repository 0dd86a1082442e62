//! Moves what was committed from the log into the file, beside the commit thread: SQLite would do all of it inside a COMMIT, and every
//! caller of that batch would wait for the whole of it.
//!
//! The log can only begin anew when all of it was moved, and there is always something new in it. So when it has become long the commit
//! thread moves the rest, which is little by then.

use std::{
    path::Path,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
};

use ports::StoreError;
use rusqlite::Connection;

use crate::sqlite::failure;

/// Pages of 4 KiB after which the thread moves what there is, again and again.
const MOVED_PAGES: i32 = 1_000;
/// Pages at which the commit thread moves the rest.
const LOG_PAGES_MAX: i32 = 4_000;

/// The thread. It ends when the connection that it was started for is closed.
pub(super) struct Checkpointer(Option<JoinHandle<()>>);

impl Checkpointer {
    /// Takes over the log of the connection that writes.
    pub(super) fn start(writer: &mut Connection, path: &Path) -> Result<Self, StoreError> {
        let connection = crate::sqlite::open_beside(path).map_err(|error| failure(&error))?;
        let (wake, woken) = sync_channel(1);
        let run = move || work(&connection, &woken);
        let thread = std::thread::Builder::new().name("shard-checkpoint".into()).spawn(run);
        let thread = thread.map_err(|error| StoreError::Failed(format!("cannot start the checkpoint thread: {error}")))?;
        let mut told_at = 0;
        let hook = move |log: &mut rusqlite::hooks::Wal, pages: i32| {
            if pages >= LOG_PAGES_MAX {
                // Fails if the thread is at it, and when the disk is full. Then it is tried after the next COMMIT.
                drop(log.checkpoint());
            } else {
                told_at = tell(&wake, pages, told_at);
            }
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(|error| failure(&error))?;
        Ok(Self(Some(thread)))
    }
}

/// Wakes the thread if enough is new since it was told last; gives when that was.
fn tell(wake: &SyncSender<()>, pages: i32, told_at: i32) -> i32 {
    let told_at = if pages < told_at { 0 } else { told_at };
    if pages - told_at < MOVED_PAGES {
        return told_at;
    }
    match wake.try_send(()) {
        Ok(()) | Err(TrySendError::Full(())) => pages,
        Err(TrySendError::Disconnected(())) => told_at,
    }
}

fn work(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        // What it does not move, since somebody still reads what was before, the next one will.
        let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = moved {
            tracing::debug!(%error, "a checkpoint was left out");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic there was reported where it happened; the commit thread then moves everything itself.
            let _ = thread.join();
        }
    }
}
