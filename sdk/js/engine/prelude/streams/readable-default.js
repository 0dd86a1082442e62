// The controller of a ReadableStream of any chunks: its record, and ReadableStreamDefaultController over it.
import { PromiseResolve, TypeError, defineInterface } from "dayfly:primordials";
import { Queue, RESOLVED, inherit, upon } from "dayfly:streams/common";
import { READABLE, CLOSED, ERRORED, closeStream, errorStream } from "dayfly:streams/readable";

/// What a default controller is. `size` null means that each chunk counts as one.
export class DefaultControl {
  constructor(stream, highWaterMark, size) {
    this.stream = stream;
    this.queue = new Queue();
    this.highWaterMark = highWaterMark;
    this.size = size;
    stream.control = this;
  }

  /// The public controller.
  get facade() { return this.madeFacade ??= new ReadableStreamDefaultController(INTERNAL, this); }

  /// Starts with a source: `start()` may give a promise or be undefined, `pull()` and `cancel(reason)` give promises or are null.
  begin({ start, pull, cancel }) {
    this.pullAlgorithm = pull;
    this.cancelAlgorithm = cancel;
    if (pull !== null) {
      this.pulled = () => {
        this.pulling = false;
        if (!this.pullAgain) return;
        this.pullAgain = false;
        this.callPull();
      };
    }
    this.pullFailed = (error) => this.fail(error);
    const result = start?.();
    upon(result === undefined ? RESOLVED : PromiseResolve(result), () => {
      this.started = true;
      this.callPull();
    }, this.pullFailed);
  }

  /// How much more the queue wants; null of a stream in error.
  get desiredSize() {
    if (this.stream.state === ERRORED) return null;
    return this.stream.state === CLOSED ? 0 : this.highWaterMark - this.queue.total;
  }

  get canCloseOrEnqueue() { return !this.closeRequested && this.stream.state === READABLE; }

  /// Asks the source for more if there is need.
  callPull() {
    if (this.pullAlgorithm === null || !this.shouldPull()) return;
    if (this.pulling) {
      this.pullAgain = true;
      return;
    }
    this.pulling = true;
    upon(this.pullAlgorithm(), this.pulled, this.pullFailed);
  }

  /// Whether the source is to be asked for more.
  shouldPull() {
    const { stream } = this;
    if (!this.started || !this.canCloseOrEnqueue) return false;
    if (stream.reader !== null && stream.reader.requests.length > 0) return true;
    return this.highWaterMark - this.queue.total > 0;
  }

  clearAlgorithms() {
    this.pullAlgorithm = null;
    this.cancelAlgorithm = null;
    this.size = null;
  }

  close() {
    if (!this.canCloseOrEnqueue) return;
    this.closeRequested = true;
    if (this.queue.length > 0) return;
    this.clearAlgorithms();
    closeStream(this.stream);
  }

  enqueue(chunk) {
    if (!this.canCloseOrEnqueue) return;
    const { stream } = this;
    const { reader } = stream;
    if (reader !== null && reader.requests.length > 0) {
      reader.takeRequest().chunk(chunk);
    } else {
      this.put(chunk);
    }
    this.callPull();
  }

  put(chunk) {
    try {
      this.queue.push(chunk, this.size === null ? 1 : +this.size(chunk));
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  fail(error) {
    if (this.stream.state !== READABLE) return;
    this.queue.clear();
    this.clearAlgorithms();
    errorStream(this.stream, error);
  }

  hasChunk() { return this.queue.length > 0; }

  /// The next chunk. There is one.
  takeChunk() {
    const chunk = this.queue.shift();
    if (this.closeRequested && this.queue.length === 0) {
      this.clearAlgorithms();
      closeStream(this.stream);
    } else {
      this.callPull();
    }
    return chunk;
  }

  pullSteps(request) {
    if (this.queue.length > 0) {
      request.chunk(this.takeChunk());
      return;
    }
    const { requests } = this.stream.reader;
    requests[requests.length] = request;
    this.callPull();
  }

  cancelSteps(reason) {
    this.queue.clear();
    const cancel = this.cancelAlgorithm;
    this.clearAlgorithms();
    return cancel === null ? RESOLVED : cancel(reason);
  }

  releaseSteps() {}
}
inherit(DefaultControl, {
  started: false, closeRequested: false, pulling: false, pullAgain: false, pullAlgorithm: null, cancelAlgorithm: null, pulled: null, pullFailed: null,
  madeFacade: null,
});

const INTERNAL = {};

export class ReadableStreamDefaultController {
  #control;

  constructor(token = undefined, control = undefined) {
    if (token !== INTERNAL) throw new TypeError("ReadableStreamDefaultController can't be constructed: a stream's start and pull are given theirs");
    this.#control = control;
  }

  get desiredSize() { return this.#control.desiredSize; }

  close() {
    const control = this.#control;
    if (!control.canCloseOrEnqueue) throw new TypeError(`ReadableStreamDefaultController.close: the stream is ${stateOf(control)}`);
    control.close();
  }

  enqueue(chunk = undefined) {
    const control = this.#control;
    if (!control.canCloseOrEnqueue) throw new TypeError(`ReadableStreamDefaultController.enqueue: the stream is ${stateOf(control)}`);
    control.enqueue(chunk);
  }

  error(error = undefined) { this.#control.fail(error); }
}

const stateOf = ({ stream }) => (stream.state === ERRORED ? "in error" : "closed already");

defineInterface(ReadableStreamDefaultController);
