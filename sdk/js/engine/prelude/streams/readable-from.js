// ReadableStream.from(), and the way back: iterating a stream.
import {
  AsyncIteratorPrototype, ObjectCreate, PromisePrototypeThen, PromiseReject, PromiseResolve, ReflectApply, SymbolAsyncIterator, SymbolIterator,
  TypeError, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet, defineHidden, enumerateMembers, newPromise,
} from "dayfly:primordials";
import { cancelStream, facade } from "dayfly:streams/readable";
import { makeReadable } from "dayfly:streams/readable-tee";
import { readChunk } from "dayfly:streams/readers";

const isObject = (value) => value !== null && (typeof value === "object" || typeof value === "function");

/// A public stream of what an iterable or async iterable gives.
export const streamFrom = (source) => {
  const { iterator, isAsync } = iteratorOf(source);
  const { next } = iterator;
  const pull = () => {
    const step = attempt(() => ReflectApply(next, iterator, []));
    return PromisePrototypeThen(step, (result) => {
      if (!isObject(result)) throw new TypeError("ReadableStream.from: the iterator's next() gave no object");
      if (result.done) stream.control.close();
      else if (isAsync) stream.control.enqueue(result.value);
      else return PromisePrototypeThen(attempt(() => result.value), (value) => stream.control.enqueue(value));
    });
  };
  const cancel = (reason) => attemptCancel(iterator, reason);
  const stream = makeReadable({ start: undefined, pull, cancel }, 0);
  return facade(stream);
};

// As `yield*` does it: an async iterator's values are given as they are, a sync one's are awaited.
const iteratorOf = (source) => {
  if (source === null || source === undefined) throw new TypeError(`ReadableStream.from: ${source} can't be iterated`);
  const asyncMethod = source[SymbolAsyncIterator];
  const isAsync = asyncMethod !== undefined && asyncMethod !== null;
  const iterate = isAsync ? asyncMethod : source[SymbolIterator];
  if (typeof iterate !== "function") throw new TypeError("ReadableStream.from: the argument can't be iterated");
  const iterator = ReflectApply(iterate, source, []);
  if (!isObject(iterator)) throw new TypeError("ReadableStream.from: the argument gave no iterator");
  return { iterator, isAsync };
};

const attempt = (step) => {
  try {
    return PromiseResolve(step());
  } catch (error) {
    return PromiseReject(error);
  }
};

const attemptCancel = (iterator, reason) => {
  let result;
  try {
    const { return: finish } = iterator;
    if (finish === undefined || finish === null) return PromiseResolve(undefined);
    result = ReflectApply(finish, iterator, [reason]);
  } catch (error) {
    return PromiseReject(error);
  }
  return PromisePrototypeThen(PromiseResolve(result), (end) => {
    if (!isObject(end)) throw new TypeError("ReadableStream.from: the iterator's return() gave no object");
  });
};

const states = new WeakMap();
const prototype = ObjectCreate(AsyncIteratorPrototype);
const done = (value) => ({ value, done: true });

const methods = {
  next() {
    const state = WeakMapPrototypeGet(states, this);
    if (state === undefined) return PromiseReject(new TypeError("this is no iterator of a ReadableStream"));
    return inTurn(state, () => nextOf(state));
  },
  return(value) {
    const state = WeakMapPrototypeGet(states, this);
    if (state === undefined) return PromiseReject(new TypeError("this is no iterator of a ReadableStream"));
    return inTurn(state, () => returnOf(state, value));
  },
};
defineHidden(prototype, "next", methods.next);
defineHidden(prototype, "return", methods.return);
enumerateMembers(prototype);

// Calls that were made before one has an answer are answered one after the other.
const inTurn = (state, step) => {
  state.ongoing = state.ongoing === null ? step() : PromisePrototypeThen(state.ongoing, step, step);
  return state.ongoing;
};

const nextOf = (state) => {
  if (state.finished) return PromiseResolve(done(undefined));
  const { promise, resolve, reject } = newPromise();
  readChunk(state.reading, {
    chunk: (value) => resolve({ value, done: false }),
    close: () => {
      state.reading.release();
      resolve(done(undefined));
    },
    error: (error) => {
      state.reading.release();
      reject(error);
    },
  });
  // One job later than the chunk, as Web IDL has it.
  return PromisePrototypeThen(promise, (result) => {
    state.ongoing = null;
    if (result.done) state.finished = true;
    return result;
  }, (error) => {
    state.ongoing = null;
    state.finished = true;
    throw error;
  });
};

const returnOf = (state, value) => {
  if (state.finished) return PromiseResolve(done(value));
  state.finished = true;
  const { reading } = state;
  const ended = state.preventCancel ? PromiseResolve(undefined) : cancelStream(reading.stream, value);
  reading.release();
  return PromisePrototypeThen(ended, () => done(value));
};

/// The async iterator of a stream, by the record of its reader.
export const makeAsyncIterator = (reading, preventCancel) => {
  const iterator = ObjectCreate(prototype);
  WeakMapPrototypeSet(states, iterator, { reading, preventCancel, finished: false, ongoing: null });
  return iterator;
};
