// crypto: random values, which come from the host and are refused at deploy, and crypto.subtle.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { subtle } from "dayfly:crypto/subtle";
import {
  StringPrototypeSlice, TypeError, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array, Uint8ArrayPrototypeToHex, bytesOf, defineGlobal, defineInterface,
  nullObject, requireArguments,
} from "dayfly:primordials";

const MADE = nullObject();

/// The most that is asked for at once.
const RANDOM_BYTES_MAX = 65_536;

const isIntegers = (tag) => tag !== undefined && tag !== "Float16Array" && tag !== "Float32Array" && tag !== "Float64Array";

export class Crypto {
  /// Tells its own objects from others.
  #subtle = subtle;

  constructor(made) {
    if (made !== MADE) throw new TypeError("Crypto can't be constructed: use crypto");
  }

  get subtle() { return this.#subtle; }

  getRandomValues(array) {
    this.#subtle;
    requireArguments(arguments.length, 1, "Crypto.getRandomValues");
    const tag = TypedArrayPrototypeGetSymbolToStringTag(array);
    if (tag === undefined && bytesOf(array) === undefined) throw new TypeError("getRandomValues: this is no typed array");
    if (!isIntegers(tag)) throw domException("TypeMismatchError", "getRandomValues: this is no typed array of integers");
    const bytes = bytesOf(array);
    if (bytes.length > RANDOM_BYTES_MAX) throw domException("QuotaExceededError", `getRandomValues: ${bytes.length} bytes are more than ${RANDOM_BYTES_MAX}`);
    native.randomFill(bytes);
    return array;
  }

  randomUUID() {
    this.#subtle;
    const bytes = new Uint8Array(16);
    native.randomFill(bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const text = Uint8ArrayPrototypeToHex(bytes);
    const part = (from, to) => StringPrototypeSlice(text, from, to);
    return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`;
  }
}

defineInterface(Crypto);
defineGlobal("crypto", new Crypto(MADE));
