// TransformStream: a writable and a readable end with a function between them. The algorithms are those of the Streams standard.
import {
  PromisePrototypeThen, PromiseReject, RangeError, ReflectApply, TypeError, defineInterface, newPromise,
} from "dayfly:primordials";
import { Eventually, RESOLVED, dictionary, markOr, method, promiseCall, strategyFrom, upon } from "dayfly:streams/common";
import { DefaultControl } from "dayfly:streams/readable-default";
import { ERRORED, Readable, facade } from "dayfly:streams/readable";
import { WritableControl } from "dayfly:streams/writable-controller";
import { ERRORING, Writable, writableFacade } from "dayfly:streams/writable";

const INTERNAL = {};

// What a TransformStream is. The algorithms `transform(chunk)`, `flush()` and `cancel(reason)` give promises or are null.
class Transform {
  readable = new Readable();
  writable = new Writable();
  backpressure = true;
  /// What waits for the readable end to want more.
  wanted = new Eventually();
  transform = null;
  flush = null;
  cancel = null;
  /// The promise of an end that was begun from one of both sides.
  finishing = null;

  /// Makes both ends. Nothing flows before `starting`, a promise, is fulfilled; undefined means at once.
  begin(starting, writableMark, writableSize, readableMark, readableSize) {
    const start = starting === undefined ? undefined : () => starting;
    new WritableControl(this.writable, writableMark, writableSize).begin({
      start,
      write: (chunk) => this.#sinkWrite(chunk),
      close: () => this.#sinkClose(),
      abort: (reason) => this.#sinkAbort(reason),
    });
    new DefaultControl(this.readable, readableMark, readableSize).begin({
      start,
      pull: () => this.#sourcePull(),
      cancel: (reason) => this.#sourceCancel(reason),
    });
  }

  setBackpressure(backpressure) {
    this.wanted.resolve();
    this.wanted.renew();
    this.backpressure = backpressure;
  }

  clearAlgorithms() {
    this.transform = null;
    this.flush = null;
    this.cancel = null;
  }

  fail(error) {
    this.readable.control.fail(error);
    this.failWritable(error);
  }

  failWritable(error) {
    this.clearAlgorithms();
    this.writable.control.failIfNeeded(error);
    if (this.backpressure) this.setBackpressure(false);
  }

  terminate() {
    this.readable.control.close();
    this.failWritable(new TypeError("the TransformStream was terminated"));
  }

  enqueue(chunk) {
    const { control } = this.readable;
    if (!control.canCloseOrEnqueue) throw new TypeError("TransformStreamDefaultController.enqueue: the readable end is closed or in error");
    try {
      control.enqueue(chunk);
    } catch (error) {
      this.failWritable(error);
      throw this.readable.error;
    }
    const isFull = !control.shouldPull();
    if (isFull !== this.backpressure) this.setBackpressure(true);
  }

  #sinkWrite(chunk) {
    if (!this.backpressure) return this.#perform(chunk);
    return PromisePrototypeThen(this.wanted.promise, () => {
      if (this.writable.state === ERRORING) throw this.writable.error;
      return this.#perform(chunk);
    });
  }

  #perform(chunk) {
    if (this.transform === null) {
      try {
        this.enqueue(chunk);
        return RESOLVED;
      } catch (error) {
        this.fail(error);
        return PromiseReject(error);
      }
    }
    return PromisePrototypeThen(this.transform(chunk), undefined, (error) => {
      this.fail(error);
      throw error;
    });
  }

  // Runs the algorithm that ends the stream, and then `settle(finishing, failed, error)`.
  #finish(algorithm, succeed, failWith) {
    const finishing = newPromise();
    this.finishing = finishing.promise;
    const ended = algorithm === null ? RESOLVED : algorithm();
    this.clearAlgorithms();
    upon(ended, () => succeed(finishing), (error) => {
      failWith(error);
      finishing.reject(error);
    });
    return finishing.promise;
  }

  #sinkClose() {
    if (this.finishing !== null) return this.finishing;
    const { readable } = this;
    return this.#finish(this.flush, (finishing) => {
      if (readable.state === ERRORED) return finishing.reject(readable.error);
      readable.control.close();
      finishing.resolve(undefined);
    }, (error) => readable.control.fail(error));
  }

  #sinkAbort(reason) {
    if (this.finishing !== null) return this.finishing;
    const { readable, cancel } = this;
    return this.#finish(cancel === null ? null : () => cancel(reason), (finishing) => {
      if (readable.state === ERRORED) return finishing.reject(readable.error);
      readable.control.fail(reason);
      finishing.resolve(undefined);
    }, (error) => readable.control.fail(error));
  }

  #sourcePull() {
    this.setBackpressure(false);
    return this.wanted.promise;
  }

  #sourceCancel(reason) {
    if (this.finishing !== null) return this.finishing;
    const { writable, cancel } = this;
    const unblock = () => { if (this.backpressure) this.setBackpressure(false); };
    return this.#finish(cancel === null ? null : () => cancel(reason), (finishing) => {
      if (writable.isErrored) return finishing.reject(writable.error);
      writable.control.failIfNeeded(reason);
      unblock();
      finishing.resolve(undefined);
    }, (error) => {
      writable.control.failIfNeeded(error);
      unblock();
    });
  }
}

export class TransformStream {
  #readable;
  #writable;

  constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
    if (transformer === null) throw new TypeError("TransformStream: the transformer is an object, not null");
    const transform = new Transform();
    setUp(transform, dictionary(transformer, "TransformStream: the transformer"), writableStrategy, readableStrategy);
    this.#readable = facade(transform.readable);
    this.#writable = writableFacade(transform.writable);
  }

  get readable() { return this.#readable; }
  get writable() { return this.#writable; }
}

const setUp = (transform, transformer, writableStrategy, readableStrategy) => {
  const writable = strategyFrom(writableStrategy, "TransformStream");
  const readable = strategyFrom(readableStrategy, "TransformStream");
  const cancel = method(transformer, "cancel", "TransformStream: transformer");
  const flush = method(transformer, "flush", "TransformStream: transformer");
  const { readableType } = transformer;
  const start = method(transformer, "start", "TransformStream: transformer");
  const work = method(transformer, "transform", "TransformStream: transformer");
  const { writableType } = transformer;
  if (readableType !== undefined) throw new RangeError("TransformStream: readableType can't be set yet");
  if (writableType !== undefined) throw new RangeError("TransformStream: writableType can't be set yet");
  const readableMark = markOr(readable.highWaterMark, 0, "TransformStream");
  const writableMark = markOr(writable.highWaterMark, 1, "TransformStream");
  const starting = start === undefined ? undefined : newPromise();
  transform.begin(starting?.promise, writableMark, writable.size, readableMark, readable.size);
  const controller = new TransformStreamDefaultController(INTERNAL, transform);
  if (work !== undefined) transform.transform = (chunk) => promiseCall(work, transformer, [chunk, controller]);
  if (flush !== undefined) transform.flush = () => promiseCall(flush, transformer, [controller]);
  if (cancel !== undefined) transform.cancel = (reason) => promiseCall(cancel, transformer, [reason]);
  if (start !== undefined) starting.resolve(ReflectApply(start, transformer, [controller]));
};

/// The two ends of a transformation of the platform's own: `transform(chunk, enqueue)` and `flush(enqueue)` are functions that may throw or give
/// promises. What makes many chunks of one awaits `wanted()` between them, which is undefined if the reader wants more already.
export const makeTransform = (work, end) => {
  const transform = new Transform();
  transform.begin(undefined, 1, null, 0, null);
  const enqueue = (chunk) => transform.enqueue(chunk);
  const wanted = () => (transform.backpressure ? transform.wanted.promise : undefined);
  transform.transform = (chunk) => promiseCall(work, undefined, [chunk, enqueue, wanted]);
  transform.flush = () => promiseCall(end, undefined, [enqueue, wanted]);
  return { readable: facade(transform.readable), writable: writableFacade(transform.writable) };
};

export class TransformStreamDefaultController {
  #transform;

  constructor(token = undefined, transform = undefined) {
    if (token !== INTERNAL) throw new TypeError("TransformStreamDefaultController can't be constructed: a transformer's methods are given theirs");
    this.#transform = transform;
  }

  get desiredSize() { return this.#transform.readable.control.desiredSize; }
  enqueue(chunk = undefined) { this.#transform.enqueue(chunk); }
  error(reason = undefined) { this.#transform.fail(reason); }
  terminate() { this.#transform.terminate(); }
}

defineInterface(TransformStream);
defineInterface(TransformStreamDefaultController);
