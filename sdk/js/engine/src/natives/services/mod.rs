//! Natives of the granted resources. Each takes the resource's name in the manifest; what it opens stays open until the invocation ends.
//!
//! They answer at once, as the platform's services do. A failure is thrown as the list `[code, message, oldest?]`, of which the prelude
//! makes its error. `prelude/service.js` and its neighbours are the only callers, and give what the signatures here ask for.

mod bucket;
mod kv;
mod messages;
mod sql;
mod values;

use data_encoding::BASE64;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use crate::{host::services::config, machine::phase};
use values::told;

pub(super) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    kv::install(ctx, native)?;
    sql::install(ctx, native)?;
    bucket::install(ctx, native)?;
    messages::install(ctx, native)?;
    native.set("configGet", Function::new(ctx.clone(), config_get)?)?;
    native.set("base64Bytes", Function::new(ctx.clone(), base64_bytes)?)
}

/// `configGet(name)`: a setting or a granted secret, or null.
fn config_get<'js>(ctx: Ctx<'js>, name: String) -> Result<Option<String>> {
    phase::only_when_serving(&ctx, "env")?;
    told(&ctx, config::get(&name))
}

/// `base64Bytes(text)`: a `Uint8Array`.
fn base64_bytes<'js>(ctx: Ctx<'js>, text: String) -> Result<Value<'js>> {
    let decoded = BASE64.decode(text.as_bytes()).map_err(|_| Exception::throw_type(&ctx, "the text is not base 64"))?;
    values::bytes(&ctx, decoded)
}
