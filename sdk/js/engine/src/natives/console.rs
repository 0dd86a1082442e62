//! Log lines.

use rquickjs::{Ctx, Function, Object, Result};

use crate::host;

/// `log(level, line)`: level is `trace`, `debug`, `info`, `warn`, `error` or `critical`.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("log", Function::new(ctx.clone(), |level: String, line: String| host::log(&level, &line))?)
}
