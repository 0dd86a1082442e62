//! The bytes behind JavaScript's Uint8Arrays. The prelude hands natives nothing else: `bytesOf` in `prelude/primordials.js` makes one of any buffer or view.

use rquickjs::TypedArray;

/// What an array holds; nothing if its buffer is detached. No JavaScript may run while the slice is held.
pub(crate) fn of<'a>(array: &'a TypedArray<'_, u8>) -> &'a [u8] {
    // SAFETY: natives call no JavaScript between this and the last use of the slice, so the buffer is neither moved nor detached.
    array.as_raw().map_or(&[], |raw| unsafe { &*raw.as_ptr().cast_const() })
}

/// The same, to write into.
pub(crate) fn of_mut<'a>(array: &'a mut TypedArray<'_, u8>) -> &'a mut [u8] {
    // SAFETY: as in `of`; and `array` is borrowed mutably, so no native holds another slice of it.
    array.as_raw().map_or(&mut [], |raw| unsafe { &mut *raw.as_ptr() })
}
