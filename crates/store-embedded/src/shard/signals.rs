//! Tells those who wait that something has news. Only a hint: they read the file, which alone says what there is.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;

/// One channel for each name that somebody waits at; `None` once the store is closed.
pub(crate) struct Signals<K>(Mutex<Option<BTreeMap<K, watch::Sender<()>>>>);

impl<K> Default for Signals<K> {
    fn default() -> Self {
        Self(Mutex::new(Some(BTreeMap::new())))
    }
}

impl<K: Ord + Clone> Signals<K> {
    /// A receiver that is woken by each commit from now on; one that is closed already if the store is.
    pub(crate) fn subscribe(&self, name: &K) -> watch::Receiver<()> {
        match self.0.lock().as_mut() {
            Some(channels) => channels.entry(name.clone()).or_default().subscribe(),
            None => watch::Sender::default().subscribe(),
        }
    }

    /// Wakes those who wait at the name, and forgets the channel if there are none.
    pub(crate) fn notify(&self, name: &K) {
        let mut channels = self.0.lock();
        let Some(channels) = channels.as_mut() else { return };
        if let Some(channel) = channels.get(name)
            && channel.send(()).is_err()
        {
            channels.remove(name);
        }
    }

    /// Ends all waiting.
    pub(crate) fn close(&self) {
        *self.0.lock() = None;
    }
}
