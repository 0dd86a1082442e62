//! The key-value module: what the commit thread knows of namespaces, and whom it tells.

use std::sync::Arc;

use parking_lot::Mutex;
use types::kv::{Committed, Namespace, Transaction};

use super::apply::{Applying, Mark, Writer};
use crate::{
    feeds::FeedsModule,
    shard::{Applied, Batch, Module, Tick, signals::Signals},
};

/// The key-value stores inside a batch.
pub(crate) struct KvModule {
    feeds: Arc<FeedsModule>,
    writer: Mutex<Writer>,
    /// Namespaces that the open batch changed.
    changed: Mutex<Vec<Namespace>>,
    signals: Signals<Namespace>,
}

impl KvModule {
    pub(crate) fn new(feeds: Arc<FeedsModule>) -> Self {
        Self { feeds, writer: Mutex::default(), changed: Mutex::default(), signals: Signals::default() }
    }

    /// What is known of these namespaces now.
    pub(crate) fn mark<'a>(&self, namespaces: impl Iterator<Item = &'a Namespace>) -> Mark {
        self.writer.lock().mark(namespaces)
    }

    /// The file went back to the mark; what is known does too.
    pub(crate) fn undo(&self, mark: Mark) {
        self.writer.lock().undo(mark);
    }

    /// Applies a transaction whose limits were checked.
    pub(crate) fn apply(&self, batch: &mut Batch<'_>, namespace: &Namespace, transaction: &Transaction) -> Applied<Committed> {
        let mut writer = self.writer.lock();
        Applying { batch, writer: &mut writer, feeds: &self.feeds, cause: transaction.cause }.apply(namespace, transaction)
    }

    pub(super) fn signals(&self) -> &Signals<Namespace> {
        &self.signals
    }
}

impl Module for KvModule {
    fn tick(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Tick> {
        let mut writer = self.writer.lock();
        Applying { batch, writer: &mut writer, feeds: &self.feeds, cause: None }.sweep()
    }

    fn finish(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let mut writer = self.writer.lock();
        *self.changed.lock() = Applying { batch, writer: &mut writer, feeds: &self.feeds, cause: None }.finish()?;
        Ok(())
    }

    fn committed(&self) {
        self.changed.lock().drain(..).for_each(|namespace| self.signals.notify(&namespace));
    }

    fn rolled_back(&self) {
        self.writer.lock().reset();
        self.changed.lock().clear();
    }

    fn close(&self) {
        self.signals.close();
    }
}
