//! A guest in flight: polled, timed, bounded, moved, and settled exactly once.
//!
//! A flight begins on the task of whoever asked. Three things move it to a task of its own: it has answered and goes on writing; it used
//! up a slice of CPU and belongs among its like, on the busy lane; or both. Wherever it is, dropping it settles it.

mod facts;
mod judge;
mod kept;
mod request_body;
mod settle;
mod slot;
mod unit;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use ports::{
    Body, BoxFuture, Loaded,
    runtime::{Call, Ended, Fault, Run},
};
use types::{Build, Code, Elapsed, InvocationId, Start, StartClass, limits};

pub(crate) use self::{
    facts::{Facts, Origin, head_bytes},
    judge::verdict_of_refusal,
    settle::{outcome, record_refusal},
    slot::Slot,
};
use crate::{
    cpu,
    engine::Services,
    gate::Permit,
    last_words::LastWords,
    refuse,
    scope::{LiveScope, live::Beginning},
};

/// One running guest with everything that its end needs.
pub(crate) struct Flight {
    services: Arc<Services>,
    facts: Facts,
    start: Start,
    scope: Arc<LiveScope>,
    /// The guest, until it is settled.
    run: Option<Pin<Box<dyn Run>>>,
    cpu: Elapsed,
    deadline_ns: u64,
    timer: Option<BoxFuture<()>>,
    last_words: LastWords,
    settled: bool,
    _permit: Permit,
}

/// Why the caller's task stops polling a flight.
enum Step {
    Ended,
    Answered,
    Busy,
}

impl Flight {
    pub(crate) fn begin(
        services: Arc<Services>,
        facts: Facts,
        start: Start,
        permit: Permit,
        loaded: Arc<dyn Loaded>,
        request: Request<Body>,
    ) -> Self {
        let limits = facts.function.function.limits;
        let is_atomic = facts.is_atomic();
        let beginning = Beginning {
            function: facts.function.clone(),
            began_ns: facts.began_ns,
            seed: facts.seed,
            cause: facts.as_cause(),
            detailed: facts.detailed,
            held: is_atomic.then(Arc::default),
            repeatable: facts.repeatable.clone(),
        };
        let scope = Arc::new(LiveScope::new(services.clone(), beginning));
        let request = request.map(|body| request_body::RequestBody::wrap(body, &scope));
        let run = Some(loaded.call(Call { request, scope: scope.clone(), limits }));
        let deadline_ns = facts.began_ns.saturating_add(Elapsed::from(limits.time).ns());
        let (cpu, timer, last_words, settled) = (Elapsed::ZERO, None, LastWords::default(), false);
        Self { services, facts, start, scope, run, cpu, deadline_ns, timer, last_words, settled, _permit: permit }
    }

    /// Polls the guest until there is a response, and leaves the rest of it to a task of its own.
    pub(crate) async fn response(mut self) -> Response<Body> {
        match poll_fn(|cx| self.poll_step(cx)).await {
            Step::Ended => self.taken_response(),
            Step::Answered => {
                let response = self.taken_response();
                if self.is_busy() {
                    self.services.busy_lane.clone().spawn(self.finish());
                } else {
                    tokio::spawn(self.finish());
                }
                response
            }
            Step::Busy => self.response_from_busy_lane().await,
        }
    }

    /// One poll, and what it means for the caller's task.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if self.poll_end(cx).is_ready() {
            Poll::Ready(Step::Ended)
        } else if self.scope.slot.is_given() {
            Poll::Ready(Step::Answered)
        } else if self.is_busy() {
            Poll::Ready(Step::Busy)
        } else {
            Poll::Pending
        }
    }

    /// Polls the guest and settles it if that was its end.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_guest(cx).map(|ended| self.settle(ended))
    }

    /// Polls the guest. Its CPU time is what its polls take on this thread.
    fn poll_guest(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let run = self.run.as_mut().expect("a flight is not polled once it has ended");
        let before = cpu::thread_time();
        let polled = run.as_mut().poll(cx);
        self.cpu = self.cpu.plus(cpu::thread_time().less(before));
        match polled {
            Poll::Pending if self.poll_deadline(cx).is_ready() && !self.may_go_on() => Poll::Ready(out_of_time(&self.facts)),
            polled => polled,
        }
    }

    /// Whether the guest is a script that may say where it is, although its time is up.
    fn may_go_on(&mut self) -> bool {
        let Self { services, facts, run, cpu, deadline_ns, last_words, .. } = self;
        let Some(run) = run.as_deref().filter(|_| facts.function.function.build == Build::Script) else { return false };
        last_words.may_go_on(run, *cpu, services.clock.monotonic_ns(), *deadline_ns)
    }

    /// Whether the guest belongs on the busy lane.
    fn is_busy(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.is_busy())
    }

    /// The deadline. Only a guest that waits needs a timer, so it is set when a poll first leaves the guest waiting.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { services, timer, deadline_ns, .. } = self;
        if services.clock.monotonic_ns() >= *deadline_ns {
            return Poll::Ready(());
        }
        timer.get_or_insert_with(|| services.clock.sleep_until(*deadline_ns)).as_mut().poll(cx)
    }

    /// Goes on to the end, as a task of its own.
    async fn finish(mut self) {
        poll_fn(|cx| self.poll_end(cx)).await;
    }

    /// The response of an ended flight, or of one that has answered: the function's, or a refusal that says how it failed.
    fn taken_response(&mut self) -> Response<Body> {
        self.scope.slot.take().unwrap_or_else(|| refusal(&self.scope.slot, self.facts.id))
    }

    /// Moves to the busy lane and waits there for the response. The caller going away ends the flight, until there is a response.
    async fn response_from_busy_lane(mut self) -> Response<Body> {
        let (services, scope, id) = (self.services.clone(), self.scope.clone(), self.facts.id);
        let waited = scope.slot.wait();
        // The timer belongs to this lane's driver; the other lane sets its own.
        self.timer = None;
        let mut task = AbortOnDrop(Some(services.busy_lane.spawn(self.finish())));
        let response = waited.await.ok();
        task.0 = None;
        response.unwrap_or_else(|| refusal(&scope.slot, id))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.settled {
            let message = "the client went away before the response was complete".into();
            self.settle(Ended::Stopped(Fault { code: Code::E0511, message, backtrace: Vec::new() }));
        }
    }
}

/// Ends a task whose result nobody waits for any more.
struct AbortOnDrop<T>(Option<tokio::task::JoinHandle<T>>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// What the caller gets of a guest that gave no response.
fn refusal(slot: &Slot, id: InvocationId) -> Response<Body> {
    slot.failure().map_or_else(|| refuse::bare(Code::E0504, id), |failure| refuse::response(failure, id))
}

fn out_of_time(facts: &Facts) -> Ended {
    let allowed = Elapsed::from(facts.function.function.limits.time);
    let message = format!("the function ran out of time: {}", limits::time_allowed(allowed));
    Ended::Stopped(Fault { code: Code::E0502, message, backtrace: Vec::new() })
}

/// The start of an invocation that never got so far.
fn no_start() -> Start {
    Start { class: StartClass::Resident, queued: Elapsed::ZERO, loaded: Elapsed::ZERO, instantiated: Elapsed::ZERO }
}
