// CryptoKey: what a script may know of a key, and the key itself, which only the prelude sees.
import { inspectAs } from "dayfly:inspect";
import { cloneAs } from "dayfly:structured-clone";
import { domException } from "dayfly:dom-exception";
import {
  ArrayPrototypeIncludes, ArrayPrototypeSlice, ObjectAssign, TypeError, TypedArrayPrototypeSlice, append, defineInterface, nullObject, toDOMString,
} from "dayfly:primordials";

const MADE = nullObject();

let partsOf, isKey;

export class CryptoKey {
  /// `{ type, extractable, algorithm, usages, material }`. The material is the bytes of a secret, or a handle of Rust's.
  #parts;
  // What was shown once is shown again: the same object, whatever the script did to it.
  #algorithm = undefined;
  #usages = undefined;

  static {
    partsOf = (key) => key.#parts;
    isKey = (value) => value !== null && typeof value === "object" && #parts in value;
  }

  constructor(made, parts) {
    if (made !== MADE) throw new TypeError("CryptoKey can't be constructed: use crypto.subtle.importKey or generateKey");
    this.#parts = parts;
  }

  get type() { return this.#parts.type; }
  get extractable() { return this.#parts.extractable; }
  get algorithm() { return (this.#algorithm ??= publicAlgorithm(this.#parts.algorithm)); }
  get usages() { return (this.#usages ??= ArrayPrototypeSlice(this.#parts.usages)); }
}

const publicAlgorithm = (algorithm) => {
  const shown = ObjectAssign({}, algorithm);
  if (shown.hash !== undefined) shown.hash = { name: shown.hash };
  if (shown.publicExponent !== undefined) shown.publicExponent = TypedArrayPrototypeSlice(shown.publicExponent);
  return shown;
};

/// Makes a key. `algorithm` is what scripts see of it, with the name of its hash.
export const makeKey = (type, algorithm, extractable, usages, material) => new CryptoKey(MADE, { __proto__: null, type, extractable, algorithm, usages, material });

/// Whether a value is a key.
export const isCryptoKey = isKey;

/// The inside of a key that a caller gave.
export const insideOf = (key) => {
  if (!isKey(key)) throw new TypeError("the key is no CryptoKey");
  return partsOf(key);
};

/// The inside of a key that is to be used in a way: it has to be one of the algorithm, and made for that use.
export const keyFor = (key, algorithm, usage) => {
  const inside = insideOf(key);
  if (inside.algorithm.name !== algorithm.name) throw domException("InvalidAccessError", `the key is one of ${inside.algorithm.name} and not of ${algorithm.name}`);
  if (!ArrayPrototypeIncludes(inside.usages, usage)) throw domException("InvalidAccessError", `the key was not made to ${usage}`);
  return inside;
};

const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

/// The list of usages that a caller gave, each once and in the standard's order.
export const usagesOf = (given) => {
  if (given === null || typeof given !== "object") throw new TypeError("the usages are no list");
  const named = [];
  for (const item of given) {
    const usage = toDOMString(item);
    if (!ArrayPrototypeIncludes(USAGES, usage)) throw new TypeError(`there is no usage "${usage}"`);
    append(named, usage);
  }
  return only(USAGES, named);
};

/// What is in both lists, in the order of the first.
export const only = (list, allowed) => {
  const kept = [];
  for (let i = 0; i < list.length; i++) if (ArrayPrototypeIncludes(allowed, list[i])) append(kept, list[i]);
  return kept;
};

/// Throws if a key can't be used so.
export const checkUsages = (usages, allowed, algorithm) => {
  for (let i = 0; i < usages.length; i++) {
    if (!ArrayPrototypeIncludes(allowed, usages[i])) throw domException("SyntaxError", `a key of ${algorithm.name} can't ${usages[i]}`);
  }
};

inspectAs(CryptoKey, (key) => {
  const { type, extractable, algorithm, usages } = partsOf(key);
  return nullObject({ type, extractable, algorithm: publicAlgorithm(algorithm), usages });
});
cloneAs(CryptoKey, (key) => new CryptoKey(MADE, partsOf(key)));
defineInterface(CryptoKey);
