//! The two tokio runtimes of a node. The main lane polls connections, and with them all guests that answer at once. A guest that has used
//! up a slice of CPU goes to the busy lane, whose threads have a lower priority and look for other work after every poll: guests that spin
//! wait on each other and not on short requests.

use std::{io, time::Duration};

use rustix::{process::setpriority_process, thread::gettid};
use tokio::runtime::{Builder, Handle, Runtime};
use types::{Code, Problem};

/// How much nicer than the main lane the busy lane's threads are, of at most 19.
const BUSY_NICE: i32 = 10;
/// How long threads may take to end once a lane is stopped: a guest gives its thread up within its slice.
const STOP_TIME: Duration = Duration::from_secs(2);

/// Both runtimes, until they are stopped.
pub(crate) struct Lanes {
    main: Option<Runtime>,
    busy: Option<Runtime>,
}

impl Drop for Lanes {
    /// Whoever fails between start and stop drops the lanes, and that may be on a thread that must not block.
    fn drop(&mut self) {
        let Self { main, busy } = self;
        busy.take().into_iter().chain(main.take()).for_each(Runtime::shutdown_background);
    }
}

impl Lanes {
    /// Starts the threads of both.
    ///
    /// # Errors
    /// `E0513` if the machine gives no more threads.
    pub(crate) fn start(threads: usize) -> Result<Self, Problem> {
        let failed = |error: io::Error| Problem::new(Code::E0513, format!("cannot start threads: {error}"));
        let main =
            Builder::new_multi_thread().worker_threads(threads).thread_name("main").enable_all().build().map_err(failed)?;
        let busy = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("busy")
            .event_interval(1)
            .global_queue_interval(1)
            .on_thread_start(be_nice)
            .enable_all()
            .build()
            .map_err(failed)?;
        Ok(Self { main: Some(main), busy: Some(busy) })
    }

    pub(crate) fn main(&self) -> &Handle {
        self.main.as_ref().expect("the lanes run until they are stopped").handle()
    }
    pub(crate) fn busy(&self) -> &Handle {
        self.busy.as_ref().expect("the lanes run until they are stopped").handle()
    }

    /// Ends all threads. Called from a thread that belongs to neither and may block.
    pub(crate) fn stop(mut self) {
        let lanes = [self.busy.take(), self.main.take()];
        lanes.into_iter().flatten().for_each(|lane| lane.shutdown_timeout(STOP_TIME));
    }
}

/// Linux keeps a priority for each thread, not for the process, whatever POSIX says: setpriority(2), "C library/kernel differences".
fn be_nice() {
    if let Err(error) = setpriority_process(Some(gettid()), BUSY_NICE) {
        tracing::warn!(%error, "the busy lane could not lower its priority");
    }
}
