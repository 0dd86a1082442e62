//! How control tells the data plane what to serve.

use std::sync::Arc;

use types::Snapshot;

/// A part of the data plane that serves from the newest snapshot. Requests that are running keep the one they began with.
pub trait Plane: Send + Sync {
    /// Serves from this snapshot from now on. An older number than the present one is ignored.
    fn install(&self, snapshot: &Arc<Snapshot>);
}
