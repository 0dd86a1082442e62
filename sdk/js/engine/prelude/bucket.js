// `env.bucket.NAME`: buckets of objects. Bytes stream both ways: neither reading nor writing holds an object in memory.
import {
  Date, Number, ObjectFreeze, PromisePrototypeThen, SymbolToStringTag, TypeError, bytesOf, defineHidden, newPromise, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { NATIVE, NONE, STREAM, TEXT, defineBody, outgoingBody, setBody } from "dayfly:body";
import { isRequest, requestState } from "dayfly:request";
import { isResponse, responseState } from "dayfly:response";
import { encodeUtf8 } from "dayfly:encoding";
import { cancelStream, readableOf } from "dayfly:streams/readable";
import { acquireReading, readChunk } from "dayfly:streams/readers";
import { ServiceError, ask, countOf, listingOf, nameOf, optionsOf, prefixOf, textOf, textsOf } from "dayfly:service";

/// Keys of one page.
const PAGE = 256;
const PAGE_MAX = 1000;

let isBucketObject, objectState;

/// An object that is read, with the members of a body.
class BucketObject {
  #key;
  #size;
  #state;

  constructor(key, size, body) {
    this.#key = key;
    this.#size = size;
    this.#state = { kind: NATIVE, source: body, stream: null, used: false, fields: [] };
  }

  get key() { return this.#key; }
  get size() { return this.#size; }

  static {
    isBucketObject = (value) => value !== null && typeof value === "object" && #state in value;
    objectState = (object) => object.#state;
  }
}
defineBody(BucketObject, objectState);
defineHidden(BucketObject.prototype, SymbolToStringTag, "BucketObject");

let isBucket, nameIn;

class Bucket {
  #name;
  #resource;

  constructor(name) {
    this.#name = name;
    this.#resource = `bucket.${name}`;
  }

  async get(key, options = undefined) {
    const { range } = optionsOf(options, nullObject({ range: 1 }), `${this.#resource}.get`);
    const { offset, length } = optionsOf(range, nullObject({ offset: 1, length: 1 }), "the range");
    const first = countOf(offset, 0, 0, Number.MAX_SAFE_INTEGER, "the offset");
    const count = countOf(length, null, 1, Number.MAX_SAFE_INTEGER, "the length");
    const found = ask(this.#resource, native.bucketGet, this.#name, textOf(key, "the key"), first, count === null ? null : first + count - 1);
    return found === null ? null : ObjectFreeze(new BucketObject(key, found[1], found[0]));
  }

  async head(key) {
    const found = ask(this.#resource, native.bucketInfo, this.#name, textOf(key, "the key"));
    return found === null ? null : { key, size: found[0], uploaded: new Date(found[1] * 1000) };
  }

  async has(key) {
    return ask(this.#resource, native.bucketHas, this.#name, textOf(key, "the key"));
  }

  async put(key, body, options = undefined) {
    optionsOf(options, nullObject({}), `${this.#resource}.put`);
    if (textOf(key, "the key") === "") throw new ServiceError(this.#resource, "invalid", "an object's key has at least one character");
    const state = givenBody(body);
    const writing = ask(this.#resource, native.bucketPut, this.#name, key);
    let size;
    try {
      size = await write(writing, state);
    } catch (error) {
      // What could not be read whole is not written at all.
      native.bucketAbort(writing);
      throw error;
    }
    ask(this.#resource, native.bucketFinish, writing);
    return { key, size };
  }

  async delete(keys) {
    const gone = typeof keys === "string" ? [textOf(keys, "the key")] : textsOf(keys, "key");
    if (gone.length > 0) ask(this.#resource, native.bucketDelete, this.#name, gone);
  }

  async list(options = undefined) {
    const { prefix, cursor, limit } = listingOf(options, this.#resource, PAGE, PAGE_MAX);
    return this.#page(prefix, cursor, limit);
  }

  async *keys(options = undefined) {
    const begin = prefixOf(optionsOf(options, nullObject({ prefix: 1 }), `${this.#resource}.keys`));
    for (let page = this.#page(begin, null, PAGE_MAX); ; page = this.#page(begin, page.cursor, PAGE_MAX)) {
      for (let i = 0; i < page.keys.length; i++) yield page.keys[i];
      if (page.complete) return;
    }
  }

  async copy(key, target, into = this) {
    this.#copy(key, target, into, false);
  }

  async move(key, target, into = this) {
    this.#copy(key, target, into, true);
  }

  #copy(key, target, into, moves) {
    if (!isBucket(into)) throw new TypeError(`the target must be a bucket of env, not ${nameOf(into)}`);
    ask(this.#resource, native.bucketCopy, this.#name, textOf(key, "the key"), nameIn(into), textOf(target, "the target's key"), moves);
  }

  #page(prefix, cursor, limit) {
    const { 0: keys, 1: complete } = ask(this.#resource, native.bucketList, this.#name, prefix, cursor, limit);
    return { keys, cursor: complete ? null : keys[keys.length - 1], complete };
  }

  static {
    nameIn = (bucket) => bucket.#name;
    isBucket = (value) => value !== null && typeof value === "object" && #name in value;
  }
}
defineHidden(Bucket.prototype, SymbolToStringTag, "Bucket");

// What is to be written, as the state of a body that counts as read from now on.
const givenBody = (body) => {
  if (body === null || body === undefined) throw new TypeError(`the body is ${body}: give "" for an empty object`);
  let state;
  if (isRequest(body)) state = requestState(body);
  else if (isResponse(body)) state = responseState(body);
  else if (isBucketObject(body)) state = objectState(body);
  else {
    state = { kind: NONE, source: null, stream: null, used: false, fields: [] };
    setBody(state, body, "the body");
  }
  outgoingBody(state);
  return state;
};

// Gives how many bytes there were. The store may take no more before the end: what finishing says is why.
const write = async (writing, { kind, source }) => {
  if (kind === NONE) return 0;
  if (kind === NATIVE) return passOn(writing, source);
  if (kind === STREAM) return drain(writing, source);
  const bytes = kind === TEXT ? encodeUtf8(source) : source;
  await native.bucketWrite(writing, bytes);
  return bytes.length;
};

const passOn = async (writing, body) => {
  let size = 0;
  for (;;) {
    const chunk = await native.bodyPull(body);
    if (chunk === null) return size;
    size += chunk.length;
    if (!await native.bucketWrite(writing, chunk)) {
      native.bodyCancel(body);
      return size;
    }
  }
};

// The next chunk of a stream, or null at its end.
const nextChunk = (reading) => {
  const { promise, resolve, reject } = newPromise();
  readChunk(reading, { chunk: resolve, close: () => resolve(null), error: reject });
  return promise;
};

const drain = async (writing, stream) => {
  const record = readableOf(stream);
  const reading = acquireReading(record);
  let size = 0;
  try {
    for (;;) {
      const value = await nextChunk(reading);
      if (value === null) return size;
      const chunk = bytesOf(value);
      if (chunk === undefined) {
        throw new TypeError(`the stream gave ${nameOf(value)}, and an object is made of bytes: pipe it through a TextEncoderStream`);
      }
      size += chunk.length;
      if (!await native.bucketWrite(writing, chunk)) return size;
    }
  } finally {
    // A stream that has ended is not asked; one that has not is told that nobody reads on.
    PromisePrototypeThen(cancelStream(record, undefined), undefined, () => {});
  }
};

export const openBucket = (name) => ObjectFreeze(new Bucket(name));
