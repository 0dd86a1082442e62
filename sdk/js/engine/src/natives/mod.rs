//! What Rust gives the prelude: the properties of the object that is the default export of `dayfly:native`.
//!
//! One file a topic, each with an `install`. A native is a plain function; one that has to wait gives a promise (`machine::events`).

mod console;
pub(crate) mod handles;
mod http;
mod script;
mod timers;
pub(crate) mod transfer;

use rquickjs::{Ctx, Object, Result};

/// Makes the object.
pub(crate) fn install<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    console::install(ctx, &native)?;
    timers::install(ctx, &native)?;
    http::install(ctx, &native)?;
    script::install(ctx, &native)?;
    Ok(native)
}
