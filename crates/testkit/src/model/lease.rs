//! Leases in memory, and the flaws that a suite must notice.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{Clock, Lease, StoreError, log::Epoch};
use types::Elapsed;

/// What can be wrong with leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseFlaw {
    /// Two may hold one at once.
    LendsTwice,
    /// An old holder may renew.
    UnfencedRenewals,
}

/// Leases in a map.
pub struct ModelLease {
    clock: Arc<dyn Clock>,
    flaw: Option<LeaseFlaw>,
    /// The newest epoch, and until when it holds.
    leases: Mutex<HashMap<String, (u64, u64)>>,
}

impl ModelLease {
    /// A model without flaws.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_flaw(clock, None)
    }

    /// A model with a flaw, to try a suite on.
    #[must_use]
    pub fn with_flaw(clock: Arc<dyn Clock>, flaw: Option<LeaseFlaw>) -> Self {
        Self { clock, flaw, leases: Mutex::default() }
    }
}

#[async_trait]
impl Lease for ModelLease {
    async fn acquire(&self, name: &str, ttl: Duration) -> Result<Option<Epoch>, StoreError> {
        let now_ns = self.clock.monotonic_ns();
        let mut leases = self.leases.lock();
        let (epoch, until_ns) = leases.entry(name.to_owned()).or_default();
        if *until_ns > now_ns && self.flaw != Some(LeaseFlaw::LendsTwice) {
            return Ok(None);
        }
        (*epoch, *until_ns) = (*epoch + 1, now_ns + Elapsed::from(ttl).ns());
        Ok(Some(Epoch(*epoch)))
    }

    async fn renew(&self, name: &str, epoch: Epoch, ttl: Duration) -> Result<(), StoreError> {
        let now_ns = self.clock.monotonic_ns();
        match self.leases.lock().get_mut(name) {
            Some((newest, until_ns)) if *newest == epoch.0 || self.flaw == Some(LeaseFlaw::UnfencedRenewals) => {
                *until_ns = now_ns + Elapsed::from(ttl).ns();
                Ok(())
            }
            _ => Err(StoreError::Fenced(name.to_owned())),
        }
    }

    async fn release(&self, name: &str, epoch: Epoch) -> Result<(), StoreError> {
        if let Some((newest, until_ns)) = self.leases.lock().get_mut(name)
            && *newest == epoch.0
        {
            *until_ns = 0;
        }
        Ok(())
    }
}
