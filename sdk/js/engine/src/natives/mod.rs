//! What Rust gives the prelude: the properties of the object that is the default export of `dayfly:native`.
//!
//! One file a topic, each with an `install`. A native is a plain function; one that has to wait gives a promise (`machine::events`).

mod base64;
mod bodies;
pub(crate) mod bytes;
mod clock;
mod compression;
mod console;
mod crypto;
mod encoding;
mod evaluate;
mod gzip;
pub(crate) mod handles;
mod http;
mod kinds;
pub(crate) mod made;
mod opaque;
mod packed;
mod script;
mod services;
pub(crate) mod text;
mod timers;
pub(crate) mod transfer;
mod url;
mod url_pattern;

use rquickjs::{Ctx, Object, Result};

pub(crate) use script::reseed;

/// Makes the object.
pub(crate) fn install<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    console::install(ctx, &native)?;
    timers::install(ctx, &native)?;
    http::install(ctx, &native)?;
    bodies::install(ctx, &native)?;
    script::install(ctx, &native)?;
    clock::install(ctx, &native)?;
    kinds::install(ctx, &native)?;
    base64::install(ctx, &native)?;
    encoding::install(ctx, &native)?;
    url::install(ctx, &native)?;
    url_pattern::install(ctx, &native)?;
    crypto::install(ctx, &native)?;
    compression::install(ctx, &native)?;
    services::install(ctx, &native)?;
    evaluate::install(ctx, &native)?;
    Ok(native)
}
