//! Text as bytes: UTF-8 in and out, and the WHATWG's other encodings in.

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding};
use rquickjs::{Class, Ctx, Function, Object, Result, String as JsString, TypedArray};

use crate::natives::{bytes, made::List, opaque::opaque, text};

/// What a `TextDecoder` holds between two calls.
struct State {
    decoder: Decoder,
    mode: Mode,
}

/// How a `TextDecoder` was made.
#[derive(Clone, Copy)]
struct Mode {
    encoding: &'static Encoding,
    fatal: bool,
    keeps_mark: bool,
}

/// `encodeUtf8(text)`; `encodeInto(text, bytes)` gives `[read, written]`; `encodingName(label)` or undefined; `decodeUtf8(bytes, fatal, keepsMark)`;
/// `decoder(name, fatal, keepsMark)` gives a state for `decode(state, bytes, isLast)`. What `fatal` refuses is undefined.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("encodeUtf8", Function::new(ctx.clone(), encode_utf8)?)?;
    native.set("encodeInto", Function::new(ctx.clone(), encode_into)?)?;
    native.set("encodingName", Function::new(ctx.clone(), encoding_name)?)?;
    native.set("decodeUtf8", Function::new(ctx.clone(), decode_utf8)?)?;
    native.set("decoder", Function::new(ctx.clone(), decoder)?)?;
    native.set("decode", Function::new(ctx.clone(), decode)?)
}

fn encode_utf8<'js>(ctx: Ctx<'js>, data: JsString<'js>) -> Result<TypedArray<'js, u8>> {
    text::with_utf8(&data, |utf8| TypedArray::new_copy(ctx, utf8))?
}

/// Writes whole characters only; what was read is counted in UTF-16 units.
fn encode_into<'js>(ctx: Ctx<'js>, data: JsString<'js>, mut target: TypedArray<'js, u8>) -> Result<List<'js>> {
    text::with_utf8(&data, |utf8| {
        let into = bytes::of_mut(&mut target);
        let mut end = utf8.len().min(into.len());
        while end < utf8.len() && utf8[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        into[..end].copy_from_slice(&utf8[..end]);
        List::new(&ctx)?.with(utf16_units(&utf8[..end]))?.with(end)
    })?
}

fn utf16_units(utf8: &[u8]) -> usize {
    utf8.iter().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(*byte >= 0xF0)).sum()
}

/// The name by which JavaScript knows an encoding, of any of its labels.
fn encoding_name(label: String) -> Option<String> {
    Encoding::for_label_no_replacement(label.as_bytes()).map(|encoding| encoding.name().to_ascii_lowercase())
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

fn decode_utf8<'js>(ctx: Ctx<'js>, data: TypedArray<'js, u8>, fatal: bool, keeps_mark: bool) -> Result<Option<JsString<'js>>> {
    let mut data = bytes::of(&data);
    if !keeps_mark {
        data = data.strip_prefix(MARK).unwrap_or(data);
    }
    match std::str::from_utf8(data) {
        Ok(valid) => JsString::from_str(ctx, valid).map(Some),
        Err(_) if fatal => Ok(None),
        Err(_) => JsString::from_str(ctx, &String::from_utf8_lossy(data)).map(Some),
    }
}

fn decoder<'js>(ctx: Ctx<'js>, name: String, fatal: bool, keeps_mark: bool) -> Result<Option<Class<'js, State>>> {
    let mode = Encoding::for_label(name.as_bytes()).map(|encoding| Mode { encoding, fatal, keeps_mark });
    mode.map(|mode| Class::instance(ctx, State { decoder: mode.decoder(), mode })).transpose()
}

fn decode<'js>(
    ctx: Ctx<'js>,
    state: Class<'js, State>,
    data: TypedArray<'js, u8>,
    is_last: bool,
) -> Result<Option<JsString<'js>>> {
    let decoded = state.borrow_mut().decode(bytes::of(&data), is_last);
    decoded.map(|text| JsString::from_str(ctx, &text)).transpose()
}

impl Mode {
    fn decoder(self) -> Decoder {
        if self.keeps_mark {
            self.encoding.new_decoder_without_bom_handling()
        } else {
            self.encoding.new_decoder_with_bom_removal()
        }
    }
}

impl State {
    /// The text of the next bytes; none if they are refused. After the last ones, and after a refusal, it begins anew.
    fn decode(&mut self, data: &[u8], is_last: bool) -> Option<String> {
        let decoded = if self.mode.fatal { self.decode_strictly(data, is_last) } else { self.decode_leniently(data, is_last) };
        if is_last || decoded.is_none() {
            self.decoder = self.mode.decoder();
        }
        decoded
    }

    fn decode_leniently(&mut self, data: &[u8], is_last: bool) -> Option<String> {
        let mut text = String::with_capacity(self.decoder.max_utf8_buffer_length(data.len())?);
        let (result, _, _) = self.decoder.decode_to_string(data, &mut text, is_last);
        assert_eq!(result, CoderResult::InputEmpty, "the capacity is what the decoder asked for");
        Some(text)
    }

    fn decode_strictly(&mut self, data: &[u8], is_last: bool) -> Option<String> {
        let mut text = String::with_capacity(self.decoder.max_utf8_buffer_length_without_replacement(data.len())?);
        let (result, _) = self.decoder.decode_to_string_without_replacement(data, &mut text, is_last);
        matches!(result, DecoderResult::InputEmpty).then_some(text)
    }
}

opaque!(State, "DecoderState", rquickjs::class::Writable);

#[cfg(test)]
mod tests {
    use super::{Mode, State, utf16_units};
    use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, UTF_16LE};

    fn state(encoding: &'static Encoding, fatal: bool) -> State {
        let mode = Mode { encoding, fatal, keeps_mark: false };
        State { decoder: mode.decoder(), mode }
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let mut utf8 = state(UTF_8, true);
        assert_eq!(utf8.decode(b"\xF0\x9F", false).as_deref(), Some(""));
        assert_eq!(utf8.decode(b"\x98\x80!", true).as_deref(), Some("😀!"));
        let mut utf16 = state(UTF_16LE, true);
        assert_eq!(utf16.decode(b"a", false).as_deref(), Some(""));
        assert_eq!(utf16.decode(b"\0", true).as_deref(), Some("a"));
    }

    #[test]
    fn what_ends_in_the_middle_is_refused_or_replaced_and_forgotten() {
        let mut strict = state(UTF_8, true);
        assert_eq!(strict.decode(b"\xF0\x9F", true), None);
        assert_eq!(strict.decode(b"a", true).as_deref(), Some("a"));
        let mut lenient = state(SHIFT_JIS, false);
        assert_eq!(lenient.decode(b"a\x81", true).as_deref(), Some("a\u{FFFD}"));
        assert_eq!(lenient.decode(b"\x83\x41", true).as_deref(), Some("ア"));
    }

    #[test]
    fn a_read_count_is_in_utf_16_units() {
        assert_eq!(utf16_units("aé€😀".as_bytes()), 5);
    }
}
