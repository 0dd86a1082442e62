//! Leases: one holder at a time, by fencing and not by timing.

use std::time::Duration;

use async_trait::async_trait;

use crate::{StoreError, log::Epoch};

/// Named leases. The epoch is the fencing token: whatever the holder writes carries it, and an older one is refused.
#[async_trait]
pub trait Lease: Send + Sync {
    /// Takes the lease for `ttl` under a new epoch, or gives `None` while another holds it.
    async fn acquire(&self, name: &str, ttl: Duration) -> Result<Option<Epoch>, StoreError>;
    /// Holds it for `ttl` from now on.
    ///
    /// # Errors
    /// `Fenced` if another has taken it since.
    async fn renew(&self, name: &str, epoch: Epoch, ttl: Duration) -> Result<(), StoreError>;
    /// Gives it up; nothing happens if it is not held under this epoch.
    async fn release(&self, name: &str, epoch: Epoch) -> Result<(), StoreError>;
}
