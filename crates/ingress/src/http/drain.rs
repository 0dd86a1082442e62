//! The signal to stop: no new connections, open requests are finished, then the gateway is gone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

/// Tells everyone who holds a clone that the node drains.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<State>);

#[derive(Debug, Default)]
struct State {
    begun: AtomicBool,
    notify: Notify,
}

impl Drain {
    /// A signal that has not been given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Gives the signal. It can't be taken back.
    pub fn begin(&self) {
        self.0.begun.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }
    /// Whether the signal was given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }
    /// Ends when the signal is given.
    pub async fn begun(self) {
        let notified = self.0.notify.notified();
        tokio::pin!(notified);
        // Registered before the flag is read, so that no signal falls between the two.
        notified.as_mut().enable();
        if !self.has_begun() {
            notified.await;
        }
    }
}
