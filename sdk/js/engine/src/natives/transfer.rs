//! Bytes and text on their way between JavaScript and the host.

use std::slice;

use rquickjs::{Ctx, Error, Exception, Result, Value, qjs};

/// Gives the bytes of a string (as UTF-8), a typed array or an `ArrayBuffer` to `look`, copying only strings that are not ASCII.
///
/// `look` must not run JavaScript: it could change the bytes.
pub(crate) fn with_bytes<'js, R>(ctx: &Ctx<'js>, value: &Value<'js>, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
    if value.is_string() {
        return with_text(ctx, value, look);
    }
    let context = ctx.as_raw().as_ptr();
    // SAFETY: the value keeps its buffer alive while `look` runs, and nothing else runs meanwhile.
    unsafe {
        let mut length = 0;
        if qjs::JS_IsArrayBuffer(value.as_raw()) {
            let start = qjs::JS_GetArrayBuffer(context, &mut length, value.as_raw());
            return Ok(look(view(ctx, start, 0, length as usize)));
        }
        if qjs::JS_GetTypedArrayType(value.as_raw()) < 0 {
            return Err(Exception::throw_type(ctx, "this takes a string, an ArrayBuffer or a typed array"));
        }
        let (mut offset, mut bytes, mut width) = (0, 0, 0);
        let buffer = qjs::JS_GetTypedArrayBuffer(context, value.as_raw(), &mut offset, &mut bytes, &mut width);
        if qjs::JS_IsException(buffer) {
            return Err(Error::Exception);
        }
        let buffer = Value::from_raw(ctx.clone(), buffer);
        let start = qjs::JS_GetArrayBuffer(context, &mut length, buffer.as_raw());
        Ok(look(view(ctx, start, offset as usize, bytes as usize)))
    }
}

/// # Safety
///
/// `start` is null or begins a buffer of at least `offset + length` bytes.
unsafe fn view<'a>(ctx: &Ctx<'_>, start: *const u8, offset: usize, length: usize) -> &'a [u8] {
    if start.is_null() {
        // A detached buffer has no bytes, and an exception is pending; an empty one may have no address.
        drop(ctx.catch());
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { slice::from_raw_parts(start.add(offset), length) }
}

fn with_text<'js, R>(ctx: &Ctx<'js>, value: &Value<'js>, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
    let context = ctx.as_raw().as_ptr();
    // SAFETY: the text lives until it is freed.
    unsafe {
        let mut length = 0;
        let start = qjs::JS_ToCStringLen(context, &mut length, value.as_raw());
        if start.is_null() {
            return Err(Error::Exception);
        }
        let looked = look(slice::from_raw_parts(start.cast::<u8>(), length));
        qjs::JS_FreeCString(context, start);
        Ok(looked)
    }
}

/// A new `Uint8Array` of these bytes.
pub(crate) fn uint8_array<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    // SAFETY: the bytes are copied; the value is ours.
    unsafe {
        let value = qjs::JS_NewUint8ArrayCopy(ctx.as_raw().as_ptr(), bytes.as_ptr(), bytes.len() as _);
        if qjs::JS_IsException(value) { Err(Error::Exception) } else { Ok(Value::from_raw(ctx.clone(), value)) }
    }
}

/// The text of UTF-8, with U+FFFD for what is none.
pub(crate) fn text<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    Ok(rquickjs::String::from_str(ctx.clone(), &text)?.into_value())
}

/// A header's value as the web shows it: each byte a character.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of a header's value. `None` if a character is no byte.
pub(crate) fn from_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
