// WritableStream: the stream and its state machine. Writers and controllers are in files of their own; the algorithms are those of the Streams
// standard, over records.
import {
  PromisePrototypeThen, PromiseReject, PromiseResolve, RangeError, ReflectApply, TypeError, defineInterface, newPromise,
} from "dayfly:primordials";
import { dictionary, inherit, markOr, method, promiseCall, strategyFrom } from "dayfly:streams/common";
import { WritableControl } from "dayfly:streams/writable-controller";
import { Writing, newWriter } from "dayfly:streams/writable-writer";

export const WRITABLE = 0;
export const ERRORING = 1;
const CLOSED = 2;
const ERRORED = 3;

const INTERNAL = {};

/// What a WritableStream is. `writes` are the deferreds of writes that wait, oldest first, `writing` that of the one which the sink has; `closeRequest`
/// and `closing` are the same of the close. `abort` is `{ deferred, reason, wasErroring }` of an abort that waits for the sink.
export class Writable {
  constructor() { this.writes = []; }

  get hasErrored() { return this.state === ERRORED || this.state === ERRORING; }
  get isClosed() { return this.state === CLOSED; }
  get isErrored() { return this.state === ERRORED; }
}
inherit(Writable, {
  state: WRITABLE, error: undefined, control: null, writer: null, backpressure: false, writing: null, closeRequest: null, closing: null, abort: null,
});

/// Whether a value is a WritableStream; the record of one.
export let isWritableStream, writableOf;

export class WritableStream {
  #stream;

  constructor(sink = undefined, strategy = undefined) {
    if (sink === INTERNAL) {
      this.#stream = strategy;
      return;
    }
    this.#stream = new Writable();
    if (sink === null) throw new TypeError("WritableStream: the sink is an object, not null");
    setUp(this.#stream, dictionary(sink, "WritableStream: the sink"), strategy);
  }

  get locked() { return this.#stream.writer !== null; }

  abort(reason = undefined) {
    return promising(this, (stream) => {
      requireUnlocked(stream, "abort");
      return abortWritable(stream, reason);
    });
  }

  close() {
    return promising(this, (stream) => {
      requireUnlocked(stream, "close");
      requireNotClosing(stream, "WritableStream.close");
      return closeWritable(stream);
    });
  }

  getWriter() { return newWriter(this.#stream); }

  static {
    writableOf = (stream) => stream.#stream;
    isWritableStream = (value) => value !== null && typeof value === "object" && #stream in value;
  }
}

/// A public stream of a record.
export const writableFacade = (stream) => new WritableStream(INTERNAL, stream);

export const isWritableLocked = (stream) => writableOf(stream).writer !== null;

/// A writer of the prelude's own on a stream that nobody has locked.
export const acquireWriting = (stream) => new Writing(stream);

const promising = (owner, work) => {
  try {
    return work(writableOf(owner));
  } catch (error) {
    return PromiseReject(error);
  }
};

const requireUnlocked = (stream, what) => {
  if (stream.writer !== null) throw new TypeError(`WritableStream.${what}: the stream is locked to a writer`);
};

/// Throws if the stream is being closed.
export const requireNotClosing = (stream, where) => {
  if (closeIsUnderWay(stream)) throw new TypeError(`${where}: the stream is being closed already`);
};

const setUp = (stream, sink, strategy) => {
  const { highWaterMark, size } = strategyFrom(strategy, "WritableStream");
  const abort = method(sink, "abort", "WritableStream: sink");
  const close = method(sink, "close", "WritableStream: sink");
  const start = method(sink, "start", "WritableStream: sink");
  if (sink.type !== undefined) throw new RangeError("WritableStream: sink.type can't be set yet");
  const write = method(sink, "write", "WritableStream: sink");
  const control = new WritableControl(stream, markOr(highWaterMark, 1, "WritableStream"), size);
  control.begin({
    start: start === undefined ? undefined : () => ReflectApply(start, sink, [control.facade]),
    write: write === undefined ? null : (chunk) => promiseCall(write, sink, [chunk, control.facade]),
    close: close === undefined ? null : () => promiseCall(close, sink, []),
    abort: abort === undefined ? null : (reason) => promiseCall(abort, sink, [reason]),
  });
};

export const closeIsUnderWay = (stream) => stream.closeRequest !== null || stream.closing !== null;

/// Stops a stream: what waits is thrown away. Gives a promise of the sink's abort.
export const abortWritable = (stream, reason) => {
  if (stream.state === CLOSED || stream.state === ERRORED) return PromiseResolve(undefined);
  stream.control.abortSignal(reason);
  // The signal's listeners may have changed it.
  if (stream.state === CLOSED || stream.state === ERRORED) return PromiseResolve(undefined);
  if (stream.abort !== null) return stream.abort.deferred.promise;
  const wasErroring = stream.state === ERRORING;
  const deferred = newPromise();
  stream.abort = { deferred, reason: wasErroring ? undefined : reason, wasErroring };
  if (!wasErroring) startErroring(stream, reason);
  return deferred.promise;
};

/// Closes a stream once everything is written. The caller has looked that it isn't closing yet.
export const closeWritable = (stream) => {
  if (stream.state === CLOSED || stream.state === ERRORED) {
    return PromiseReject(new TypeError(`the WritableStream is ${stream.state === CLOSED ? "closed already" : "in error"}`));
  }
  stream.closeRequest = newPromise();
  const { promise } = stream.closeRequest;
  if (stream.writer !== null && stream.backpressure && stream.state === WRITABLE) stream.writer.ready.resolve();
  stream.control.close();
  return promise;
};

/// From now on nothing more is written; what the sink has is waited for.
export const startErroring = (stream, reason) => {
  stream.state = ERRORING;
  stream.error = reason;
  if (stream.writer !== null) stream.writer.rejectReady(reason);
  if (!isSinkBusy(stream) && stream.control.started) finishErroring(stream);
};

const isSinkBusy = (stream) => stream.writing !== null || stream.closing !== null;

/// An error that may come while another is dealt with.
export const dealWithRejection = (stream, error) => {
  if (stream.state === WRITABLE) startErroring(stream, error);
  else finishErroring(stream);
};

/// The sink is idle, and the stream is in error for good.
export const finishErroring = (stream) => {
  stream.state = ERRORED;
  stream.control.clearQueue();
  const { writes } = stream;
  stream.writes = [];
  for (let i = 0; i < writes.length; i++) writes[i].reject(stream.error);
  const { abort } = stream;
  if (abort === null) return rejectClose(stream);
  stream.abort = null;
  if (abort.wasErroring) {
    abort.deferred.reject(stream.error);
    return rejectClose(stream);
  }
  PromisePrototypeThen(stream.control.abortSteps(abort.reason), () => {
    abort.deferred.resolve(undefined);
    rejectClose(stream);
  }, (error) => {
    abort.deferred.reject(error);
    rejectClose(stream);
  });
};

const rejectClose = (stream) => {
  if (stream.closeRequest !== null) {
    stream.closeRequest.reject(stream.error);
    stream.closeRequest = null;
  }
  if (stream.writer !== null) stream.writer.closed.reject(stream.error);
};

/// The sink has written what it had.
export const finishWrite = (stream) => {
  stream.writing.resolve(undefined);
  stream.writing = null;
};

/// The sink could not write what it had.
export const finishWriteWithError = (stream, error) => {
  stream.writing.reject(error);
  stream.writing = null;
  dealWithRejection(stream, error);
};

/// The sink is closed.
export const finishClose = (stream) => {
  stream.closing.resolve(undefined);
  stream.closing = null;
  if (stream.state === ERRORING) {
    stream.error = undefined;
    if (stream.abort !== null) {
      stream.abort.deferred.resolve(undefined);
      stream.abort = null;
    }
  }
  stream.state = CLOSED;
  if (stream.writer !== null) stream.writer.closed.resolve();
};

/// The sink could not be closed.
export const finishCloseWithError = (stream, error) => {
  stream.closing.reject(error);
  stream.closing = null;
  if (stream.abort !== null) {
    stream.abort.deferred.reject(error);
    stream.abort = null;
  }
  dealWithRejection(stream, error);
};

/// Tells the writer whether the queue is full.
export const updateBackpressure = (stream, backpressure) => {
  if (stream.writer !== null && backpressure !== stream.backpressure) {
    if (backpressure) stream.writer.ready.renew();
    else stream.writer.ready.resolve();
  }
  stream.backpressure = backpressure;
};

defineInterface(WritableStream);
