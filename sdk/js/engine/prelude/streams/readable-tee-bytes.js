// Splitting a stream of bytes in two. A branch that is read with memory of its reader's (BYOB) has the source fill that memory, and the other
// branch gets a copy.
import { PromisePrototypeThen, TypedArrayPrototypeSlice, Uint8Array } from "dayfly:primordials";
import { RESOLVED, later } from "dayfly:streams/common";
import { Readable, cancelStream, facade } from "dayfly:streams/readable";
import { ByteControl, partsOf } from "dayfly:streams/readable-byte";
import { newTee, teeEnded } from "dayfly:streams/readable-tee";
import { acquireByobReading, acquireReading, readBytesInto, readChunk } from "dayfly:streams/readers";

/// Two public streams.
export const teeBytes = (stream) => new ByteTee(stream).branches;

class ByteTee {
  #tee;
  #stream;
  #reading;
  #readsViews = false;
  #controls = [];
  #isReading = false;
  #again = [false, false];
  branches = [];

  constructor(stream) {
    this.#tee = newTee(stream);
    this.#stream = stream;
    this.#reading = acquireReading(stream);
    for (let i = 0; i < 2; i++) {
      const branch = new Readable();
      this.#controls[i] = new ByteControl(branch, 0, undefined);
      this.#controls[i].begin({ start: undefined, pull: () => this.#pull(i), cancel: this.#tee.cancel(i) });
      this.branches[i] = facade(branch);
    }
    this.#watch();
  }

  // An error of the stream is one of both branches, unless another reader has taken over by then.
  #watch() {
    const reading = this.#reading;
    PromisePrototypeThen(reading.closed.promise, undefined, (error) => {
      if (reading !== this.#reading) return;
      this.#failBoth(error);
      teeEnded(this.#tee);
    });
  }

  #failBoth(error) {
    this.#controls[0].fail(error);
    this.#controls[1].fail(error);
  }

  #pull(branch) {
    if (this.#isReading) {
      this.#again[branch] = true;
      return RESOLVED;
    }
    this.#isReading = true;
    const request = this.#controls[branch].requestFacade();
    if (request === null) this.#pullChunk();
    else this.#pullView(request.view, branch);
    return RESOLVED;
  }

  #switchReader(toViews) {
    if (this.#readsViews === toViews) return;
    this.#reading.release();
    this.#reading = toViews ? acquireByobReading(this.#stream) : acquireReading(this.#stream);
    this.#readsViews = toViews;
    this.#watch();
  }

  #pullChunk() {
    this.#switchReader(false);
    readChunk(this.#reading, {
      chunk: (chunk) => later(() => this.#give(chunk)),
      close: () => {
        this.#isReading = false;
        for (let i = 0; i < 2; i++) {
          if (!this.#tee.cancelled[i]) this.#controls[i].close();
        }
        for (let i = 0; i < 2; i++) {
          if (this.#controls[i].pending.length > 0) this.#controls[i].respond(0);
        }
        teeEnded(this.#tee);
      },
      error: () => { this.#isReading = false; },
    });
  }

  #give(chunk) {
    this.#again = [false, false];
    let second = chunk;
    if (!this.#tee.cancelled[0] && !this.#tee.cancelled[1]) {
      second = this.#copy(chunk);
      if (second === null) return;
    }
    if (!this.#tee.cancelled[0]) this.#controls[0].enqueue(chunk);
    if (!this.#tee.cancelled[1]) this.#controls[1].enqueue(second);
    this.#next();
  }

  #copy(chunk) {
    try {
      const { buffer, offset, length } = partsOf(chunk);
      return TypedArrayPrototypeSlice(new Uint8Array(buffer, offset, length));
    } catch (error) {
      this.#failBoth(error);
      this.#tee.done.resolve(cancelStream(this.#stream, error));
      return null;
    }
  }

  #next() {
    this.#isReading = false;
    if (this.#again[0]) this.#pull(0);
    else if (this.#again[1]) this.#pull(1);
  }

  #pullView(view, branch) {
    this.#switchReader(true);
    const own = this.#controls[branch];
    const other = this.#controls[1 - branch];
    readBytesInto(this.#reading, view, 1, {
      chunk: (chunk) => later(() => this.#giveView(chunk, branch)),
      close: (chunk) => {
        this.#isReading = false;
        const { cancelled } = this.#tee;
        if (!cancelled[branch]) own.close();
        if (!cancelled[1 - branch]) other.close();
        if (chunk !== undefined) {
          if (!cancelled[branch]) own.respondWith(chunk);
          if (!cancelled[1 - branch] && other.pending.length > 0) other.respond(0);
        }
        teeEnded(this.#tee);
      },
      error: () => { this.#isReading = false; },
    });
  }

  #giveView(chunk, branch) {
    this.#again = [false, false];
    const own = this.#controls[branch];
    const { cancelled } = this.#tee;
    if (!cancelled[1 - branch]) {
      const copy = this.#copy(chunk);
      if (copy === null) return;
      if (!cancelled[branch]) own.respondWith(chunk);
      this.#controls[1 - branch].enqueue(copy);
    } else if (!cancelled[branch]) {
      own.respondWith(chunk);
    }
    this.#next();
  }
}
