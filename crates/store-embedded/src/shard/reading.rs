//! Reading beside the commit thread. Watchers keep this beyond the store's own life, so it holds neither thread nor folder.

use std::sync::Arc;

use ports::{Clock, StoreError};
use rusqlite::Connection;
use types::Timestamp;

use crate::{sqlite::Readers, stop::Stop};

/// Connections that read.
pub(crate) struct Reading {
    readers: Arc<Readers>,
    clock: Arc<dyn Clock>,
    stop: Stop,
}

impl Reading {
    pub(super) fn new(readers: Arc<Readers>, clock: Arc<dyn Clock>, stop: Stop) -> Self {
        Self { readers, clock, stop }
    }

    /// Refuses if the store stopped.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.stop.check()
    }

    /// The store's clock.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Runs a reading function of a few microseconds on the calling thread: less than handing it to another would take.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Connection, Timestamp) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.check()?;
        let now = self.clock.now();
        self.readers.with(|connection| read(connection, now))
    }

    /// Runs a reading function of unknown length on a thread that may block.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection, Timestamp) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.check()?;
        let _permit = self.readers.permits.acquire().await.expect("the semaphore is never closed");
        let (reading, now) = (self.clone(), self.clock.now());
        let task = tokio::task::spawn_blocking(move || reading.readers.with(|connection| read(connection, now)));
        task.await.unwrap_or_else(|error| Err(StoreError::Failed(format!("a reader did not finish: {error}"))))
    }
}
