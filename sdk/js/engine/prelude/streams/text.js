// TextEncoderStream and TextDecoderStream: text and bytes that come in pieces.
import { StringPrototypeCharCodeAt, StringPrototypeSlice, TypeError, bytesOf, defineInterface, uncurryThis } from "dayfly:primordials";
import { TextDecoder, encodeUtf8 } from "dayfly:encoding";
import { makeTransform } from "dayfly:streams/transform";

const isHigh = (unit) => unit >= 0xd800 && unit <= 0xdbff;

export class TextEncoderStream {
  #ends;

  constructor() {
    // The first half of a pair whose second half is in the next chunk.
    let half = "";
    this.#ends = makeTransform((chunk, enqueue) => {
      let text = half + (typeof chunk === "string" ? chunk : `${chunk}`);
      half = "";
      if (text.length > 0 && isHigh(StringPrototypeCharCodeAt(text, text.length - 1))) {
        half = StringPrototypeSlice(text, -1);
        text = StringPrototypeSlice(text, 0, -1);
      }
      if (text.length > 0) enqueue(encodeUtf8(text));
    }, (enqueue) => {
      if (half !== "") enqueue(encodeUtf8("\ufffd"));
    });
  }

  get encoding() { return this.#ends && "utf-8"; }
  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

export class TextDecoderStream {
  #decoder;
  #ends;

  constructor(label = "utf-8", options = undefined) {
    const decoder = new TextDecoder(label, options);
    this.#decoder = decoder;
    this.#ends = makeTransform((chunk, enqueue) => {
      const bytes = bytesOf(chunk);
      if (bytes === undefined) throw new TypeError("TextDecoderStream: a chunk is an ArrayBuffer or a view of one");
      const text = decodeWith(decoder, bytes, MORE);
      if (text !== "") enqueue(text);
    }, (enqueue) => {
      const text = decodeWith(decoder, undefined, undefined);
      if (text !== "") enqueue(text);
    });
  }

  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

const MORE = { stream: true };
const decodeWith = uncurryThis(TextDecoder.prototype.decode);

defineInterface(TextEncoderStream);
defineInterface(TextDecoderStream);
