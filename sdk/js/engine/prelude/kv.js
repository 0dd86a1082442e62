// `env.kv.NAME`: key-value stores.
import {
  ArrayIsArray, BigInt, Map, MapPrototypeSet, Number, ObjectEntries, ArrayFrom, ObjectFreeze, RangeError, StringPrototypeStartsWith, SymbolIterator,
  SymbolToStringTag, TypeError, TypedArrayPrototypeGetBuffer, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet, append,
  defineHidden, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { ServiceError, ask, encoded, listingOf, nameOf, optionsOf, parsed, prefixOf, textOf, textsOf } from "dayfly:service";

const { asIntN } = BigInt;

const KINDS = nullObject({ text: true, json: true, bytes: false, arrayBuffer: false });
/// Keys of one page: as many as the platform gives at once, and as many as `getMany` takes.
const PAGE = 64;
const PAGE_MAX = 1000;
/// How often `update` begins again because another was faster.
const ATTEMPTS = 100;

// Of versions: the number of the swap that was begun with it.
const swaps = new WeakMap();

const kindOf = (kind) => {
  const name = typeof kind === "object" && kind !== null ? kind.type : kind;
  if (name === undefined || name === null) return "text";
  if (KINDS[name] === undefined) {
    const given = typeof name === "string" ? `"${name}"` : nameOf(name);
    throw new TypeError(`a value is asked for as "text", "json", "bytes" or "arrayBuffer", not ${given}`);
  }
  return name;
};

const valueOf = (value, kind, resource, key) => {
  if (value === null) return null;
  if (kind === "json") return parsed(value, `${resource}: the value of "${key}"`);
  return kind === "arrayBuffer" ? TypedArrayPrototypeGetBuffer(value) : value;
};

class Kv {
  #store;
  #resource;

  constructor(store) {
    this.#store = store;
    this.#resource = `kv.${store}`;
  }

  async get(key, kind = undefined) {
    const name = kindOf(kind);
    const value = ask(this.#resource, native.kvGet, this.#store, textOf(key, "the key"), KINDS[name]);
    return valueOf(value, name, this.#resource, key);
  }

  async getMany(keys, kind = undefined) {
    const name = kindOf(kind);
    const wanted = textsOf(keys, "key");
    const values = wanted.length === 0 ? [] : ask(this.#resource, native.kvGetMany, this.#store, wanted, KINDS[name]);
    const found = new Map();
    for (let i = 0; i < wanted.length; i++) MapPrototypeSet(found, wanted[i], valueOf(values[i], name, this.#resource, wanted[i]));
    return found;
  }

  async has(key) {
    return ask(this.#resource, native.kvHas, this.#store, textOf(key, "the key"));
  }

  async put(key, value, options = undefined) {
    optionsOf(options, nullObject({}), `${this.#resource}.put`);
    const { data } = encoded(value, "the value");
    ask(this.#resource, native.kvSetMany, this.#store, [textOf(key, "the key")], [data]);
  }

  async putMany(entries) {
    if (entries === null || typeof entries !== "object") throw new TypeError(`the entries must be an object or a list of [key, value], not ${nameOf(entries)}`);
    const given = entries[SymbolIterator] === undefined ? ObjectEntries(entries) : ArrayFrom(entries);
    const keys = [], values = [];
    for (let i = 0; i < given.length; i++) {
      if (!ArrayIsArray(given[i]) || given[i].length < 2) throw new TypeError(`entry ${i + 1} is no list of a key and a value`);
      append(keys, textOf(given[i][0], `the key of entry ${i + 1}`));
      append(values, encoded(given[i][1], `the value of "${keys[i]}"`).data);
    }
    if (keys.length > 0) ask(this.#resource, native.kvSetMany, this.#store, keys, values);
  }

  async delete(key) {
    ask(this.#resource, native.kvDeleteMany, this.#store, [textOf(key, "the key")]);
  }

  async deleteMany(keys) {
    const gone = textsOf(keys, "key");
    if (gone.length > 0) ask(this.#resource, native.kvDeleteMany, this.#store, gone);
  }

  async list(options = undefined) {
    const { prefix, cursor, limit } = listingOf(options, this.#resource, PAGE, PAGE_MAX);
    return this.#page(prefix, cursor, limit);
  }

  async *keys(options = undefined) {
    const begin = prefixOf(optionsOf(options, nullObject({ prefix: 1 }), `${this.#resource}.keys`));
    for (let page = this.#page(begin, null, PAGE); ; page = this.#page(begin, page.cursor, PAGE)) {
      for (let i = 0; i < page.keys.length; i++) yield page.keys[i];
      if (page.complete) return;
    }
  }

  // Keys that begin with a text lie together behind it, so the search begins there. The text itself may be a key too.
  #page(prefix, cursor, limit) {
    const keys = [];
    if (cursor === null && prefix !== "" && ask(this.#resource, native.kvHas, this.#store, prefix)) append(keys, prefix);
    let after = cursor ?? (prefix === "" ? null : prefix);
    while (keys.length < limit) {
      const { 0: found, 1: last } = ask(this.#resource, native.kvKeys, this.#store, after);
      for (let i = 0; i < found.length; i++) {
        if (!StringPrototypeStartsWith(found[i], prefix)) return { keys, cursor: null, complete: true };
        if (keys.length === limit) return { keys, cursor: keys[limit - 1], complete: false };
        append(keys, found[i]);
      }
      if (last === null) return { keys, cursor: null, complete: true };
      after = last;
    }
    return { keys, cursor: keys[keys.length - 1], complete: false };
  }

  async increment(key, by = 1) {
    if (typeof by !== "bigint" && !(typeof by === "number" && by % 1 === 0)) {
      throw new TypeError(`what is added must be a whole number, not ${typeof by === "number" ? by : nameOf(by)}`);
    }
    const added = BigInt(by);
    if (asIntN(64, added) !== added) throw new RangeError(`what is added is beyond 64 bits: ${added}`);
    return Number(ask(this.#resource, native.kvIncrement, this.#store, textOf(key, "the key"), added));
  }

  async getWithVersion(key, kind = undefined) {
    return this.#version(textOf(key, "the key"), kindOf(kind));
  }

  #version(key, kind) {
    const { 0: swap, 1: value } = ask(this.#resource, native.kvSwapBegin, this.#store, key, KINDS[kind]);
    const version = { key, value: valueOf(value, kind, this.#resource, key) };
    WeakMapPrototypeSet(swaps, version, { swap, resource: this.#resource });
    return ObjectFreeze(version);
  }

  async compareAndSwap(version, value) {
    const begun = typeof version === "object" && version !== null ? WeakMapPrototypeGet(swaps, version) : undefined;
    if (begun === undefined || begun.resource !== this.#resource) {
      throw new TypeError(`${this.#resource}.compareAndSwap takes what getWithVersion of the same store gave`);
    }
    return ask(this.#resource, native.kvSwap, begun.swap, encoded(value, "the value").data);
  }

  async update(key, change, kind = undefined) {
    const name = kindOf(kind);
    textOf(key, "the key");
    if (typeof change !== "function") throw new TypeError(`${this.#resource}.update takes a function of the old value, not ${nameOf(change)}`);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = this.#version(key, name);
      const value = await change(version.value);
      if (await this.compareAndSwap(version, value)) return;
    }
    throw new ServiceError(this.#resource, "conflict", `others changed "${key}" ${ATTEMPTS} times meanwhile`);
  }
}
defineHidden(Kv.prototype, SymbolToStringTag, "Kv");

export const openKv = (store) => ObjectFreeze(new Kv(store));
