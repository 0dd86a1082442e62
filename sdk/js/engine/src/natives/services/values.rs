//! Values on their way between JavaScript and the services.

use rquickjs::{Array, Ctx, Error, FromJs, IntoJs, Result, TypedArray, Value};

use crate::host::services::{Answer, Failed};

/// Bytes that JavaScript gave, as a string or a `Uint8Array`.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'js> FromJs<'js> for Bytes {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        if value.is_string() {
            return Ok(Self(String::from_js(ctx, value)?.into_bytes()));
        }
        let array = TypedArray::<u8>::from_js(ctx, value)?;
        // SAFETY: the bytes are copied before JavaScript runs again.
        match unsafe { array.as_bytes() } {
            Some(bytes) => Ok(Self(bytes.to_vec())),
            None => Err(rquickjs::Exception::throw_type(ctx, "the bytes were given away: their buffer is detached")),
        }
    }
}

/// A `Uint8Array` of these bytes.
pub(super) fn bytes<'js>(ctx: &Ctx<'js>, bytes: Vec<u8>) -> Result<Value<'js>> {
    Ok(TypedArray::<u8>::new(ctx.clone(), bytes)?.into_value())
}

/// A string if text is wanted, what is not UTF-8 in it replaced; else bytes.
pub(super) fn text_or_bytes<'js>(ctx: &Ctx<'js>, value: Vec<u8>, is_text: bool) -> Result<Value<'js>> {
    if is_text { String::from_utf8_lossy(&value).as_ref().into_js(ctx) } else { bytes(ctx, value) }
}

/// null, or what `make` makes of the value.
pub(super) fn or_null<'js, T>(
    ctx: &Ctx<'js>,
    value: Option<T>,
    make: impl FnOnce(T) -> Result<Value<'js>>,
) -> Result<Value<'js>> {
    value.map_or_else(|| Ok(Value::new_null(ctx.clone())), make)
}

/// A number, as all numbers that count something fit into one.
pub(super) fn number<'js>(ctx: &Ctx<'js>, value: u64) -> Value<'js> {
    Value::new_number(ctx.clone(), value as f64)
}

/// A list of what `make` makes of each.
pub(super) fn list<'js, T>(
    ctx: &Ctx<'js>,
    items: impl IntoIterator<Item = T>,
    mut make: impl FnMut(T) -> Result<Value<'js>>,
) -> Result<Value<'js>> {
    let array = Array::new(ctx.clone())?;
    for (index, item) in items.into_iter().enumerate() {
        array.set(index, make(item)?)?;
    }
    Ok(array.into_value())
}

/// What a service gave; its failure is thrown.
pub(super) fn told<T>(ctx: &Ctx<'_>, answer: Answer<T>) -> Result<T> {
    answer.map_err(|failed| throw(ctx, failed).unwrap_or_else(|error| error))
}

fn throw(ctx: &Ctx<'_>, Failed { code, message, oldest }: Failed) -> Result<Error> {
    let array = Array::new(ctx.clone())?;
    array.set(0, code)?;
    array.set(1, message)?;
    if let Some(oldest) = oldest {
        array.set(2, number(ctx, oldest))?;
    }
    Ok(ctx.throw(array.into_value()))
}
