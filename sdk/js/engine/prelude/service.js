// What the services of `env` share: their error, and what becomes of keys, values and options.
import {
  ArrayFrom, ArrayIsArray, ArrayPrototypeJoin, Error, JSONParse, JSONStringify, ObjectKeys, ObjectPrototypeToString, ReflectApply,
  StringPrototypeSlice, StringPrototypeToWellFormed, SyntaxError, TypeError, Uint8Array, append, bytesOf, defineHidden, nullObject,
} from "dayfly:primordials";
import { decodeUtf8 } from "dayfly:encoding";

/// How a service fails. `code` is what programs decide by, `resource` is what was asked (`kv.orders`).
export class ServiceError extends Error {
  constructor(resource, code, message, oldest) {
    super(`${resource}: ${message || meaning[code](resource, oldest)}`);
    this.code = code;
    this.resource = resource;
    if (oldest !== undefined) this.oldest = oldest;
  }
}
defineHidden(ServiceError.prototype, "name", "ServiceError");

// For failures that an interface tells without words.
const meaning = nullObject({
  "access-denied": (resource) => `access denied: the manifest grants it for reading only, or not at all; add "${resource}" to \`uses\``,
  "too-many-connections": () => "more than 8 connections are open: end a transaction first",
  trimmed: (_, oldest) => `that record was removed, as it was too old; the oldest that is left is ${oldest}`,
  other: () => "it failed without saying why",
});

/// Calls a native of a service; its failure becomes a ServiceError.
export const ask = (resource, call, ...args) => {
  try {
    return ReflectApply(call, undefined, args);
  } catch (thrown) {
    if (!ArrayIsArray(thrown)) throw thrown;
    throw new ServiceError(resource, thrown[0], thrown[1], thrown[2]);
  }
};

/// What a value is, in an error about it: `number`, `null`, `Promise`.
export const nameOf = (value) => {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return StringPrototypeSlice(ObjectPrototypeToString(value), 8, -1);
};

/// A name or text that has to be a string.
export const textOf = (value, what) => {
  if (typeof value !== "string") throw new TypeError(`${what} must be a string, not ${nameOf(value)}`);
  return StringPrototypeToWellFormed(value);
};

/// The texts of anything iterable.
export const textsOf = (values, what) => {
  if (typeof values === "string" || values === null || values === undefined) throw new TypeError(`${what}s must be a list of strings`);
  const given = ArrayFrom(values);
  const texts = [];
  for (let i = 0; i < given.length; i++) append(texts, textOf(given[i], `${what} ${i + 1}`));
  return texts;
};

// Whose JSON would be `{}`, which nobody means.
const notStored = nullObject({ Promise: "await it first", Blob: "give `await blob.bytes()`", File: "give `await file.bytes()`",
  ReadableStream: "read it first", Response: "give `await response.bytes()`", Request: "give `await request.bytes()`", Map: "make it an object first",
  Set: "make it a list first", FormData: "make it an object first" });

/// What a value is stored or sent as: `{ data, contentType }`, with strings and bytes as they are and anything else as JSON.
export const encoded = (value, what) => {
  if (typeof value === "string") return { data: StringPrototypeToWellFormed(value), contentType: "text/plain; charset=utf-8" };
  const bytes = bytesOf(value);
  if (bytes !== undefined) return { data: bytes, contentType: "application/octet-stream" };
  const kind = nameOf(value);
  if (notStored[kind] !== undefined) throw new TypeError(`${what} is a ${kind}: ${notStored[kind]}`);
  const json = JSONStringify(value);
  if (json === undefined) throw new TypeError(`${what} is ${kind}, which has no JSON`);
  return { data: StringPrototypeToWellFormed(json), contentType: "application/json" };
};

/// The value of a JSON text.
export const parsed = (text, what) => {
  try {
    return JSONParse(text);
  } catch (error) {
    throw new SyntaxError(`${what} is no JSON: ${error.message}`);
  }
};

/// What lies somewhere as bytes, with the ways to look at it.
export const readers = (target, bytes, what) => {
  defineHidden(target, "bytes", () => new Uint8Array(bytes));
  defineHidden(target, "text", () => decodeUtf8(bytes));
  defineHidden(target, "json", () => parsed(decodeUtf8(bytes), what));
  return target;
};

/// The user's options by their known names, each read once. An unknown one is a TypeError: what is not done is not passed over either.
export const optionsOf = (options, known, what) => {
  const taken = nullObject({});
  if (options === undefined || options === null) return taken;
  if (typeof options !== "object") throw new TypeError(`${what}: the options must be an object, not ${nameOf(options)}`);
  const names = ObjectKeys(options);
  for (let i = 0; i < names.length; i++) {
    if (known[names[i]] === undefined) {
      const all = ArrayPrototypeJoin(ObjectKeys(known), ", ");
      throw new TypeError(`${what} has no option "${names[i]}"; it has ${all === "" ? "none" : all}`);
    }
    const value = options[names[i]];
    if (value !== undefined) taken[names[i]] = value;
  }
  return taken;
};

/// A whole number within bounds, or what stands for none.
export const countOf = (value, fallback, least, most, what) => {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== "number" || !(value >= least && value <= most) || value % 1 !== 0) {
    throw new TypeError(`${what} must be a whole number from ${least} to ${most}, not ${typeof value === "number" ? value : nameOf(value)}`);
  }
  return value;
};

/// The prefix of a listing, from options that were read.
export const prefixOf = ({ prefix }) => (prefix === undefined ? "" : textOf(prefix, "the prefix"));

/// What `list()` of a store or bucket was asked for.
export const listingOf = (options, resource, page, most) => {
  const read = optionsOf(options, nullObject({ prefix: 1, cursor: 1, limit: 1 }), `${resource}.list`);
  const { cursor, limit } = read;
  return {
    prefix: prefixOf(read),
    cursor: cursor === undefined || cursor === null ? null : textOf(cursor, "the cursor"),
    limit: countOf(limit, page, 1, most, "the limit"),
  };
};
