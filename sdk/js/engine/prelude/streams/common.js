// What streams of all kinds share: promises that are made when somebody asks for them, queues that count sizes, and strategies as programs give them.
import {
  NumberIsNaN, ObjectAssign, ObjectSetPrototypeOf, PromisePrototypeThen, PromiseReject, PromiseResolve, RangeError, ReflectApply, TypeError,
  describeType, newPromise,
} from "dayfly:primordials";

/// Gives all records of a class the same values to begin with. They stand on the prototype until they change: a record is made in one step, and most
/// fields of most streams are never written.
/// Nothing is inherited of `Object.prototype`, whose setters would be run by writing the other fields.
export function inherit(Record, fields) { ObjectAssign(ObjectSetPrototypeOf(Record.prototype, null), fields); }

/// Handlers that do nothing: a promise that has one is handled.
export const ignore = () => {};

/// Marks a promise as handled: nobody is told if it is rejected.
const markHandled = (promise) => {
  PromisePrototypeThen(promise, undefined, ignore);
  return promise;
};

/// A promise that is fulfilled, to hang a job on.
export const RESOLVED = PromiseResolve(undefined);

/// Runs `job` as a job of its own.
export const later = globalThis.queueMicrotask;

/// Goes on when a promise is settled. As `then`, but nobody gets a promise of it; most sources and sinks give no promise, and then there is only a job.
export const upon = (promise, fulfilled, rejected) => {
  if (promise === RESOLVED) later(fulfilled);
  else PromisePrototypeThen(promise, fulfilled, rejected);
};

const PENDING = 0;
const FULFILLED = 1;
const REJECTED = 2;

/// What a promise is worth once it is there: `closed` and `ready` are promises that few ever ask for. Always counted as handled.
export class Eventually {
  get isPending() { return this.settled === PENDING; }

  get promise() {
    if (this.deferred === null) {
      this.deferred = newPromise();
      markHandled(this.deferred.promise);
      if (this.settled === FULFILLED) this.deferred.resolve(undefined);
      else if (this.settled === REJECTED) this.deferred.reject(this.reason);
    }
    return this.deferred.promise;
  }

  resolve() {
    if (this.settled !== PENDING) return;
    this.settled = FULFILLED;
    if (this.deferred !== null) this.deferred.resolve(undefined);
  }

  reject(reason) {
    if (this.settled !== PENDING) return;
    this.settled = REJECTED;
    this.reason = reason;
    if (this.deferred !== null) this.deferred.reject(reason);
  }

  /// Begins anew with another promise.
  renew() {
    this.settled = PENDING;
    this.deferred = null;
  }
}
inherit(Eventually, { settled: PENDING, reason: undefined, deferred: null });

/// Chunks and their sizes, first in, first out.
export class Queue {
  get length() { return this.items === null ? 0 : this.items.length - this.head; }

  push(item, size) {
    if (typeof size !== "number" || NumberIsNaN(size) || size < 0 || size === Infinity) {
      throw new RangeError("the size of a chunk is a number that is not negative and not infinite");
    }
    if (this.items === null) {
      this.items = [item];
      this.sizes = [size];
    } else {
      this.items[this.items.length] = item;
      this.sizes[this.sizes.length] = size;
    }
    this.total += size;
  }

  peek() { return this.items[this.head]; }

  shift() {
    const { items, head } = this;
    const item = items[head];
    this.total -= this.sizes[head];
    // Sums of fractions may miss nought by a little.
    if (this.total < 0) this.total = 0;
    if (head + 1 === items.length) {
      this.items = null;
      this.head = 0;
      return item;
    }
    items[head] = undefined;
    this.head = head + 1;
    if (head > COMPACT_AT && head * 2 > items.length) this.compact();
    return item;
  }

  clear() {
    this.items = null;
    this.head = 0;
    this.total = 0;
  }

  compact() {
    const items = [];
    const sizes = [];
    for (let i = this.head; i < this.items.length; i++) {
      items[items.length] = this.items[i];
      sizes[sizes.length] = this.sizes[i];
    }
    this.items = items;
    this.sizes = sizes;
    this.head = 0;
  }
}
// `total` is the sum of the sizes.
inherit(Queue, { items: null, sizes: null, head: 0, total: 0 });

const COMPACT_AT = 64;

/// Web IDL's dictionary: an object, or nothing.
export const dictionary = (value, what) => {
  if (value === undefined || value === null) return NOTHING;
  if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${what} is an object, not ${describeType(value)}`);
  return value;
};

const NOTHING = { __proto__: null };

/// A member of a dictionary that is a function; undefined if it is not there.
export const method = (owner, name, what) => {
  const value = owner[name];
  if (value !== undefined && typeof value !== "function") throw new TypeError(`${what}.${name} is no function`);
  return value;
};

/// A strategy's `highWaterMark` and `size`. `highWaterMark` is undefined if nothing is said about it, and `size` null.
export const strategyFrom = (strategy, where) => {
  const given = dictionary(strategy, `${where}: the strategy`);
  const mark = given.highWaterMark;
  const highWaterMark = mark === undefined ? undefined : +mark;
  const size = method(given, "size", `${where}: strategy`);
  return { highWaterMark, size: size === undefined ? null : (chunk) => ReflectApply(size, undefined, [chunk]) };
};

/// A high water mark that was given, or else `otherwise`.
export const markOr = (mark, otherwise, where) => {
  if (mark === undefined) return otherwise;
  if (NumberIsNaN(mark) || mark < 0) throw new RangeError(`${where}: highWaterMark ${mark} is no number of chunks or bytes`);
  return mark;
};

/// Calls a program's method that may give a promise or throw. Always gives a promise.
export const promiseCall = (fn, self, given) => {
  try {
    const result = ReflectApply(fn, self, given);
    return result === undefined ? RESOLVED : PromiseResolve(result);
  } catch (error) {
    return PromiseReject(error);
  }
};
