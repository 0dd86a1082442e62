//! Code that comes with a request: `dayfly eval`.

use rquickjs::{Ctx, Function, Object, Result, Value, context::EvalOptions};

use crate::machine::phase;

/// `evaluate(code)`: a promise of `{ value }`, the value of its last statement. It may `await` at its top. What does not parse throws at once.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("evaluate", Function::new(ctx.clone(), evaluate)?)
}

fn evaluate<'js>(ctx: Ctx<'js>, code: String) -> Result<Value<'js>> {
    phase::only_when_serving(&ctx, "eval")?;
    let mut options = EvalOptions::default();
    options.global = true;
    options.strict = false;
    options.promise = true;
    options.filename = Some("eval".to_owned());
    ctx.eval_with_options(code, options)
}
