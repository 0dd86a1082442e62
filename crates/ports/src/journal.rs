//! Reading kept journals back: opened, so only for those who may see what a function saw.

use async_trait::async_trait;
use types::{InvocationId, Problem, journal::Journal};

/// Opens journals that the telemetry store keeps sealed.
#[async_trait]
pub trait Journals: Send + Sync {
    /// The journal of one invocation.
    ///
    /// # Errors
    /// `E0706` if there is no such invocation, `E0801` if no journal of it was kept, `E0806` if the journal is damaged.
    async fn read(&self, id: InvocationId) -> Result<Journal, Problem>;
}
