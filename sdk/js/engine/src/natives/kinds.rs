//! What QuickJS itself says of an object.

use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Function, Object, Promise, Result, Value, qjs};

use crate::natives::made::define;

/// `classOf(object)` is the number of its class, the same for all objects of a kind; `promiseResult(promise)` is `{ fulfilled, value }`, or undefined
/// while it is pending.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("classOf", Function::new(ctx.clone(), |value: Value<'_>| class_of(&value))?)?;
    native.set("promiseResult", Function::new(ctx.clone(), promise_result)?)
}

fn class_of(value: &Value<'_>) -> u32 {
    // SAFETY: it reads the number from the object's header, and gives 0 for what is no object.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}

fn promise_result<'js>(ctx: Ctx<'js>, promise: Promise<'js>) -> Result<Option<Object<'js>>> {
    let fulfilled = match promise.state() {
        PromiseState::Pending => return Ok(None),
        PromiseState::Resolved => true,
        PromiseState::Rejected => false,
    };
    // SAFETY: the promise is settled, so it has a result; the reference that is given belongs to us.
    let value = unsafe { Value::from_raw(ctx.clone(), qjs::JS_PromiseResult(ctx.as_raw().as_ptr(), promise.as_raw())) };
    let result = Object::new(ctx)?;
    define(&result, "fulfilled", fulfilled)?;
    define(&result, "value", value)?;
    Ok(Some(result))
}
