//! The monotonic clock.

use rquickjs::{Ctx, Function, Object, Result};

use crate::host;
use crate::machine::phase::{self, Phase};

/// `monotonicMs()`: milliseconds, with a fraction. Before an invocation the clock stands at 0.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("monotonicMs", Function::new(ctx.clone(), monotonic_ms)?)
}

#[expect(clippy::cast_precision_loss, reason = "a double holds nanoseconds of a hundred days exactly")]
fn monotonic_ms() -> f64 {
    if phase::current() == Phase::Serve { host::monotonic_ns() as f64 / 1e6 } else { 0.0 }
}
