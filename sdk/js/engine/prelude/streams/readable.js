// ReadableStream: the stream itself, and what readers, controllers and bodies ask of it. The algorithms are those of the Streams standard.
//
// A public object holds a record of ours, and the algorithms work on records. The stream of a body begins lazily: it has no controller until
// somebody locks it, so handing `request.body` on costs one object and one record, and the host's stream can still be taken out of it (`takeNative`).
import {
  PromisePrototypeThen, PromiseReject, PromiseResolve, RangeError, ReflectApply, SymbolAsyncIterator, TypeError, defineHidden, defineInterface,
  requireArguments, toDOMString,
} from "dayfly:primordials";
import { dictionary, ignore, inherit, markOr, method, promiseCall, strategyFrom } from "dayfly:streams/common";
import { DefaultControl } from "dayfly:streams/readable-default";
import { ByteControl } from "dayfly:streams/readable-byte";
import { acquireByobReader, acquireReader, acquireReading } from "dayfly:streams/readers";
import { makeAsyncIterator, streamFrom } from "dayfly:streams/readable-from";
import { teeStream } from "dayfly:streams/readable-tee";
import { pipe } from "dayfly:streams/pipe";
import { isWritableStream, isWritableLocked, writableOf } from "dayfly:streams/writable";
import { isAbortSignal } from "dayfly:abort";

export const READABLE = 0;
export const CLOSED = 1;
export const ERRORED = 2;

const INTERNAL = {};

/// What a ReadableStream is. `control` is a DefaultControl or a ByteControl. Of a body's stream that nobody has locked yet, `begin` makes it, and
/// `native` is the host's stream.
export class Readable {}
inherit(Readable, { state: READABLE, error: undefined, disturbed: false, reader: null, control: null, begin: null, native: null });

/// Whether a value is a ReadableStream; the record of one.
export let isReadableStream, readableOf;

export class ReadableStream {
  #stream;

  constructor(source = undefined, strategy = undefined) {
    if (source === INTERNAL) {
      this.#stream = strategy;
      return;
    }
    this.#stream = new Readable();
    if (source === null) throw new TypeError("ReadableStream: the source is an object, not null");
    setUp(this.#stream, dictionary(source, "ReadableStream: the source"), strategy);
  }

  get locked() { return this.#stream.reader !== null; }

  cancel(reason = undefined) {
    return promising(this, (stream) => {
      requireUnlocked(stream, "cancel");
      return cancelStream(begun(stream), reason);
    });
  }

  getReader(options = undefined) {
    const stream = this.#stream;
    const mode = dictionary(options, "ReadableStream.getReader: the options").mode;
    if (mode === undefined) return acquireReader(stream);
    if (toDOMString(mode) !== "byob") throw new TypeError(`ReadableStream.getReader: mode can only be "byob", not "${mode}"`);
    return acquireByobReader(stream);
  }

  pipeThrough(transform, options = undefined) {
    const stream = this.#stream;
    requireArguments(arguments.length, 1, "ReadableStream.pipeThrough");
    const pair = dictionary(transform, "ReadableStream.pipeThrough: the transform");
    const { readable } = pair;
    if (!isReadableStream(readable)) throw new TypeError("ReadableStream.pipeThrough: transform.readable is no ReadableStream");
    const { writable } = pair;
    if (!isWritableStream(writable)) throw new TypeError("ReadableStream.pipeThrough: transform.writable is no WritableStream");
    const how = pipeOptions(options, "ReadableStream.pipeThrough");
    requireUnlocked(stream, "pipeThrough");
    if (isWritableLocked(writable)) throw new TypeError("ReadableStream.pipeThrough: transform.writable is locked to a writer");
    PromisePrototypeThen(pipe(begun(stream), writableOf(writable), how), undefined, ignore);
    return readable;
  }

  pipeTo(destination, options = undefined) {
    return promising(this, (stream) => {
      if (!isWritableStream(destination)) throw new TypeError("ReadableStream.pipeTo: the destination is no WritableStream");
      const how = pipeOptions(options, "ReadableStream.pipeTo");
      requireUnlocked(stream, "pipeTo");
      if (isWritableLocked(destination)) throw new TypeError("ReadableStream.pipeTo: the destination is locked to a writer");
      return pipe(begun(stream), writableOf(destination), how);
    });
  }

  tee() {
    const stream = this.#stream;
    requireUnlocked(stream, "tee");
    return teeStream(begun(stream), false);
  }

  values(options = undefined) {
    const stream = this.#stream;
    const preventCancel = !!dictionary(options, "ReadableStream.values: the options").preventCancel;
    return makeAsyncIterator(acquireReading(stream), preventCancel);
  }

  static from(source) {
    requireArguments(arguments.length, 1, "ReadableStream.from");
    return streamFrom(source);
  }

  static {
    readableOf = (stream) => stream.#stream;
    isReadableStream = (value) => value !== null && typeof value === "object" && #stream in value;
  }
}

/// A public stream of a record.
export const facade = (stream) => new ReadableStream(INTERNAL, stream);

// Methods that give promises throw nothing.
const promising = (owner, work) => {
  try {
    return work(readableOf(owner));
  } catch (error) {
    return PromiseReject(error);
  }
};

const requireUnlocked = (stream, what) => {
  if (stream.reader !== null) throw new TypeError(`ReadableStream.${what}: the stream is locked to a reader`);
};

const pipeOptions = (options, where) => {
  const given = dictionary(options, `${where}: the options`);
  const preventAbort = !!given.preventAbort;
  const preventCancel = !!given.preventCancel;
  const preventClose = !!given.preventClose;
  const { signal } = given;
  if (signal !== undefined && !isAbortSignal(signal)) throw new TypeError(`${where}: signal is no AbortSignal`);
  return { preventAbort, preventCancel, preventClose, signal };
};

// What a program's source says, read in the order of Web IDL.
const setUp = (stream, source, strategy) => {
  const { highWaterMark, size } = strategyFrom(strategy, "ReadableStream");
  const chunkSize = source.autoAllocateChunkSize;
  const autoAllocate = chunkSize === undefined ? undefined : +chunkSize;
  const cancel = method(source, "cancel", "ReadableStream: source");
  const pull = method(source, "pull", "ReadableStream: source");
  const start = method(source, "start", "ReadableStream: source");
  const { type } = source;
  if (type !== undefined && toDOMString(type) !== "bytes") throw new TypeError(`ReadableStream: type can only be "bytes", not "${type}"`);
  const isBytes = type !== undefined;
  if (isBytes && size !== null) throw new RangeError("ReadableStream: a stream of bytes has no strategy with size");
  const mark = markOr(highWaterMark, isBytes ? 0 : 1, "ReadableStream");
  const control = isBytes ? new ByteControl(stream, mark, autoAllocate) : new DefaultControl(stream, mark, size);
  control.begin({
    start: start === undefined ? undefined : () => ReflectApply(start, source, [control.facade]),
    pull: pull === undefined ? null : () => promiseCall(pull, source, [control.facade]),
    cancel: cancel === undefined ? null : (reason) => promiseCall(cancel, source, [reason]),
  });
};

/// The record, with its control.
export const begun = (stream) => {
  if (stream.begin !== null) {
    const { begin } = stream;
    stream.begin = null;
    stream.native = null;
    begin(stream);
  }
  return stream;
};

/// Ends a stream well.
export const closeStream = (stream) => {
  stream.state = CLOSED;
  const { reader } = stream;
  if (reader !== null) reader.streamClosed();
};

/// Ends a stream badly.
export const errorStream = (stream, error) => {
  stream.state = ERRORED;
  stream.error = error;
  const { reader } = stream;
  if (reader !== null) reader.streamErrored(error);
};

/// Says that nobody will read the rest. Gives a promise of undefined.
export const cancelStream = (stream, reason) => {
  stream.disturbed = true;
  if (stream.state === CLOSED) return PromiseResolve(undefined);
  if (stream.state === ERRORED) return PromiseReject(stream.error);
  closeStream(stream);
  if (stream.reader !== null) stream.reader.streamCancelled();
  return PromisePrototypeThen(stream.control.cancelSteps(reason), ignore);
};

defineInterface(ReadableStream);
defineHidden(ReadableStream.prototype, SymbolAsyncIterator, ReadableStream.prototype.values);
