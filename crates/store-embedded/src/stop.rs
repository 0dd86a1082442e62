//! Fail-stop: after the disk lied once, nothing is acknowledged any more.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use ports::StoreError;

pub(crate) type Hook = Box<dyn FnOnce(&str) + Send>;

/// Shared by all parts of one store: whether it stopped, and whom to tell.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    reason: OnceLock<String>,
    hooks: Mutex<Vec<Hook>>,
}

impl Stop {
    /// Refuses if the store stopped.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.0.reason.get() {
            None => Ok(()),
            Some(reason) => Err(StoreError::Failed(format!("the store stopped: {reason}"))),
        }
    }

    /// Stops for good; the first reason stays. The hooks run on the calling thread.
    pub(crate) fn stop(&self, reason: &str) {
        if self.0.reason.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the store stopped");
            self.run_hooks(reason);
        }
    }

    /// Runs the hook when the store stops; at once if it did.
    pub(crate) fn on_stop(&self, hook: Hook) {
        self.0.hooks.lock().push(hook);
        if let Some(reason) = self.0.reason.get() {
            self.run_hooks(reason);
        }
    }

    /// Each hook is taken out before it runs, so that it runs once and may use the store.
    fn run_hooks(&self, reason: &str) {
        let hooks = std::mem::take(&mut *self.0.hooks.lock());
        hooks.into_iter().for_each(|hook| hook(reason));
    }
}
