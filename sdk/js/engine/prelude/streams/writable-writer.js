// The writer of a WritableStream: its record, and WritableStreamDefaultWriter over it.
import { PromiseReject, PromiseResolve, TypeError, defineInterface, newPromise } from "dayfly:primordials";
import { Eventually, inherit } from "dayfly:streams/common";
import {
  ERRORING, abortWritable, closeIsUnderWay, closeWritable, isWritableStream, requireNotClosing, writableOf,
} from "dayfly:streams/writable";

/// What a writer is to its stream.
export class Writing {
  constructor(stream) {
    this.stream = stream;
    this.ready = new Eventually();
    this.closed = new Eventually();
    stream.writer = this;
    if (stream.state === ERRORING || stream.isErrored) this.ready.reject(stream.error);
    else if (stream.isClosed || !stream.backpressure || closeIsUnderWay(stream)) this.ready.resolve();
    if (stream.isClosed) this.closed.resolve();
    else if (stream.isErrored) this.closed.reject(stream.error);
  }

  rejectReady(error) {
    if (!this.ready.isPending) this.ready.renew();
    this.ready.reject(error);
  }

  #rejectClosed(error) {
    if (!this.closed.isPending) this.closed.renew();
    this.closed.reject(error);
  }

  get desiredSize() {
    const { stream } = this;
    if (stream.hasErrored) return null;
    return stream.isClosed ? 0 : stream.control.desiredSize;
  }

  write(chunk) {
    const { stream } = this;
    const size = stream.control.sizeOf(chunk);
    // The strategy's code may have released this writer.
    if (stream !== this.stream) return PromiseReject(released());
    if (stream.isErrored) return PromiseReject(stream.error);
    if (stream.isClosed || closeIsUnderWay(stream)) return PromiseReject(new TypeError("the WritableStream is closed, so nothing more can be written"));
    if (stream.state === ERRORING) return PromiseReject(stream.error);
    const deferred = newPromise();
    stream.writes[stream.writes.length] = deferred;
    stream.control.write(chunk, size);
    return deferred.promise;
  }

  /// Closes, or says how it ended already.
  closeFinally() {
    const { stream } = this;
    if (closeIsUnderWay(stream) || stream.isClosed) return PromiseResolve(undefined);
    if (stream.isErrored) return PromiseReject(stream.error);
    return closeWritable(stream);
  }

  release() {
    const { stream } = this;
    const error = released();
    this.rejectReady(error);
    this.#rejectClosed(error);
    stream.writer = null;
    this.stream = null;
  }
}

inherit(Writing, { stream: null });

const released = () => new TypeError("the writer was released and can't be used any more");
const notOne = () => PromiseReject(new TypeError("this is no WritableStreamDefaultWriter"));

const INTERNAL = {};

export class WritableStreamDefaultWriter {
  #writing;

  constructor(stream, record = undefined) {
    if (stream === INTERNAL) {
      this.#writing = record;
      return;
    }
    if (!isWritableStream(stream)) throw new TypeError("WritableStreamDefaultWriter: the argument is no WritableStream");
    this.#writing = lock(writableOf(stream), "WritableStreamDefaultWriter");
  }

  get closed() { return #writing in this ? this.#writing.closed.promise : notOne(); }
  get ready() { return #writing in this ? this.#writing.ready.promise : notOne(); }

  get desiredSize() {
    const writing = this.#writing;
    if (writing.stream === null) throw released();
    return writing.desiredSize;
  }

  abort(reason = undefined) {
    if (!(#writing in this)) return notOne();
    const { stream } = this.#writing;
    return stream === null ? PromiseReject(released()) : abortWritable(stream, reason);
  }

  close() {
    if (!(#writing in this)) return notOne();
    const { stream } = this.#writing;
    if (stream === null) return PromiseReject(released());
    try {
      requireNotClosing(stream, "WritableStreamDefaultWriter.close");
      return closeWritable(stream);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  write(chunk = undefined) {
    if (!(#writing in this)) return notOne();
    return this.#writing.stream === null ? PromiseReject(released()) : this.#writing.write(chunk);
  }

  releaseLock() {
    const writing = this.#writing;
    if (writing.stream !== null) writing.release();
  }
}

const lock = (stream, where) => {
  if (stream.writer !== null) throw new TypeError(`${where}: the stream is locked to a writer already`);
  return new Writing(stream);
};

/// A writer of a record.
export const newWriter = (stream) => new WritableStreamDefaultWriter(INTERNAL, lock(stream, "WritableStream.getWriter"));

defineInterface(WritableStreamDefaultWriter);
