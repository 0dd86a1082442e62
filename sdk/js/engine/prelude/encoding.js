// TextEncoder and TextDecoder.
import native from "dayfly:native";
import {
  RangeError, TypeError, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array, bytesOf, defineInterface, requireArguments, toDOMString,
} from "dayfly:primordials";

/// A string's UTF-8, halves of surrogate pairs replaced.
export const encodeUtf8 = (text) => native.encodeUtf8(text);
/// The text of UTF-8 bytes, without a mark in front, what is none replaced: what bodies' `text()` gives.
export const decodeUtf8 = (bytes) => native.decodeUtf8(bytes, false, false);

export class TextEncoder {
  #encoding = "utf-8";

  get encoding() { return this.#encoding; }

  encode(input = "") {
    return native.encodeUtf8(toDOMString(input));
  }

  encodeInto(source, destination) {
    requireArguments(arguments.length, 2, "TextEncoder.encodeInto");
    const text = toDOMString(source);
    if (TypedArrayPrototypeGetSymbolToStringTag(destination) !== "Uint8Array") throw new TypeError("TextEncoder.encodeInto: the destination is no Uint8Array");
    const counts = native.encodeInto(text, destination);
    return { read: counts[0], written: counts[1] };
  }
}

const NOTHING = new Uint8Array(0);

export class TextDecoder {
  #encoding;
  #fatal = false;
  #ignoreBOM = false;
  /// Of the Rust decoder; UTF-8 that comes in one piece needs none.
  #state = undefined;
  #isStreaming = false;

  constructor(label = "utf-8", options = undefined) {
    const text = toDOMString(label);
    this.#encoding = text === "utf-8" ? text : native.encodingName(text);
    if (this.#encoding === undefined) throw new RangeError(`TextDecoder: there is no encoding "${text}"`);
    if (options === undefined || options === null) return;
    if (typeof options !== "object" && typeof options !== "function") throw new TypeError("TextDecoder: the options are no object");
    this.#fatal = !!options.fatal;
    this.#ignoreBOM = !!options.ignoreBOM;
  }

  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(input = undefined, options = undefined) {
    const bytes = input === undefined ? NOTHING : bytesOf(input);
    if (bytes === undefined) throw new TypeError("TextDecoder.decode: the input is no ArrayBuffer or view of one");
    const stream = !!options?.stream;
    const text = this.#encoding === "utf-8" && !stream && !this.#isStreaming ? native.decodeUtf8(bytes, this.#fatal, this.#ignoreBOM) : this.#decodeNext(bytes, stream);
    if (text === undefined) throw new TypeError(`TextDecoder.decode: the bytes are no ${this.#encoding}`);
    return text;
  }

  #decodeNext(bytes, stream) {
    this.#state ??= native.decoder(this.#encoding, this.#fatal, this.#ignoreBOM);
    this.#isStreaming = stream;
    return native.decode(this.#state, bytes, !stream);
  }
}

defineInterface(TextEncoder);
defineInterface(TextDecoder);
