// Headers, as the Fetch standard has them, over a flat list of fields. An object of requests and responses shares their list, so that reading one
// header of a request makes one object and one search.
//
// Left out of the standard's guards: `request-no-cors`, and the names that browsers forbid to set. A server's program may set `cookie` or
// `origin`; what concerns the connection is dropped where a message is sent.
import {
  ObjectPrototypePropertyIsEnumerable, ReflectOwnKeys, SymbolIterator, TypeError, defineInterface, describeType, requireArguments,
} from "dayfly:primordials";
import { defineIterable } from "dayfly:iterable";
import { appendField, copyFields, deleteField, fieldName, fieldValue, getField, indexOfField, setField, sortedFields } from "dayfly:fields";

// Given as the first argument by the platform itself: the second is the list, the third whether it can't be changed.
const INTERNAL = {};

/// The list of a Headers object, shared with it, and whether a value is one.
export let fieldsOf, isHeaders;
let entryAt;

export class Headers {
  #fields;
  #immutable = false;
  // What iteration goes through, made at its first step and dropped by each change.
  #sorted = null;

  constructor(init = undefined, fields = undefined, immutable = false) {
    if (init === INTERNAL) {
      this.#fields = fields;
      this.#immutable = immutable;
      return;
    }
    this.#fields = init === undefined ? [] : fieldsFrom(init, "Headers");
  }

  get(name) {
    const fields = this.#fields;
    requireArguments(arguments.length, 1, "Headers.get");
    return getField(fields, fieldName(name, "Headers.get"));
  }

  has(name) {
    const fields = this.#fields;
    requireArguments(arguments.length, 1, "Headers.has");
    return indexOfField(fields, fieldName(name, "Headers.has")) !== -1;
  }

  set(name, value) {
    requireArguments(arguments.length, 2, "Headers.set");
    const field = fieldName(name, "Headers.set");
    const text = fieldValue(value, field, "Headers.set");
    setField(this.#changing(field), field, text);
  }

  append(name, value) {
    requireArguments(arguments.length, 2, "Headers.append");
    const field = fieldName(name, "Headers.append");
    const text = fieldValue(value, field, "Headers.append");
    appendField(this.#changing(field), field, text);
  }

  delete(name) {
    requireArguments(arguments.length, 1, "Headers.delete");
    const field = fieldName(name, "Headers.delete");
    deleteField(this.#changing(field), field);
  }

  getSetCookie() {
    const fields = this.#fields;
    const cookies = [];
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] === "set-cookie") cookies[cookies.length] = fields[i + 1];
    }
    return cookies;
  }

  #changing(name) {
    const fields = this.#fields;
    if (this.#immutable) {
      throw new TypeError(`header "${name}" can't be changed: these headers are immutable. Make a copy first: new Headers(headers), or new Response(response.body, response)`);
    }
    this.#sorted = null;
    return fields;
  }

  static {
    fieldsOf = (headers) => headers.#fields;
    isHeaders = (value) => value !== null && typeof value === "object" && #fields in value;
    entryAt = (headers, index) => (headers.#sorted ??= sortedFields(headers.#fields))[index];
  }
}

/// A new list with the fields of what programs may give as headers: Headers, a list of pairs, or a record. `where` begins the TypeErrors.
export const fieldsFrom = (init, where) => {
  if (init === null || (typeof init !== "object" && typeof init !== "function")) {
    throw new TypeError(`${where}: headers are an object, a list of pairs or a Headers, not ${describeType(init)}`);
  }
  const iterate = init[SymbolIterator];
  if (iterate === undefined || iterate === null) return fieldsFromRecord(init, where);
  if (iterate === ownIterator && isHeaders(init)) return copyFields(fieldsOf(init));
  return fieldsFromPairs(init, where);
};

const fieldsFromRecord = (record, where) => {
  const fields = [];
  const keys = ReflectOwnKeys(record);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (!ObjectPrototypePropertyIsEnumerable(record, key)) continue;
    const name = fieldName(key, where);
    appendField(fields, name, fieldValue(record[key], name, where));
  }
  return fields;
};

// What the program iterates is iterated as the program has it.
const fieldsFromPairs = (pairs, where) => {
  const fields = [];
  for (const pair of pairs) {
    if (pair === null || typeof pair !== "object") throw new TypeError(`${where}: a list of headers has a pair for each: [name, value]`);
    const parts = [];
    for (const part of pair) parts[parts.length] = part;
    if (parts.length !== 2) throw new TypeError(`${where}: a pair of a list of headers has ${parts.length} parts instead of two`);
    const name = fieldName(parts[0], where);
    appendField(fields, name, fieldValue(parts[1], name, where));
  }
  return fields;
};

/// A Headers object over a list that it shares with its owner.
export const headersOver = (fields, immutable) => new Headers(INTERNAL, fields, immutable);

defineIterable(Headers, (headers, index) => entryAt(headers, index));
defineInterface(Headers);
const ownIterator = Headers.prototype[SymbolIterator];
