// The controller of a ReadableStream of bytes: its record. Readers may bring their own memory (BYOB), so buffers are moved about, never shared.
//
// `pending` are the pulls into such memory, oldest first: `{ buffer, bufferLength, offset, length, filled, least, elementSize, View, readerKind }`.
import {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, ArrayBufferPrototypeSlice, ArrayBufferPrototypeTransfer, ArrayPrototypeShift, DataView,
  DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, MathMin, PromisePrototypeThen, PromiseReject,
  PromiseResolve,  RangeError, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, Uint8Array,
} from "dayfly:primordials";
import { RESOLVED, inherit, upon } from "dayfly:streams/common";
import { READABLE, CLOSED, ERRORED, closeStream, errorStream } from "dayfly:streams/readable";
import { ByobReading, DefaultReading } from "dayfly:streams/readers";
import { newByobRequest, newByteController } from "dayfly:streams/readable-byte-controller";

const KIND_DEFAULT = 0;
const KIND_BYOB = 1;
const KIND_NONE = 2;

// The language's own, by the names that views say they have.
const VIEWS = { __proto__: null };
const NAMES = [
  "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float16Array", "Float32Array",
  "Float64Array", "BigInt64Array", "BigUint64Array",
];
for (let i = 0; i < NAMES.length; i++) VIEWS[NAMES[i]] = globalThis[NAMES[i]];

/// A view's parts: `{ buffer, offset, length, View, elementSize }`.
export const partsOf = (view) => {
  const name = TypedArrayPrototypeGetSymbolToStringTag(view);
  if (name === undefined) {
    return {
      buffer: DataViewPrototypeGetBuffer(view), offset: DataViewPrototypeGetByteOffset(view), length: DataViewPrototypeGetByteLength(view),
      View: DataView, elementSize: 1,
    };
  }
  const View = VIEWS[name];
  return {
    buffer: TypedArrayPrototypeGetBuffer(view), offset: TypedArrayPrototypeGetByteOffset(view), length: TypedArrayPrototypeGetByteLength(view),
    View, elementSize: View.BYTES_PER_ELEMENT,
  };
};

/// What a controller of bytes is. `queue` holds `{ buffer, offset, length }`, the sizes being the lengths, which `total` sums up.
export class ByteControl {
  constructor(stream, highWaterMark, autoAllocate) {
    if (autoAllocate !== undefined && !(autoAllocate >= 1)) throw new TypeError("ReadableStream: autoAllocateChunkSize is a whole number above 0");
    this.stream = stream;
    this.queue = [];
    this.pending = [];
    this.highWaterMark = highWaterMark;
    this.autoAllocate = autoAllocate === undefined ? undefined : autoAllocate - (autoAllocate % 1);
    stream.control = this;
  }

  get facade() { return this.madeFacade ??= newByteController(this); }

  /// Starts with a program's source, as a DefaultControl does.
  begin({ start, pull, cancel }) {
    this.setAlgorithms(pull, cancel);
    const result = start?.();
    upon(result === undefined ? RESOLVED : PromiseResolve(result), () => {
      this.started = true;
      this.callPull();
    }, this.pullFailed);
  }

  /// Starts with a source of the platform's own: `next()` gives, now or as a promise, a Uint8Array that nobody else has, or null at the end.
  beginWith(next, cancel) {
    const deliver = (bytes) => {
      if (this.stream.state !== READABLE) return;
      if (bytes !== null) return this.enqueueOwn(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes), TypedArrayPrototypeGetByteLength(bytes));
      this.close();
      if (this.pending.length > 0) this.respond(0);
    };
    const pull = () => {
      const bytes = next();
      if (bytes !== null && TypedArrayPrototypeGetSymbolToStringTag(bytes) === undefined) return PromisePrototypeThen(bytes, deliver);
      deliver(bytes);
      return RESOLVED;
    };
    this.setAlgorithms(() => attempt(pull), cancel);
    this.started = true;
  }

  setAlgorithms(pull, cancel) {
    this.pullAlgorithm = pull;
    this.cancelAlgorithm = cancel;
    this.pulled = () => {
      this.pulling = false;
      if (!this.pullAgain) return;
      this.pullAgain = false;
      this.callPull();
    };
    this.pullFailed = (error) => this.fail(error);
  }

  get desiredSize() {
    if (this.stream.state === ERRORED) return null;
    return this.stream.state === CLOSED ? 0 : this.highWaterMark - this.total;
  }

  callPull() {
    if (this.pullAlgorithm === null || !this.shouldPull()) return;
    if (this.pulling) {
      this.pullAgain = true;
      return;
    }
    this.pulling = true;
    upon(this.pullAlgorithm(), this.pulled, this.pullFailed);
  }

  shouldPull() {
    const { stream } = this;
    if (!this.started || this.closeRequested || stream.state !== READABLE) return false;
    if (stream.reader !== null && stream.reader.requests.length > 0) return true;
    return this.highWaterMark - this.total > 0;
  }

  clearAlgorithms() {
    this.pullAlgorithm = null;
    this.cancelAlgorithm = null;
  }

  clearQueue() {
    this.queue = [];
    this.total = 0;
  }

  clearPending() {
    this.invalidateRequest();
    this.pending = [];
  }

  invalidateRequest() {
    if (this.byobRequest === null) return;
    this.byobRequest.invalidate();
    this.byobRequest = null;
  }

  /// What a program's source may fill now: a ReadableStreamBYOBRequest, or null.
  requestFacade() {
    if (this.byobRequest === null && this.pending.length > 0) {
      const first = this.pending[0];
      const view = new Uint8Array(first.buffer, first.offset + first.filled, first.length - first.filled);
      this.byobRequest = newByobRequest(this, view);
    }
    return this.byobRequest === null ? null : this.byobRequest.facade;
  }

  close() {
    if (this.closeRequested || this.stream.state !== READABLE) return;
    if (this.total > 0) {
      this.closeRequested = true;
      return;
    }
    if (this.pending.length > 0 && this.pending[0].filled % this.pending[0].elementSize !== 0) {
      const error = new TypeError("the stream ended inside an element of the view that is being filled");
      this.fail(error);
      throw error;
    }
    this.clearAlgorithms();
    closeStream(this.stream);
  }

  fail(error) {
    if (this.stream.state !== READABLE) return;
    this.clearPending();
    this.clearQueue();
    this.clearAlgorithms();
    errorStream(this.stream, error);
  }

  cancelSteps(reason) {
    this.clearPending();
    this.clearQueue();
    const cancel = this.cancelAlgorithm;
    this.clearAlgorithms();
    return cancel === null ? RESOLVED : cancel(reason);
  }

  releaseSteps() {
    if (this.pending.length === 0) return;
    const first = this.pending[0];
    first.readerKind = KIND_NONE;
    this.pending = [first];
  }

  /// Takes a chunk of a program's.
  enqueue(view) {
    if (this.closeRequested || this.stream.state !== READABLE) return;
    const { buffer, offset, length } = partsOf(view);
    if (ArrayBufferPrototypeGetDetached(buffer)) throw new TypeError("ReadableByteStreamController.enqueue: the chunk's buffer is detached");
    this.enqueueOwn(ArrayBufferPrototypeTransfer(buffer), offset, length);
  }

  /// Takes bytes of a buffer that nobody else has.
  enqueueOwn(buffer, offset, length) {
    if (this.pending.length > 0) this.beforeEnqueue();
    const { reader } = this.stream;
    if (reader instanceof DefaultReading) {
      this.enqueueForDefault(reader, buffer, offset, length);
    } else {
      this.put(buffer, offset, length);
      if (reader !== null) this.commitAll(this.fillPending());
    }
    this.callPull();
  }

  beforeEnqueue() {
    const first = this.pending[0];
    if (ArrayBufferPrototypeGetDetached(first.buffer)) throw new TypeError("ReadableByteStreamController.enqueue: the buffer of the BYOB request is detached, so it can't be filled");
    this.invalidateRequest();
    first.buffer = ArrayBufferPrototypeTransfer(first.buffer);
    if (first.readerKind === KIND_NONE) this.keepFilled(first);
  }

  enqueueForDefault(reader, buffer, offset, length) {
    while (reader.requests.length > 0 && this.total > 0) reader.takeRequest().chunk(this.takeChunk());
    if (reader.requests.length === 0) {
      this.put(buffer, offset, length);
      return;
    }
    if (this.pending.length > 0) this.shiftPending();
    reader.takeRequest().chunk(new Uint8Array(buffer, offset, length));
  }

  put(buffer, offset, length) {
    this.queue[this.queue.length] = { buffer, offset, length };
    this.total += length;
  }

  // What was written into memory whose reader is gone, kept for the next one.
  keepFilled(pull) {
    if (pull.filled > 0) this.putClone(pull.buffer, pull.offset, pull.filled);
    this.shiftPending();
  }

  putClone(buffer, offset, length) { this.put(ArrayBufferPrototypeSlice(buffer, offset, offset + length), 0, length); }

  shiftPending() { return ArrayPrototypeShift(this.pending); }

  hasChunk() { return this.total > 0; }

  /// The next chunk. There is one.
  takeChunk() {
    const { buffer, offset, length } = ArrayPrototypeShift(this.queue);
    this.total -= length;
    this.queueDrained();
    return new Uint8Array(buffer, offset, length);
  }

  queueDrained() {
    if (this.total === 0 && this.closeRequested) {
      this.clearAlgorithms();
      closeStream(this.stream);
    } else {
      this.callPull();
    }
  }

  pullSteps(request) {
    if (this.total > 0) {
      request.chunk(this.takeChunk());
      return;
    }
    if (this.autoAllocate !== undefined) {
      let buffer;
      try {
        buffer = new ArrayBuffer(this.autoAllocate);
      } catch (error) {
        request.error(error);
        return;
      }
      this.addPending({ buffer, offset: 0, length: this.autoAllocate, View: Uint8Array, elementSize: 1 }, 1, KIND_DEFAULT);
    }
    this.addRequest(request);
  }

  addRequest(request) {
    const { requests } = this.stream.reader;
    requests[requests.length] = request;
    this.callPull();
  }

  addPending(parts, least, readerKind) {
    const pull = { ...parts, bufferLength: ArrayBufferPrototypeGetByteLength(parts.buffer), filled: 0, least, readerKind };
    this.pending[this.pending.length] = pull;
    return pull;
  }

  /// Reads into a view, at least `min` elements of it.
  pullInto(view, min, request) {
    const parts = partsOf(view);
    try {
      parts.buffer = ArrayBufferPrototypeTransfer(parts.buffer);
    } catch (error) {
      request.error(error);
      return;
    }
    if (this.pending.length === 0) {
      if (this.stream.state === CLOSED) {
        request.close(new parts.View(parts.buffer, parts.offset, 0));
        return;
      }
      if (this.total > 0) {
        this.pullFromQueue(parts, min, request);
        return;
      }
    }
    this.addPending(parts, min * parts.elementSize, KIND_BYOB);
    this.addRequest(request);
  }

  // Answers a pull with what is queued, or takes that and waits for more.
  pullFromQueue(parts, min, request) {
    const pull = this.addPending(parts, min * parts.elementSize, KIND_BYOB);
    this.shiftPending();
    if (this.fillFromQueue(pull)) {
      const view = viewOf(pull);
      this.queueDrained();
      request.chunk(view);
      return;
    }
    if (this.closeRequested) {
      const error = new TypeError("the stream ends inside an element of the view to be filled");
      this.fail(error);
      request.error(error);
      return;
    }
    this.pending[0] = pull;
    this.addRequest(request);
  }

  fillFromQueue(pull) {
    const most = MathMin(this.total, pull.length - pull.filled);
    const aligned = pull.filled + most - ((pull.filled + most) % pull.elementSize);
    const isReady = aligned >= pull.least;
    let left = isReady ? aligned - pull.filled : most;
    while (left > 0) {
      const head = this.queue[0];
      const count = MathMin(left, head.length);
      TypedArrayPrototypeSet(new Uint8Array(pull.buffer), new Uint8Array(head.buffer, head.offset, count), pull.offset + pull.filled);
      if (head.length === count) ArrayPrototypeShift(this.queue);
      head.offset += count;
      head.length -= count;
      this.total -= count;
      pull.filled += count;
      left -= count;
    }
    return isReady;
  }

  // Fills what waits from the queue. Gives the pulls that are done.
  fillPending() {
    const done = [];
    while (this.pending.length > 0 && this.total > 0) {
      if (this.fillFromQueue(this.pending[0])) done[done.length] = this.shiftPending();
    }
    return done;
  }

  commitAll(pulls) {
    for (let i = 0; i < pulls.length; i++) this.commit(pulls[i]);
  }

  commit(pull) {
    const isDone = this.stream.state === CLOSED;
    const view = viewOf(pull);
    const request = this.stream.reader.takeRequest();
    if (!isDone) request.chunk(view);
    else request.close(pull.readerKind === KIND_DEFAULT ? undefined : view);
  }

  /// The source wrote so many bytes into what it was asked to fill.
  respond(count) {
    const first = this.pending[0];
    if (this.stream.state === CLOSED) {
      if (count !== 0) throw new TypeError("ReadableStreamBYOBRequest.respond: the stream is closed, so only 0 bytes can be written");
    } else {
      if (count === 0) throw new TypeError("ReadableStreamBYOBRequest.respond: 0 bytes say nothing: close the stream at its end");
      if (first.filled + count > first.length) throw new RangeError(`ReadableStreamBYOBRequest.respond: ${count} bytes are more than there is room for`);
    }
    first.buffer = ArrayBufferPrototypeTransfer(first.buffer);
    this.responded(count);
  }

  /// The same with a view of the memory, as it was given or moved.
  respondWith(view) {
    const first = this.pending[0];
    const { buffer, offset, length } = partsOf(view);
    const isClosed = this.stream.state === CLOSED;
    if (isClosed && length !== 0) throw new TypeError("ReadableStreamBYOBRequest.respondWithNewView: the stream is closed, so only an empty view can be given");
    if (!isClosed && length === 0) throw new TypeError("ReadableStreamBYOBRequest.respondWithNewView: an empty view says nothing: close the stream at its end");
    if (first.offset + first.filled !== offset) throw new RangeError("ReadableStreamBYOBRequest.respondWithNewView: the view begins elsewhere than the one to fill");
    if (first.bufferLength !== ArrayBufferPrototypeGetByteLength(buffer)) throw new RangeError("ReadableStreamBYOBRequest.respondWithNewView: the buffer has another size than the one to fill");
    if (first.filled + length > first.length) throw new RangeError("ReadableStreamBYOBRequest.respondWithNewView: the view is longer than the one to fill");
    first.buffer = ArrayBufferPrototypeTransfer(buffer);
    this.responded(length);
  }

  responded(count) {
    const first = this.pending[0];
    this.invalidateRequest();
    if (this.stream.state === CLOSED) this.respondClosed(first);
    else this.respondReadable(count, first);
    this.callPull();
  }

  respondClosed(first) {
    if (first.readerKind === KIND_NONE) this.shiftPending();
    const { reader } = this.stream;
    if (!(reader instanceof ByobReading)) return;
    const done = [];
    while (done.length < reader.requests.length) done[done.length] = this.shiftPending();
    this.commitAll(done);
  }

  respondReadable(count, pull) {
    pull.filled += count;
    if (pull.readerKind === KIND_NONE) {
      this.keepFilled(pull);
      this.commitAll(this.fillPending());
      return;
    }
    if (pull.filled < pull.least) return;
    this.shiftPending();
    const rest = pull.filled % pull.elementSize;
    if (rest > 0) {
      const end = pull.offset + pull.filled;
      this.putClone(pull.buffer, end - rest, rest);
      pull.filled -= rest;
    }
    const done = this.fillPending();
    this.commit(pull);
    this.commitAll(done);
  }
}

inherit(ByteControl, {
  total: 0, started: false, closeRequested: false, pulling: false, pullAgain: false, byobRequest: null, pullAlgorithm: null, cancelAlgorithm: null,
  pulled: null, pullFailed: null, madeFacade: null,
});

const viewOf = (pull) => new pull.View(ArrayBufferPrototypeTransfer(pull.buffer), pull.offset, pull.filled / pull.elementSize);

const attempt = (pull) => {
  try {
    return pull();
  } catch (error) {
    return PromiseReject(error);
  }
};
