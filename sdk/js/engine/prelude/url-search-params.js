// URLSearchParams: a list of names and values, kept flat, and written back to the URL that it belongs to.
import native from "dayfly:native";
import { inspectAs } from "dayfly:inspect";
import { defineIterable } from "dayfly:iterable";
import {
  ArrayPrototypeSort, ObjectGetOwnPropertyDescriptor, ReflectOwnKeys, StringPrototypeSlice, SymbolIterator, TypeError, append, defineInterface, requireArguments,
  toUSVString,
} from "dayfly:primordials";

let listOf, makeLinked, refill;
/// Whether a value is a URLSearchParams.
export let isURLSearchParams;

export class URLSearchParams {
  /// `[[name, value], …]`.
  #list = [];
  /// Of a URL's own: is called after each change.
  #changed = undefined;

  static {
    listOf = (params) => params.#list;
    isURLSearchParams = (value) => value !== null && typeof value === "object" && #list in value;
    makeLinked = (query, changed) => {
      const params = new URLSearchParams();
      params.#list = parse(query);
      params.#changed = changed;
      return params;
    };
    refill = (params, query) => { params.#list = parse(query); };
  }

  constructor(init = "") {
    if (init !== null && (typeof init === "object" || typeof init === "function")) {
      const method = init[SymbolIterator];
      this.#list = method === undefined || method === null ? fromRecord(init) : fromPairs(init);
      return;
    }
    const text = toUSVString(init);
    this.#list = parse(text[0] === "?" ? StringPrototypeSlice(text, 1) : text);
  }

  get size() {
    return this.#list.length;
  }

  append(name, value) {
    requireArguments(arguments.length, 2, "URLSearchParams.append");
    append(this.#list, [toUSVString(name), toUSVString(value)]);
    this.#update();
  }

  delete(name, value = undefined) {
    requireArguments(arguments.length, 1, "URLSearchParams.delete");
    const matches = matcher(name, value);
    this.#list = without(this.#list, matches);
    this.#update();
  }

  get(name) {
    requireArguments(arguments.length, 1, "URLSearchParams.get");
    const found = find(this.#list, matcher(name));
    return found < 0 ? null : this.#list[found][1];
  }

  getAll(name) {
    requireArguments(arguments.length, 1, "URLSearchParams.getAll");
    const list = this.#list;
    const matches = matcher(name);
    const values = [];
    for (let i = 0; i < list.length; i++) if (matches(list[i])) append(values, list[i][1]);
    return values;
  }

  has(name, value = undefined) {
    requireArguments(arguments.length, 1, "URLSearchParams.has");
    return find(this.#list, matcher(name, value)) >= 0;
  }

  set(name, value) {
    requireArguments(arguments.length, 2, "URLSearchParams.set");
    const matches = matcher(name);
    const text = toUSVString(value);
    const first = find(this.#list, matches);
    if (first < 0) {
      append(this.#list, [toUSVString(name), text]);
    } else {
      const kept = this.#list[first];
      kept[1] = text;
      this.#list = without(this.#list, (pair) => pair !== kept && matches(pair));
    }
    this.#update();
  }

  sort() {
    ArrayPrototypeSort(this.#list, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#update();
  }

  toString() {
    return native.querySerialize(this.#list);
  }

  #update() {
    if (this.#changed !== undefined) this.#changed(native.querySerialize(this.#list));
  }
}

const parse = (query) => (query === "" ? [] : native.queryParse(query));

const matcher = (name, value = undefined) => {
  const wanted = toUSVString(name);
  if (value === undefined) return (pair) => pair[0] === wanted;
  const wantedValue = toUSVString(value);
  return (pair) => pair[0] === wanted && pair[1] === wantedValue;
};

const find = (list, matches) => {
  for (let i = 0; i < list.length; i++) if (matches(list[i])) return i;
  return -1;
};

const without = (list, matches) => {
  const kept = [];
  for (let i = 0; i < list.length; i++) if (!matches(list[i])) append(kept, list[i]);
  return kept;
};

/// From anything that gives pairs, as `sequence<sequence<USVString>>`.
const fromPairs = (source) => {
  const list = [];
  for (const pair of source) {
    if (pair === null || (typeof pair !== "object" && typeof pair !== "function")) throw new TypeError("URLSearchParams: each entry is a pair of name and value");
    const both = [];
    for (const text of pair) append(both, toUSVString(text));
    if (both.length !== 2) throw new TypeError("URLSearchParams: each entry is a pair of name and value");
    append(list, both);
  }
  return list;
};

/// From an object's own listed properties; of names that become the same, the last one counts, in the place of the first.
const fromRecord = (source) => {
  const list = [];
  const keys = ReflectOwnKeys(source);
  for (let i = 0; i < keys.length; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(source, keys[i]);
    if (descriptor === undefined || !descriptor.enumerable) continue;
    const name = toUSVString(keys[i]);
    const value = toUSVString(source[keys[i]]);
    const known = find(list, (pair) => pair[0] === name);
    if (known < 0) append(list, [name, value]);
    else list[known][1] = value;
  }
  return list;
};

defineIterable(URLSearchParams, (params, index) => listOf(params)[index]);
inspectAs(URLSearchParams, (params) => `URLSearchParams ${native.querySerialize(listOf(params))}`);
defineInterface(URLSearchParams);

/// A URL's own: `changed` is called with the new query after each change.
export const linkedSearchParams = (query, changed) => makeLinked(query, changed);
/// Replaces the list, without a word to the URL.
export const refillSearchParams = (params, query) => refill(params, query);
