// Splitting a ReadableStream in two: both branches get every chunk, as fast as the faster one asks.
import { PromisePrototypeThen, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSlice, newPromise } from "dayfly:primordials";
import { RESOLVED, later } from "dayfly:streams/common";
import { Readable, cancelStream, facade } from "dayfly:streams/readable";
import { ByteControl } from "dayfly:streams/readable-byte";
import { teeBytes } from "dayfly:streams/readable-tee-bytes";
import { DefaultControl } from "dayfly:streams/readable-default";
import { acquireReading, readChunk } from "dayfly:streams/readers";
import { structuredClone } from "dayfly:structured-clone";

/// A record of a stream of chunks with a source of the platform's own.
export const makeReadable = (source, highWaterMark = 1, size = null) => {
  const stream = new Readable();
  new DefaultControl(stream, highWaterMark, size).begin(source);
  return stream;
};

/// Two public streams. With `copies`, the second one's chunks are copies, as the clone of a request or response has them.
export const teeStream = (stream, copies) => (stream.control instanceof ByteControl ? teeBytes(stream) : teeChunks(stream, copies));

/// What two branches know of each other: who was cancelled, and why. `cancel(i)` gives the algorithm of branch `i`.
export const newTee = (stream) => {
  const tee = { stream, cancelled: [false, false], reasons: [undefined, undefined], done: newPromise(), cancel: null };
  tee.cancel = (branch) => (reason) => {
    tee.cancelled[branch] = true;
    tee.reasons[branch] = reason;
    if (tee.cancelled[1 - branch]) tee.done.resolve(cancelStream(stream, [tee.reasons[0], tee.reasons[1]]));
    return tee.done.promise;
  };
  return tee;
};

/// Both branches have ended: a cancellation of one of them has nothing more to wait for.
export const teeEnded = (tee) => {
  if (!tee.cancelled[0] || !tee.cancelled[1]) tee.done.resolve(undefined);
};

const copyChunk = (chunk) => (TypedArrayPrototypeGetSymbolToStringTag(chunk) === "Uint8Array" ? TypedArrayPrototypeSlice(chunk) : structuredClone(chunk));

const teeChunks = (stream, copies) => {
  const reading = acquireReading(stream);
  const tee = newTee(stream);
  const controls = [];
  let isReading = false;
  let readAgain = false;
  const give = (chunk) => {
    readAgain = false;
    let second = chunk;
    if (copies && !tee.cancelled[1]) {
      try {
        second = copyChunk(chunk);
      } catch (error) {
        controls[0].fail(error);
        controls[1].fail(error);
        tee.done.resolve(cancelStream(stream, error));
        return;
      }
    }
    if (!tee.cancelled[0]) controls[0].enqueue(chunk);
    if (!tee.cancelled[1]) controls[1].enqueue(second);
    isReading = false;
    if (readAgain) pull();
  };
  const request = {
    chunk: (chunk) => later(() => give(chunk)),
    close: () => {
      isReading = false;
      if (!tee.cancelled[0]) controls[0].close();
      if (!tee.cancelled[1]) controls[1].close();
      teeEnded(tee);
    },
    error: () => { isReading = false; },
  };
  const pull = () => {
    if (isReading) {
      readAgain = true;
      return RESOLVED;
    }
    isReading = true;
    readChunk(reading, request);
    return RESOLVED;
  };
  const branches = [];
  for (let i = 0; i < 2; i++) {
    branches[i] = makeReadable({ start: undefined, pull, cancel: tee.cancel(i) });
    controls[i] = branches[i].control;
  }
  PromisePrototypeThen(reading.closed.promise, undefined, (error) => {
    controls[0].fail(error);
    controls[1].fail(error);
    teeEnded(tee);
  });
  return [facade(branches[0]), facade(branches[1])];
};
