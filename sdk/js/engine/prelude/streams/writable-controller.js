// The controller of a WritableStream: its record, which feeds the sink one chunk after the other, and WritableStreamDefaultController over it.
import { ArrayPrototypeShift, PromiseResolve, TypeError, defineInterface } from "dayfly:primordials";
import { makeSignal, signalAbort } from "dayfly:abort";
import { Queue, RESOLVED, inherit, upon } from "dayfly:streams/common";
import {
  ERRORING, WRITABLE, closeIsUnderWay, dealWithRejection, finishClose, finishCloseWithError, finishErroring, finishWrite, finishWriteWithError,
  startErroring, updateBackpressure,
} from "dayfly:streams/writable";

// Queued behind the last chunk.
const CLOSE = {};

/// What a writable's controller is. `size` null means that each chunk counts as one.
export class WritableControl {
  constructor(stream, highWaterMark, size) {
    this.stream = stream;
    this.queue = new Queue();
    this.highWaterMark = highWaterMark;
    this.size = size;
    stream.control = this;
  }

  get facade() { return this.madeFacade ??= new WritableStreamDefaultController(INTERNAL, this); }

  get signal() {
    if (this.madeSignal === null) {
      this.madeSignal = makeSignal();
      if (this.aborted !== null) signalAbort(this.madeSignal, this.aborted.reason);
    }
    return this.madeSignal;
  }

  /// A signal that nobody asked for is not made for this.
  abortSignal(reason) {
    this.aborted ??= { reason };
    if (this.madeSignal !== null) signalAbort(this.madeSignal, reason);
  }

  /// Starts with a sink: `start()` may be undefined, the others give promises or are null.
  begin({ start, write, close, abort }) {
    this.writeAlgorithm = write;
    this.closeAlgorithm = close;
    this.abortAlgorithm = abort;
    updateBackpressure(this.stream, this.isFull);
    const result = start?.();
    upon(result === undefined ? RESOLVED : PromiseResolve(result), () => {
      this.started = true;
      this.advance();
    }, (error) => {
      this.started = true;
      dealWithRejection(this.stream, error);
    });
  }

  get desiredSize() { return this.highWaterMark - this.queue.total; }
  get isFull() { return this.desiredSize <= 0; }

  clearAlgorithms() {
    this.writeAlgorithm = null;
    this.closeAlgorithm = null;
    this.abortAlgorithm = null;
    this.size = null;
  }

  clearQueue() { this.queue.clear(); }

  abortSteps(reason) {
    const abort = this.abortAlgorithm;
    this.clearAlgorithms();
    return abort === null ? RESOLVED : abort(reason);
  }

  /// The size of a chunk. If the strategy throws, the stream is in error.
  sizeOf(chunk) {
    if (this.size === null) return 1;
    try {
      return +this.size(chunk);
    } catch (error) {
      this.failIfNeeded(error);
      return 1;
    }
  }

  write(chunk, size) {
    try {
      this.queue.push(chunk, size);
    } catch (error) {
      this.failIfNeeded(error);
      return;
    }
    const { stream } = this;
    if (!closeIsUnderWay(stream) && stream.state === WRITABLE) updateBackpressure(stream, this.isFull);
    this.advance();
  }

  close() {
    this.queue.push(CLOSE, 0);
    this.advance();
  }

  failIfNeeded(error) {
    if (this.stream.state === WRITABLE) this.fail(error);
  }

  fail(error) {
    this.clearAlgorithms();
    startErroring(this.stream, error);
  }

  advance() {
    const { stream } = this;
    if (!this.started || stream.writing !== null) return;
    if (stream.state === ERRORING) {
      finishErroring(stream);
      return;
    }
    if (this.queue.length === 0) return;
    const chunk = this.queue.peek();
    if (chunk === CLOSE) this.processClose();
    else this.processWrite(chunk);
  }

  processClose() {
    const { stream } = this;
    stream.closing = stream.closeRequest;
    stream.closeRequest = null;
    this.queue.shift();
    const closed = this.closeAlgorithm === null ? RESOLVED : this.closeAlgorithm();
    this.clearAlgorithms();
    upon(closed, () => finishClose(stream), (error) => finishCloseWithError(stream, error));
  }

  processWrite(chunk) {
    const { stream } = this;
    stream.writing = ArrayPrototypeShift(stream.writes);
    const written = this.writeAlgorithm === null ? RESOLVED : this.writeAlgorithm(chunk);
    upon(written, () => {
      finishWrite(stream);
      this.queue.shift();
      if (!closeIsUnderWay(stream) && stream.state === WRITABLE) updateBackpressure(stream, this.isFull);
      this.advance();
    }, (error) => {
      if (stream.state === WRITABLE) this.clearAlgorithms();
      finishWriteWithError(stream, error);
    });
  }
}

inherit(WritableControl, {
  started: false, writeAlgorithm: null, closeAlgorithm: null, abortAlgorithm: null, madeFacade: null, madeSignal: null, aborted: null,
});

const INTERNAL = {};

export class WritableStreamDefaultController {
  #control;

  constructor(token = undefined, control = undefined) {
    if (token !== INTERNAL) throw new TypeError("WritableStreamDefaultController can't be constructed: a sink's methods are given theirs");
    this.#control = control;
  }

  get signal() { return this.#control.signal; }

  error(error = undefined) { this.#control.failIfNeeded(error); }
}

defineInterface(WritableStreamDefaultController);
