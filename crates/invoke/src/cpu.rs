//! CPU time of this thread: what a guest is charged for.

use types::Elapsed;

/// CPU time that the calling thread has used, from the kernel's own account of it (`CLOCK_THREAD_CPUTIME_ID`).
pub(crate) fn thread_time() -> Elapsed {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (secs, nanos) = (u64::try_from(spent.tv_sec).unwrap_or(0), u64::try_from(spent.tv_nsec).unwrap_or(0));
    Elapsed::from_ns(secs * 1_000_000_000 + nanos)
}
