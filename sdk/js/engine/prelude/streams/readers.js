// The readers of a ReadableStream: its records, and ReadableStreamDefaultReader and ReadableStreamBYOBReader over them.
//
// A read request is an object with `chunk(value)`, `close()` and `error(reason)`; exactly one of them is called, once. `close` of a request for
// bytes into a view gives the view back, or undefined after a cancellation.
import {
  ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayPrototypeShift, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
  PromiseReject, PromiseResolve, RangeError, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, defineInterface, newPromise, requireArguments,
} from "dayfly:primordials";
import { Eventually, dictionary, inherit } from "dayfly:streams/common";
import { CLOSED, ERRORED, READABLE, begun, cancelStream, isReadableStream, readableOf } from "dayfly:streams/readable";
import { ByteControl } from "dayfly:streams/readable-byte";

// What both readers are to their stream.
class Reading {
  constructor(stream) {
    this.stream = stream;
    this.requests = [];
    this.closed = new Eventually();
    stream.reader = this;
    if (stream.state === CLOSED) this.closed.resolve();
    else if (stream.state === ERRORED) this.closed.reject(stream.error);
  }

  streamErrored(error) {
    this.closed.reject(error);
    this.failRequests(error);
  }

  failRequests(error) {
    const { requests } = this;
    this.requests = [];
    for (let i = 0; i < requests.length; i++) requests[i].error(error);
  }

  takeRequest() { return ArrayPrototypeShift(this.requests); }

  release() {
    const { stream } = this;
    const error = new TypeError("the reader was released: its lock on the stream is gone");
    if (stream.state !== READABLE) this.closed.renew();
    this.closed.reject(error);
    stream.control.releaseSteps();
    stream.reader = null;
    this.stream = null;
    this.failRequests(error);
  }
}

inherit(Reading, { stream: null });

/// What a default reader is.
export class DefaultReading extends Reading {
  streamClosed() {
    this.closed.resolve();
    const { requests } = this;
    this.requests = [];
    for (let i = 0; i < requests.length; i++) requests[i].close();
  }

  streamCancelled() {}
}

/// What a BYOB reader is. Its requests end with the pulls that belong to them, or with a cancellation.
export class ByobReading extends Reading {
  streamClosed() { this.closed.resolve(); }

  streamCancelled() {
    const { requests } = this;
    this.requests = [];
    for (let i = 0; i < requests.length; i++) requests[i].close(undefined);
  }
}

/// Asks for the next chunk.
export const readChunk = (reading, request) => {
  const { stream } = reading;
  stream.disturbed = true;
  if (stream.state === CLOSED) request.close();
  else if (stream.state === ERRORED) request.error(stream.error);
  else stream.control.pullSteps(request);
};

/// Asks for bytes into a view, at least `min` elements of it.
export const readBytesInto = (reading, view, min, request) => {
  const { stream } = reading;
  stream.disturbed = true;
  if (stream.state === ERRORED) request.error(stream.error);
  else stream.control.pullInto(view, min, request);
};

// A request whose answer is a promise for a program.
const promiseRequest = () => {
  const { promise, resolve, reject } = newPromise();
  return {
    promise,
    chunk: (value) => resolve({ value, done: false }),
    close: (value) => resolve({ value, done: true }),
    error: reject,
  };
};

const released = () => PromiseReject(new TypeError("the reader was released and can't be used any more"));
const notOne = (what) => PromiseReject(new TypeError(`this is no ${what}`));

const closedOf = (reading) => reading.closed.promise;

const cancelThrough = ({ stream }, reason) => (stream === null ? released() : cancelStream(stream, reason));

const lockable = (stream, where) => {
  if (!isReadableStream(stream)) throw new TypeError(`${where}: the argument is no ReadableStream`);
  return unlocked(readableOf(stream), where);
};

const unlocked = (stream, where) => {
  if (stream.reader !== null) throw new TypeError(`${where}: the stream is locked to a reader already`);
  return begun(stream);
};

const INTERNAL = {};

export class ReadableStreamDefaultReader {
  #reading;

  constructor(stream, record = undefined) {
    if (stream === INTERNAL) {
      this.#reading = record;
      return;
    }
    this.#reading = new DefaultReading(lockable(stream, "ReadableStreamDefaultReader"));
  }

  get closed() { return #reading in this ? closedOf(this.#reading) : notOne("ReadableStreamDefaultReader"); }

  cancel(reason = undefined) {
    return #reading in this ? cancelThrough(this.#reading, reason) : notOne("ReadableStreamDefaultReader");
  }

  read() {
    if (!(#reading in this)) return notOne("ReadableStreamDefaultReader");
    const reading = this.#reading;
    const { stream } = reading;
    if (stream === null) return released();
    // What is there already is given at once.
    if (stream.state === READABLE && stream.control.hasChunk()) {
      stream.disturbed = true;
      return PromiseResolve({ value: stream.control.takeChunk(), done: false });
    }
    const request = promiseRequest();
    readChunk(reading, request);
    return request.promise;
  }

  releaseLock() {
    const reading = this.#reading;
    if (reading.stream !== null) reading.release();
  }

}

export class ReadableStreamBYOBReader {
  #reading;

  constructor(stream, record = undefined) {
    if (stream === INTERNAL) {
      this.#reading = record;
      return;
    }
    this.#reading = byobReading(lockable(stream, "ReadableStreamBYOBReader"));
  }

  get closed() { return #reading in this ? closedOf(this.#reading) : notOne("ReadableStreamBYOBReader"); }

  cancel(reason = undefined) {
    return #reading in this ? cancelThrough(this.#reading, reason) : notOne("ReadableStreamBYOBReader");
  }

  read(view, options = undefined) {
    if (!(#reading in this)) return notOne("ReadableStreamBYOBReader");
    try {
      requireArguments(arguments.length, 1, "ReadableStreamBYOBReader.read");
      const min = minimumFor(view, options);
      if (this.#reading.stream === null) return released();
      const request = promiseRequest();
      readBytesInto(this.#reading, view, min, request);
      return request.promise;
    } catch (error) {
      return PromiseReject(error);
    }
  }

  releaseLock() {
    const reading = this.#reading;
    if (reading.stream !== null) reading.release();
  }
}

const byobReading = (stream) => {
  if (!(stream.control instanceof ByteControl)) throw new TypeError("a BYOB reader reads streams of bytes only: those of bodies, and of sources with type: \"bytes\"");
  return new ByobReading(stream);
};

// Checks a view to read into, and gives the least number of its elements to fill.
const minimumFor = (view, options) => {
  if (!ArrayBufferIsView(view)) throw new TypeError("ReadableStreamBYOBReader.read: the first argument is no view of an ArrayBuffer");
  const isArray = TypedArrayPrototypeGetSymbolToStringTag(view) !== undefined;
  const given = dictionary(options, "ReadableStreamBYOBReader.read: the options").min;
  const min = given === undefined ? 1 : wholeNumber(given);
  const length = isArray ? TypedArrayPrototypeGetByteLength(view) : DataViewPrototypeGetByteLength(view);
  const buffer = isArray ? TypedArrayPrototypeGetBuffer(view) : DataViewPrototypeGetBuffer(view);
  if (length === 0) throw new TypeError("ReadableStreamBYOBReader.read: the view is empty");
  if (ArrayBufferPrototypeGetByteLength(buffer) === 0) throw new TypeError("ReadableStreamBYOBReader.read: the view's buffer is detached or empty");
  if (min === 0) throw new TypeError("ReadableStreamBYOBReader.read: min is 0");
  if (min > (isArray ? TypedArrayPrototypeGetLength(view) : length)) throw new RangeError("ReadableStreamBYOBReader.read: min is more than the view holds");
  return min;
};

const wholeNumber = (value) => {
  const number = +value;
  if (!(number >= 0 && number <= 9007199254740991)) throw new TypeError(`${value} is no count`);
  return number - (number % 1);
};

/// Locks a stream to a new reader.
export const acquireReader = (stream) => new ReadableStreamDefaultReader(INTERNAL, acquireReading(stream));

/// The same for the prelude's own: the record only.
export const acquireReading = (stream) => new DefaultReading(unlocked(stream, "ReadableStream.getReader"));

/// Locks a stream of bytes to a new BYOB reader.
export const acquireByobReader = (stream) => new ReadableStreamBYOBReader(INTERNAL, acquireByobReading(stream));

/// The same for the prelude's own: the record only.
export const acquireByobReading = (stream) => byobReading(unlocked(stream, "ReadableStream.getReader"));

defineInterface(ReadableStreamDefaultReader);
defineInterface(ReadableStreamBYOBReader);
