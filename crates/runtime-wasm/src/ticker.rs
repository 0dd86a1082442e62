//! The clock that ends slices: one thread that advances the engine's epoch each millisecond while guests run.
//!
//! It ticks only while some guest is being polled, and for a moment longer, so that an idle node sleeps. A guest's slice is counted from
//! the start of the poll it is in: a guest that waited for a second and goes on is not busy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::{Engine, EngineWeak};

const TICK: Duration = Duration::from_millis(1);
/// Ticks without a guest before the thread sleeps: waking it costs more than some ticks, and requests come close together.
const LINGER_TICKS: u32 = 200;
/// A guest may run for this many ticks, the last of which may be a full one: one to two milliseconds.
pub(crate) const SLICE_TICKS: u64 = 2;

/// A handle on the thread. The thread ends when the last handle is dropped.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    ticks: AtomicU64,
    polling: AtomicUsize,
    parked: AtomicBool,
    closed: AtomicBool,
}

impl Ticker {
    /// Starts the thread. It holds the engine weakly.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let weak = engine.weak();
        let ticking = shared.clone();
        let thread = thread::Builder::new().name("epoch-ticker".into()).spawn(move || tick(&weak, &ticking))?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    /// Ticks since the start.
    pub(crate) fn now(&self) -> u64 {
        self.shared.ticks.load(Ordering::Relaxed)
    }

    /// A guest is being polled until the guard is dropped.
    pub(crate) fn polling(&self) -> Polling<'_> {
        // Sequentially consistent, as in `rest`: either this sees the thread parked, or the thread sees this guest.
        self.shared.polling.fetch_add(1, Ordering::SeqCst);
        if self.shared.parked.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Polling(&self.shared.polling)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Keeps the ticker ticking.
pub(crate) struct Polling<'a>(&'a AtomicUsize);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(engine: &EngineWeak, shared: &Shared) {
    // Before guests, where the system lets us: a late tick is a late end of a slice for everyone. Without that right it ticks the same.
    let _ = rustix::process::nice(-5);
    let mut idle_ticks = 0;
    while !shared.closed.load(Ordering::SeqCst) {
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        drop(engine);
        shared.ticks.fetch_add(1, Ordering::Relaxed);
        idle_ticks = if shared.polling.load(Ordering::Relaxed) == 0 { idle_ticks + 1 } else { 0 };
        if idle_ticks < LINGER_TICKS {
            thread::sleep(TICK);
        } else {
            rest(shared);
            idle_ticks = 0;
        }
    }
}

/// Sleeps until a guest is polled.
fn rest(shared: &Shared) {
    shared.parked.store(true, Ordering::SeqCst);
    while shared.polling.load(Ordering::SeqCst) == 0 && !shared.closed.load(Ordering::SeqCst) {
        thread::park();
    }
    shared.parked.store(false, Ordering::SeqCst);
}

/// What one guest used of its slice. Shared by whoever polls the guest and by the engine's callback inside it.
#[derive(Default)]
pub(crate) struct Slice {
    began: AtomicU64,
    busy: AtomicBool,
    yielded: AtomicBool,
}

impl Slice {
    /// A poll begins.
    pub(crate) fn begin(&self, ticks: u64) {
        self.began.store(ticks, Ordering::Relaxed);
        self.yielded.store(false, Ordering::Relaxed);
    }
    /// The guest gives way because its slice is used up: it waits for nothing.
    pub(crate) fn give_way(&self) {
        self.yielded.store(true, Ordering::Relaxed);
    }
    /// Whether the last poll ended with the guest giving way.
    pub(crate) fn has_given_way(&self) -> bool {
        self.yielded.load(Ordering::Relaxed)
    }
    /// Whether the slice is used up at this tick; the guest then counts as busy from now on.
    pub(crate) fn is_used_up(&self, ticks: u64) -> bool {
        let used_up = ticks.saturating_sub(self.began.load(Ordering::Relaxed)) >= SLICE_TICKS;
        if used_up {
            self.busy.store(true, Ordering::Relaxed);
        }
        used_up
    }
    /// Whether it ever used up a slice.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_until(what: impl Fn() -> bool) {
        for _ in 0..10_000 {
            if what() {
                return;
            }
            thread::sleep(TICK);
        }
        panic!("it never came true");
    }

    #[test]
    fn it_ticks_while_guests_run_and_sleeps_when_none_does() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).expect("a thread");
        wait_until(|| ticker.shared.parked.load(Ordering::SeqCst));
        let resting = ticker.now();
        let polling = ticker.polling();
        wait_until(|| ticker.now() > resting + 10);
        drop(polling);
        wait_until(|| ticker.shared.parked.load(Ordering::SeqCst));
    }

    #[test]
    fn waiting_uses_no_slice() {
        let slice = Slice::default();
        slice.begin(100);
        assert!(!slice.is_used_up(101) && !slice.is_busy());
        slice.begin(5_000);
        assert!(!slice.is_used_up(5_001) && !slice.is_busy());
        assert!(slice.is_used_up(5_002) && slice.is_busy());
    }
}
