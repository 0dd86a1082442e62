//! The one end that is no shutdown: the store has stopped for good, and only a new process can find out what is on the disk.

use std::{
    process,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use ports::Telemetry;
use tokio::runtime::Builder;

/// The exit code of a process whose store has stopped: failure, so that a supervisor starts it again.
const STORE_STOPPED: i32 = 1;
/// How long the last records may take: a disk that fails the store may fail them too, or hang.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(2);

/// Says why, tries to keep what was recorded, and ends the process. Called on whichever thread met the failure.
pub(crate) fn store_stopped(reason: &str, records: Option<Arc<dyn Telemetry>>) {
    tracing::error!(reason, "the store can't say what is on the disk any more: only a new process can find out");
    if let Some(records) = records
        && !flushed(records)
    {
        tracing::error!("the last records were not written");
    }
    process::exit(STORE_STOPPED);
}

/// Whether everything recorded became durable in time. On a thread of its own: this one may poll a runtime, and must not wait in it.
fn flushed(records: Arc<dyn Telemetry>) -> bool {
    let (done, waiting) = mpsc::channel();
    let flush = move || {
        let written = Builder::new_current_thread().build().is_ok_and(|runtime| runtime.block_on(records.flush()).is_ok());
        // Nobody waits any more if it took too long.
        let _ = done.send(written);
    };
    let started = thread::Builder::new().name("last-records".into()).spawn(flush).is_ok();
    started && waiting.recv_timeout(FLUSH_TIME_MAX).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::model::ModelTelemetry;

    #[tokio::test]
    async fn records_are_flushed_also_from_a_thread_that_polls_a_runtime() {
        assert!(flushed(ModelTelemetry::new(30)));
    }
}
