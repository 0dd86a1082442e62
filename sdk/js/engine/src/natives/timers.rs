//! Timers, as far as the event loop has to know of them.

use rquickjs::{Ctx, Function, Object, Result};

use crate::machine::{phase, timers};

/// `timerStart(milliseconds, callback)` gives an id and calls once, in a turn of its own; `timerStop(id)` forgets it.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("timerStart", Function::new(ctx.clone(), start)?)?;
    native.set("timerStop", Function::new(ctx.clone(), timers::stop)?)
}

fn start<'js>(ctx: Ctx<'js>, milliseconds: f64, callback: Function<'js>) -> Result<u32> {
    phase::only_when_serving(&ctx, "a timer")?;
    Ok(timers::start(&ctx, milliseconds, callback))
}
