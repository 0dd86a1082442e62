//! The key-value module: what the commit thread knows of namespaces, and whom it tells.

use parking_lot::Mutex;
use types::kv::{Committed, Namespace, Transaction};

use super::apply::{Applying, Writer};
use crate::shard::{Applied, Batch, Module, Tick, signals::Signals};

/// The key-value stores inside a batch.
#[derive(Default)]
pub(crate) struct KvModule {
    writer: Mutex<Writer>,
    /// Namespaces that the open batch changed.
    changed: Mutex<Vec<Namespace>>,
    signals: Signals<Namespace>,
}

impl KvModule {
    /// Applies a transaction whose limits were checked.
    pub(crate) fn apply(&self, batch: &mut Batch<'_>, namespace: &Namespace, transaction: &Transaction) -> Applied<Committed> {
        let mut writer = self.writer.lock();
        Applying { batch, writer: &mut writer }.apply(namespace, transaction)
    }

    pub(super) fn signals(&self) -> &Signals<Namespace> {
        &self.signals
    }
}

impl Module for KvModule {
    fn tick(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Tick> {
        let mut writer = self.writer.lock();
        Applying { batch, writer: &mut writer }.sweep()
    }

    fn finish(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let mut writer = self.writer.lock();
        *self.changed.lock() = Applying { batch, writer: &mut writer }.finish()?;
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
