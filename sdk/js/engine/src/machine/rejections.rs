//! Exceptions outside of any call that could catch them: promises rejected and not handled, and callbacks that throw.

use std::cell::{Cell, RefCell};

use rquickjs::{Ctx, Error, Exception, Persistent, Runtime, Value};

use super::thrown;
use crate::host;

/// Rejections that are remembered at once; of more, the first ones are reported.
const PENDING_MAX: usize = 64;

type Kept = Persistent<Value<'static>>;

thread_local! {
    /// Promises that are rejected and not yet handled, with their reasons.
    static PENDING: RefCell<Vec<(Kept, Kept)>> = const { RefCell::new(Vec::new()) };
    /// What a callback of the event loop threw.
    static UNCAUGHT: Cell<Option<Kept>> = const { Cell::new(None) };
}

/// Has the runtime tell of rejections.
pub(super) fn watch(runtime: &Runtime) {
    runtime.set_host_promise_rejection_tracker(Some(Box::new(|ctx, promise, reason, is_handled| {
        PENDING.with_borrow_mut(|pending| {
            let promise = Persistent::save(&ctx, promise);
            if is_handled {
                pending.retain(|(other, _)| *other != promise);
            } else if pending.len() < PENDING_MAX {
                pending.push((promise, Persistent::save(&ctx, reason)));
            }
        });
    })));
}

/// Reports what is still not handled, but for `awaited`, whose rejection ends the run. To be called when no job is left.
pub(super) fn report<'js>(ctx: &Ctx<'js>, awaited: &Value<'js>) {
    for (promise, reason) in PENDING.take() {
        let (Ok(promise), Ok(reason)) = (promise.restore(ctx), reason.restore(ctx)) else { continue };
        if promise != *awaited {
            host::unhandled_rejection(&thrown::describe(ctx, &reason));
        }
    }
}

/// Keeps what a callback threw, so that the invocation ends with it. False if it can't be caught.
pub(super) fn throw_later<'js>(ctx: &Ctx<'js>, error: Error) -> bool {
    let Some(value) = value_of(ctx, error) else { return false };
    let first = UNCAUGHT.take().unwrap_or_else(|| Persistent::save(ctx, value));
    UNCAUGHT.set(Some(first));
    true
}

/// What a callback threw, once.
pub(super) fn take_uncaught() -> Option<Kept> {
    UNCAUGHT.take()
}

/// The value that an error carries. `None` if it can't be caught; it is then still pending in the context.
pub(super) fn value_of<'js>(ctx: &Ctx<'js>, error: Error) -> Option<Value<'js>> {
    if !matches!(error, Error::Exception) {
        // An error of the bridge: a native was called with the wrong arguments, say.
        return Exception::from_message(ctx.clone(), &error.to_string())
            .ok()
            .map(|exception| exception.into_object().into_value());
    }
    let value = ctx.catch();
    if thrown::is_catchable(&value) {
        return Some(value);
    }
    let _ = ctx.throw(value);
    None
}
