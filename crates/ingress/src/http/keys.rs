//! Secrets that requests are checked against, kept for seconds: a stream of requests must not be one of reads from the store.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use ports::{Clock, Secrets, StoreError, secrets::SecretValue};
use types::{AppKey, Elapsed};

/// A changed secret holds after so long at the latest.
const KEPT: Duration = Duration::from_secs(5);
/// Secrets that are kept at once.
const KEPT_MAX: usize = 1_000;

pub(crate) struct Keys {
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<(AppKey, String), (SecretValue, u64)>>,
}

impl Keys {
    pub(crate) fn new(secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, clock, kept: Mutex::default() }
    }

    /// The newest value of a secret, or one that was the newest seconds ago. `None` if it is not set.
    pub(crate) async fn get(&self, app: &AppKey, name: &str) -> Result<Option<SecretValue>, StoreError> {
        let (place, now) = ((app.clone(), name.to_owned()), self.clock.monotonic_ns());
        if let Some((value, until)) = self.kept.lock().get(&place)
            && *until > now
        {
            return Ok(Some(value.clone()));
        }
        let Some((_, value)) = self.secrets.get(app, name).await? else { return Ok(None) };
        let mut kept = self.kept.lock();
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (_, until)| *until > now);
        }
        if kept.len() < KEPT_MAX {
            kept.insert(place, (value.clone(), now.saturating_add(Elapsed::from(KEPT).ns())));
        }
        Ok(Some(value))
    }
}
