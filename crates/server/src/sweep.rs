//! What has to be done from time to time, by itself: removing objects whose life is over, bytes that nothing names, and code that no
//! revision needs.

use std::{sync::Arc, time::Duration};

use control::Control;
use ingress::Drain;
use ports::{Clock, Objects};
use types::Elapsed;

/// Between two sweeps. Rules count in days; a minute more is nobody's loss.
const PAUSE: Duration = Duration::from_secs(60);

/// Between two looks for code that no revision needs. A deployment goes from its plan to its end in that time.
const CODE_PAUSE: Duration = Duration::from_secs(10 * 60);

/// Makes code anew that an earlier version of the platform left, once, and removes what no revision needs, until the node drains.
pub(crate) async fn code(control: Arc<Control>, clock: Arc<dyn Clock>, drain: Drain) {
    let work = async {
        control.refresh().await;
        loop {
            if let Err(problem) = control.prune().await {
                tracing::warn!(problem = problem.message, "code that no revision needs was not removed");
            }
            clock.sleep_until(clock.monotonic_ns().saturating_add(Elapsed::from(CODE_PAUSE).ns())).await;
        }
    };
    tokio::select! {
        () = drain.begun() => {}
        () = work => {}
    }
}

/// Sweeps objects until the node drains.
pub(crate) async fn objects(objects: Arc<dyn Objects>, clock: Arc<dyn Clock>, drain: Drain) {
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
