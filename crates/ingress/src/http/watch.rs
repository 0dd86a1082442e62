//! The watch over one connection: reaps peers that are slow or silent, and hears the signal to drain.
//!
//! It is one timer a connection, looked at lazily: it fires at most once in the shortest of the time limits, works out what is due, and
//! sleeps again. A request costs it nothing. It stands in for hyper's own timers, of which one more is made for every request and none
//! at all if the builder was given no clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use ports::{BoxFuture, Clock};
use types::Elapsed;

use super::{Drain, GatewayLimits, wire::Conn};

/// The time that far from now.
pub(crate) fn after(now: u64, span: Duration) -> u64 {
    now.saturating_add(Elapsed::from(span).ns())
}

/// What the watch finds when its timer fires.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is due yet.
    Wait,
    /// The head that is coming took too long.
    ExpireHead,
    /// No request for too long.
    CloseIdle,
    /// The peer takes no bytes for too long.
    Cut,
}

/// Judges how long the peer has been slow or silent.
pub(crate) struct Watch {
    conn: Arc<Conn>,
    clock: Arc<dyn Clock>,
    header_ns: u64,
    idle_ns: u64,
    /// Since when no request was open, as far as was noticed, and how many there had been.
    quiet: Option<(u64, u64)>,
    timer: BoxFuture<()>,
    /// When the timer fires, and the last time of a request that was compared with it.
    armed: u64,
    compared: u64,
}

impl Watch {
    pub(crate) fn new(limits: &GatewayLimits, clock: Arc<dyn Clock>, conn: Arc<Conn>) -> Self {
        let ns = |span: Duration| Elapsed::from(span).ns();
        let (header_ns, idle_ns) = (ns(limits.header_time), ns(limits.connection_idle_time));
        let now = clock.monotonic_ns();
        let armed = now.saturating_add(header_ns.min(idle_ns));
        let timer = clock.sleep_until(armed);
        Self { conn, clock, header_ns, idle_ns, quiet: None, timer, armed, compared: u64::MAX }
    }

    /// Whether it is time to judge. If a request has just come and its time is before the timer's, then it was the request that woke
    /// the task, and the timer, which knows the task, need not be asked.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let registered = self.compared != u64::MAX;
        let seen = self.conn.seen.load(Ordering::Relaxed);
        let news = seen != self.compared;
        self.compared = seen;
        if registered && news && seen < self.armed { Poll::Pending } else { self.timer.as_mut().poll(cx) }
    }

    /// What is due now; sleeps until something can be due again. Whatever begins after this has at least the shortest limit left, so
    /// the next look is never late.
    pub(crate) fn judge(&mut self) -> Verdict {
        let now = self.clock.monotonic_ns();
        let load = |since: &AtomicU64| Some(since.load(Ordering::Relaxed)).filter(|since| *since != 0);
        let head = load(&self.conn.head_since).map(|since| since.saturating_add(self.header_ns));
        let blocked = load(&self.conn.blocked_since).map(|since| since.saturating_add(self.idle_ns));
        let idle = self.quiet_since(now, head.is_some()).map(|since| since.saturating_add(self.idle_ns));
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let longest = now.saturating_add(self.header_ns.min(self.idle_ns));
        let later = [head, blocked, idle].into_iter().flatten().filter(|at| *at > now);
        self.arm(later.fold(longest, u64::min));
        match (due(blocked), due(head), due(idle)) {
            (true, ..) => Verdict::Cut,
            (_, true, _) => Verdict::ExpireHead,
            (.., true) => Verdict::CloseIdle,
            _ => Verdict::Wait,
        }
    }

    /// Since when no request was open and none came, as far as was noticed.
    fn quiet_since(&mut self, now: u64, in_head: bool) -> Option<u64> {
        let served = self.conn.served.load(Ordering::Relaxed);
        let quiet = !in_head && self.conn.open.load(Ordering::Relaxed) == 0;
        let before = self.quiet.filter(|(_, then)| *then == served);
        self.quiet = quiet.then(|| before.unwrap_or((now, served)));
        self.quiet.map(|(since, _)| since)
    }

    /// Lets the connection's I/O know that the present head took too long.
    pub(crate) fn expire_head(&self) {
        self.conn.head_expired.store(true, Ordering::Relaxed);
    }

    fn arm(&mut self, at: u64) {
        self.armed = at;
        self.timer = self.clock.sleep_until(at);
        self.compared = u64::MAX;
    }
}

/// The signal to drain, asked for cheaply: the task is registered once and then only a flag is read.
pub(crate) struct DrainWatch {
    drain: Drain,
    begun: BoxFuture<()>,
    state: DrainState,
}

#[derive(PartialEq, Eq)]
enum DrainState {
    Unregistered,
    Registered,
    Told,
}

impl DrainWatch {
    pub(crate) fn new(drain: Drain) -> Self {
        Self { begun: Box::pin(drain.clone().begun()), drain, state: DrainState::Unregistered }
    }
    /// Whether draining began; true once. The first call registers the task, which is the same for all of a connection's life.
    pub(crate) fn poll_begun(&mut self, cx: &mut Context<'_>) -> bool {
        let begun = match self.state {
            DrainState::Unregistered => {
                self.state = DrainState::Registered;
                self.begun.as_mut().poll(cx).is_ready()
            }
            DrainState::Registered => self.drain.has_begun(),
            DrainState::Told => return false,
        };
        if begun {
            self.state = DrainState::Told;
        }
        begun
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
