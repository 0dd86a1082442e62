//! Fail-stop: after the disk lied once, nothing is acknowledged any more.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use ports::StoreError;

type Hook = Box<dyn FnOnce(&str) + Send>;

/// Shared by all parts of one store: whether it stopped, and whom to tell.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    reason: OnceLock<String>,
    hook: Mutex<Option<Hook>>,
}

impl Stop {
    /// Refuses if the store stopped.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.0.reason.get() {
            None => Ok(()),
            Some(reason) => Err(StoreError::Failed(format!("the store stopped: {reason}"))),
        }
    }

    /// Stops for good; the first reason stays. The hook runs on the calling thread.
    pub(crate) fn stop(&self, reason: &str) {
        if self.0.reason.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the store stopped");
            if let Some(hook) = self.0.hook.lock().take() {
                hook(reason);
            }
        }
    }

    /// Runs the hook when the store stops; at once if it did.
    pub(crate) fn on_stop(&self, hook: Hook) {
        *self.0.hook.lock() = Some(hook);
        if let Some(reason) = self.0.reason.get()
            && let Some(hook) = self.0.hook.lock().take()
        {
            hook(reason);
        }
    }
}
