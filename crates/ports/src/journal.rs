//! Reading kept journals back.

use async_trait::async_trait;
use bytes::Bytes;
use types::{InvocationId, Problem, journal::Journal};

/// Opens journals that the telemetry store keeps sealed.
#[async_trait]
pub trait Journals: Send + Sync {
    /// The journal of one invocation as it may be shown: values of secret header fields are replaced.
    ///
    /// # Errors
    /// `E0706` if there is no such invocation, `E0801` if no journal of it was kept, `E0806` if the journal is damaged.
    async fn shown(&self, id: InvocationId) -> Result<Journal, Problem>;

    /// The file that another machine replays ([`types::wire::Export`]): all of the journal in clear, and the component that it ran.
    /// Only for those who may see what the function saw.
    ///
    /// # Errors
    /// As `shown`, and `E0301` if the component is gone.
    async fn export(&self, id: InvocationId) -> Result<Bytes, Problem>;
}
