//! Tells watchers that their namespace has something new. Only a hint: a watcher reads the file, which alone says what there is.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;
use types::kv::Namespace;

/// One channel for each namespace that is watched; `None` once the store is closed.
pub(crate) struct Signals(Mutex<Option<BTreeMap<Namespace, watch::Sender<()>>>>);

impl Default for Signals {
    fn default() -> Self {
        Self(Mutex::new(Some(BTreeMap::new())))
    }
}

impl Signals {
    /// A receiver that is woken by each commit from now on; one that is closed already if the store is.
    pub(super) fn subscribe(&self, namespace: &Namespace) -> watch::Receiver<()> {
        match self.0.lock().as_mut() {
            Some(channels) => channels.entry(namespace.clone()).or_default().subscribe(),
            None => watch::Sender::default().subscribe(),
        }
    }

    /// Wakes the watchers of the namespace, and forgets the channel if there are none.
    pub(super) fn notify(&self, namespace: &Namespace) {
        let mut channels = self.0.lock();
        let Some(channels) = channels.as_mut() else { return };
        if let Some(channel) = channels.get(namespace)
            && channel.send(()).is_err()
        {
            channels.remove(namespace);
        }
    }

    /// Ends all watchers.
    pub(super) fn close(&self) {
        *self.0.lock() = None;
    }
}
