//! The event loop: jobs until none is left, then what waits for the host.
//!
//! A native that has to wait gives [`until_ready`] a closure. It is asked at once, and again whenever its pollable is ready, until it
//! has a value: then its promise is settled, and the jobs that follow from it run before the next.

use std::cell::{Cell, RefCell};

use rquickjs::{Ctx, Function, IntoJs, Persistent, Promise, Result, Value, promise::PromiseState, qjs};

use super::{rejections, timers};
use crate::host::{self, Pollable};

/// Whose a wait is: all waits of a thing are forgotten with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u32);

impl Owner {
    /// Another than all before.
    pub(crate) fn new() -> Self {
        Self(next_id())
    }
}

/// What a closure has come to.
pub(crate) enum Step<'js> {
    /// The value of the promise.
    Ready(Value<'js>),
    /// Ask again when this is ready.
    Wait(Pollable),
}

/// A native's way to its value. An error is what its promise is rejected with.
type Stepper = Box<dyn for<'js> FnMut(&Ctx<'js>) -> Result<Step<'js>>>;

/// How a run of the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The promise is settled.
    Settled,
    /// It is pending, and nothing is left that could change that.
    Stuck,
    /// The time was up, or memory: what can't be caught was thrown, and is pending in the context.
    Stopped,
}

struct Wait {
    id: u32,
    owner: Owner,
    pollable: Pollable,
    step: Stepper,
    resolve: Persistent<Function<'static>>,
    reject: Persistent<Function<'static>>,
}

thread_local! {
    static WAITS: RefCell<Vec<Wait>> = const { RefCell::new(Vec::new()) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
}

fn next_id() -> u32 {
    let id = LAST_ID.get().wrapping_add(1);
    LAST_ID.set(id);
    id
}

/// The value if there is one at once, else a promise of it.
pub(crate) fn until_ready<'js, F>(ctx: &Ctx<'js>, owner: Owner, step: F) -> Result<Value<'js>>
where
    F: for<'a> FnMut(&Ctx<'a>) -> Result<Step<'a>> + 'static,
{
    let mut step: Stepper = Box::new(step);
    match step(ctx)? {
        Step::Ready(value) => Ok(value),
        Step::Wait(pollable) => {
            let (promise, resolve, reject) = Promise::new(ctx)?;
            let (resolve, reject) = (Persistent::save(ctx, resolve), Persistent::save(ctx, reject));
            WAITS.with_borrow_mut(|waits| waits.push(Wait { id: next_id(), owner, pollable, step, resolve, reject }));
            Ok(promise.into_value())
        }
    }
}

/// Forgets an owner's waits; their promises stay pending. To be called before what the pollables belong to is dropped.
pub(crate) fn cancel(owner: Owner) {
    let cancelled: Vec<Wait> = WAITS.with_borrow_mut(|waits| waits.extract_if(.., |wait| wait.owner == owner).collect());
    drop(cancelled);
}

/// Runs until the promise is settled, or nothing is left to run.
pub(crate) fn run<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Ended {
    loop {
        if !run_jobs(ctx) {
            return Ended::Stopped;
        }
        rejections::report(ctx, promise.as_value());
        if promise.state() != PromiseState::Pending {
            return Ended::Settled;
        }
        match turn(ctx) {
            Turn::Ran => {}
            Turn::Nothing => return Ended::Stuck,
            Turn::Stopped => return Ended::Stopped,
        }
    }
}

/// Runs what is ready without waiting, for an invocation that waits for nothing: microtasks, and what is told of rejections.
pub(crate) fn run_ready(ctx: &Ctx<'_>) -> Ended {
    if !run_jobs(ctx) {
        return Ended::Stopped;
    }
    rejections::report(ctx, &Value::new_undefined(ctx.clone()));
    Ended::Settled
}

enum Turn {
    Ran,
    Nothing,
    Stopped,
}

/// One timer, or everything that the host says is ready.
fn turn(ctx: &Ctx<'_>) -> Turn {
    let ready = match wait() {
        None => return Turn::Nothing,
        Some(ready) => ready,
    };
    for id in ready {
        if !advance(ctx, id) || !run_jobs(ctx) {
            return Turn::Stopped;
        }
    }
    if let Some(callback) = timers::take_due() {
        let called = callback.restore(ctx).and_then(|callback| callback.call::<_, ()>(()));
        if let Err(error) = called
            && !rejections::throw_later(ctx, error)
        {
            return Turn::Stopped;
        }
    }
    Turn::Ran
}

/// Waits until something is ready, and gives the ids of the waits that are. `None` if nothing is awaited.
fn wait() -> Option<Vec<u32>> {
    let deadline_ns = timers::next_deadline_ns();
    let (is_due, is_idle) = (timers::is_due(), WAITS.with_borrow(Vec::is_empty));
    match (deadline_ns, is_idle) {
        (None, true) => return None,
        (Some(_), true) if is_due => return Some(Vec::new()),
        _ => {}
    }
    // A timer that is due still lets what is ready go first, so that timers alone cannot starve the rest.
    let timer = deadline_ns.map(|deadline_ns| Pollable::at(if is_due { 0 } else { deadline_ns }));
    let (ready, is_timer) = WAITS.with_borrow(|waits| {
        let pollables: Vec<&Pollable> = waits.iter().map(|wait| &wait.pollable).chain(&timer).collect();
        let indexes = host::poll(&pollables);
        let is_timer = indexes.contains(&waits.len());
        (indexes.into_iter().filter_map(|index| waits.get(index).map(|wait| wait.id)).collect(), is_timer)
    });
    if !is_due {
        timers::waited(if is_timer { deadline_ns } else { None });
    }
    Some(ready)
}

/// Asks the closure again. False if it was stopped.
fn advance(ctx: &Ctx<'_>, id: u32) -> bool {
    let taken = WAITS.with_borrow_mut(|waits| {
        let index = waits.iter().position(|wait| wait.id == id)?;
        Some(waits.remove(index))
    });
    // Another that was ready at the same time may have cancelled it.
    let Some(Wait { pollable, owner, mut step, resolve, reject, .. }) = taken else { return true };
    // It belongs to what the closure may drop.
    #[allow(clippy::drop_non_drop, reason = "natively it is only a number")]
    drop(pollable);
    let settled = match step(ctx) {
        Ok(Step::Wait(pollable)) => {
            WAITS.with_borrow_mut(|waits| waits.push(Wait { id, owner, pollable, step, resolve, reject }));
            return true;
        }
        Ok(Step::Ready(value)) => call(ctx, resolve, value),
        Err(error) => match rejections::value_of(ctx, error) {
            Some(value) => call(ctx, reject, value),
            None => return false,
        },
    };
    settled.is_ok()
}

fn call<'js>(ctx: &Ctx<'js>, function: Persistent<Function<'static>>, value: Value<'js>) -> Result<()> {
    function.restore(ctx)?.call((value.into_js(ctx)?,))
}

/// Runs all jobs. False if one threw what can't be caught, which is then pending in the context.
fn run_jobs(ctx: &Ctx<'_>) -> bool {
    let context = ctx.as_raw().as_ptr();
    // SAFETY: the context is alive, its runtime is locked by whoever gave us `ctx`, and jobs run on this same stack.
    unsafe {
        let runtime = qjs::JS_GetRuntime(context);
        let mut ran_in = context;
        loop {
            match qjs::JS_ExecutePendingJob(runtime, &mut ran_in) {
                0 => return true,
                code if code < 0 => return false,
                _ => {}
            }
        }
    }
}
