//! What has to be done from time to time, by itself: removing objects whose life is over, and bytes that nothing names.

use std::{sync::Arc, time::Duration};

use ingress::Drain;
use ports::{Clock, Objects};
use types::Elapsed;

/// Between two sweeps. Rules count in days; a minute more is nobody's loss.
const PAUSE: Duration = Duration::from_secs(60);

/// Sweeps until the node drains.
pub(crate) async fn run(objects: Arc<dyn Objects>, clock: Arc<dyn Clock>, drain: Drain) {
    let mut drained = std::pin::pin!(drain.begun());
    loop {
        let next = clock.monotonic_ns().saturating_add(Elapsed::from(PAUSE).ns());
        tokio::select! {
            () = &mut drained => return,
            () = clock.sleep_until(next) => {}
        }
        match objects.sweep().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "objects whose life was over were removed"),
            // The next sweep looks at the same again.
            Err(error) => tracing::warn!(%error, "objects were not swept"),
        }
    }
}
