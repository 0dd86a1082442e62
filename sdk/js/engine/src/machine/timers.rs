//! Timers: callbacks by deadline, each called in a turn of its own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use rquickjs::{Ctx, Function, Persistent};

use crate::host;

/// What a deadline is kept by: nanoseconds of the monotonic clock, then the order of their start.
type Due = (u64, u32);

/// The longest delay; a longer one counts as this, as on the web.
const DELAY_MS_MAX: f64 = 2_147_483_647.0;

thread_local! {
    static TIMERS: RefCell<BTreeMap<Due, Persistent<Function<'static>>>> = const { RefCell::new(BTreeMap::new()) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
    /// The time of this turn, if anybody asked for it: one question to the host serves all timers of a turn.
    static NOW_NS: Cell<Option<u64>> = const { Cell::new(None) };
    /// The last timer of this turn: later ones were started by its callbacks, and wait for the next.
    static TURN_ENDS: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Calls `callback` once, `milliseconds` from now. What is no positive number counts as 0.
pub(crate) fn start<'js>(ctx: &Ctx<'js>, milliseconds: f64, callback: Function<'js>) -> u32 {
    let id = LAST_ID.get().wrapping_add(1).max(1);
    LAST_ID.set(id);
    // The conversion makes 0 of what is no number.
    let delay_ns = (milliseconds.clamp(0.0, DELAY_MS_MAX) * 1e6) as u64;
    let deadline_ns = now_ns().saturating_add(delay_ns);
    TIMERS.with_borrow_mut(|timers| timers.insert((deadline_ns, id), Persistent::save(ctx, callback)));
    id
}

/// Forgets a timer, if there is one of this id.
pub(crate) fn stop(id: u32) {
    let stopped = TIMERS.with_borrow_mut(|timers| {
        let due = timers.keys().find(|(_, other)| *other == id).copied()?;
        timers.remove(&due)
    });
    drop(stopped);
}

/// The earliest deadline.
pub(super) fn next_deadline_ns() -> Option<u64> {
    TIMERS.with_borrow(|timers| timers.keys().next().map(|(deadline_ns, _)| *deadline_ns))
}

/// Whether the earliest is due, as far as is known without asking the host.
pub(super) fn is_due() -> bool {
    next_deadline_ns().is_some_and(|deadline_ns| NOW_NS.get().is_some_and(|now_ns| deadline_ns <= now_ns))
}

/// Takes the earliest timer, if it is due. Before the last one of a turn runs, the time is forgotten: timers of nothing that start each other would
/// else stand in one moment for ever, and no other's time would come.
pub(super) fn take_due() -> Option<Persistent<Function<'static>>> {
    if !is_due() {
        return None;
    }
    let turn_ends = TURN_ENDS.get().unwrap_or_else(|| LAST_ID.get());
    TURN_ENDS.set(Some(turn_ends));
    let (_, callback) = TIMERS.with_borrow_mut(BTreeMap::pop_first)?;
    let goes_on = is_due() && TIMERS.with_borrow(|timers| timers.keys().next().is_some_and(|(_, id)| *id <= turn_ends));
    if !goes_on {
        waited(None);
    }
    Some(callback)
}

/// Says what time it is after a wait: a deadline that has passed, or nothing known.
pub(super) fn waited(now_ns: Option<u64>) {
    NOW_NS.set(now_ns);
    TURN_ENDS.set(None);
}

fn now_ns() -> u64 {
    if let Some(now_ns) = NOW_NS.get() {
        return now_ns;
    }
    let now_ns = host::monotonic_ns();
    NOW_NS.set(Some(now_ns));
    now_ns
}
