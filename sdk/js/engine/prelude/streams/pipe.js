// Piping a ReadableStream into a WritableStream: chunks go on as fast as the destination takes them, and an end or error of one is passed to the other.
import { PromisePrototypeThen, PromiseReject, TypeError, newPromise } from "dayfly:primordials";
import { RESOLVED, ignore, later } from "dayfly:streams/common";
import { offAbort, onAbort } from "dayfly:abort";
import { CLOSED, ERRORED, READABLE, cancelStream } from "dayfly:streams/readable";
import { acquireReading, readChunk } from "dayfly:streams/readers";
import { WRITABLE, abortWritable, acquireWriting, closeIsUnderWay } from "dayfly:streams/writable";

/// Pipes, and gives a promise of the end. `how` is `{ preventAbort, preventCancel, preventClose, signal }`.
export const pipe = (source, destination, how) => new Pipe(source, destination, how).promise;

class Pipe {
  promise;
  #settle;
  #source;
  #destination;
  #how;
  #reading;
  #writing;
  #shuttingDown = false;
  #lastWrite = RESOLVED;
  #aborted = null;
  #request;

  constructor(source, destination, how) {
    this.#settle = newPromise();
    this.promise = this.#settle.promise;
    this.#source = source;
    this.#destination = destination;
    this.#how = how;
    this.#reading = acquireReading(source);
    this.#writing = acquireWriting(destination);
    source.disturbed = true;
    if (how.signal !== undefined && this.#watchSignal(how.signal)) return;
    this.#watchEnds();
    this.#request = {
      chunk: (chunk) => later(() => {
        this.#lastWrite = PromisePrototypeThen(this.#writing.write(chunk), undefined, ignore);
        this.#step();
      }),
      close: ignore,
      error: ignore,
    };
    this.#step();
  }

  // True if the signal has aborted already.
  #watchSignal(signal) {
    const { preventAbort, preventCancel } = this.#how;
    this.#aborted = () => {
      const { reason } = signal;
      const source = this.#source;
      const destination = this.#destination;
      this.#shutDown(() => {
        const aborting = preventAbort || destination.state !== WRITABLE ? RESOLVED : abortWritable(destination, reason);
        const cancelling = preventCancel || source.state !== READABLE ? RESOLVED : cancelStream(source, reason);
        return both(aborting, cancelling);
      }, true, reason);
    };
    if (signal.aborted) {
      this.#aborted();
      return true;
    }
    onAbort(signal, this.#aborted);
    return false;
  }

  // In the order of the standard: errors forwards, errors backwards, the end forwards, the end backwards.
  #watchEnds() {
    const { preventAbort, preventCancel, preventClose } = this.#how;
    const source = this.#source;
    const destination = this.#destination;
    const sourceFailed = (error) => this.#shutDown(preventAbort ? null : () => abortWritable(destination, error), true, error);
    const sourceClosed = () => this.#shutDown(preventClose ? null : () => this.#writing.closeFinally(), false, undefined);
    const destinationFailed = (error) => this.#shutDown(preventCancel ? null : () => cancelStream(source, error), true, error);
    if (source.state === ERRORED) sourceFailed(source.error);
    else if (source.state === READABLE) PromisePrototypeThen(this.#reading.closed.promise, undefined, sourceFailed);
    if (destination.hasErrored) destinationFailed(destination.error);
    else PromisePrototypeThen(this.#writing.closed.promise, undefined, destinationFailed);
    if (source.state === CLOSED) sourceClosed();
    else PromisePrototypeThen(this.#reading.closed.promise, sourceClosed, ignore);
    if (closeIsUnderWay(destination) || destination.isClosed) {
      destinationFailed(new TypeError("the destination of the pipe closed before all of the source was written"));
    }
  }

  #step() {
    if (this.#shuttingDown) return;
    if (this.#writing.ready.isPending) {
      PromisePrototypeThen(this.#writing.ready.promise, () => this.#step(), ignore);
      return;
    }
    if (this.#reading.stream !== null && this.#source.state === READABLE && this.#destination.state === WRITABLE) readChunk(this.#reading, this.#request);
  }

  // Waits for what is being written, does `action`, if there is one, and ends.
  #shutDown(action, isError, error) {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    const act = () => {
      if (action === null) return this.#finish(isError, error);
      PromisePrototypeThen(action(), () => this.#finish(isError, error), (newError) => this.#finish(true, newError));
    };
    const destination = this.#destination;
    if (destination.state === WRITABLE && !closeIsUnderWay(destination)) this.#afterWrites(act);
    else act();
  }

  #afterWrites(act) {
    const last = this.#lastWrite;
    PromisePrototypeThen(last, () => (last === this.#lastWrite ? act() : this.#afterWrites(act)));
  }

  #finish(isError, error) {
    this.#writing.release();
    this.#reading.release();
    if (this.#aborted !== null) offAbort(this.#how.signal, this.#aborted);
    if (isError) this.#settle.reject(error);
    else this.#settle.resolve(undefined);
  }
}

const both = (first, second) => PromisePrototypeThen(
  PromisePrototypeThen(first, () => second, (error) => PromisePrototypeThen(second, () => PromiseReject(error), () => PromiseReject(error))),
  ignore,
);
