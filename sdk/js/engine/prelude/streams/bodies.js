// Streams of bodies: made of bytes in memory or of a stream of the host's, begun when somebody locks them, and taken apart again when nobody did.
import native from "dayfly:native";
import {
  PromisePrototypeThen, TypeError, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice, Uint8Array, describeType, newPromise,
} from "dayfly:primordials";
import { RESOLVED } from "dayfly:streams/common";
import { READABLE, Readable, begun, cancelStream, closeStream, facade, readableOf } from "dayfly:streams/readable";
import { ByteControl } from "dayfly:streams/readable-byte";
import { DefaultReading, acquireReading, readChunk } from "dayfly:streams/readers";
import { makeReadable, teeStream } from "dayfly:streams/readable-tee";

export { isReadableStream } from "dayfly:streams/readable";

export const isDisturbed = (stream) => readableOf(stream).disturbed;
export const isLocked = (stream) => readableOf(stream).reader !== null;

const lazy = (begin, handle) => {
  const stream = new Readable();
  stream.begin = begin;
  stream.native = handle;
  return facade(stream);
};

const beginWith = (stream, next, cancel) => new ByteControl(stream, 0, undefined).beginWith(next, cancel);

/// A stream of what `bytes()` gives, which is not changed.
export const streamOfBytes = (bytes) => lazy((stream) => {
  let rest = bytes();
  // The reader may change what it gets, and a body may be read again by its clone.
  const next = () => {
    if (rest === null || rest.length === 0) return null;
    const chunk = TypedArrayPrototypeSlice(rest);
    rest = null;
    return chunk;
  };
  beginWith(stream, next, () => {
    rest = null;
    return RESOLVED;
  });
}, null);

/// A stream of a body of the host's, by its number.
export const streamOfNative = (body) => lazy((stream) => {
  beginWith(stream, () => native.bodyPull(body), () => {
    native.bodyCancel(body);
    return RESOLVED;
  });
}, body);

/// Breaks off a stream that `streamOfNative` made of this body, unless it has ended or went another way.
export const abortNativeStream = (stream, body, reason) => {
  const record = readableOf(stream);
  if (record.state !== READABLE) return;
  begun(record).control.fail(reason);
  native.bodyCancel(body);
};

/// The number of the host's body behind a stream that nobody has locked or read, which is then read by whoever asked; else null.
export const takeNative = (stream) => {
  const record = readableOf(stream);
  const { native: body } = record;
  if (body === null || record.reader !== null || record.disturbed) return null;
  markConsumed(stream);
  return body;
};

/// Makes a stream that nobody has locked one that was read to its end: its bytes went another way.
export const markConsumed = (stream) => {
  const record = readableOf(stream);
  record.begin = null;
  record.native = null;
  record.disturbed = true;
  closeStream(record);
  if (record.reader === null) record.reader = new DefaultReading(record);
};

/// Another stream with the rest of one, which is locked from now on.
export const movedStream = (stream) => {
  const body = takeNative(stream);
  if (body !== null) return streamOfNative(body);
  const record = begun(readableOf(stream));
  const reading = acquireReading(record);
  const pull = () => {
    const { promise, resolve, reject } = newPromise();
    readChunk(reading, {
      chunk: (chunk) => {
        moved.control.enqueue(chunk);
        resolve(undefined);
      },
      close: () => {
        moved.control.close();
        resolve(undefined);
      },
      error: reject,
    });
    return promise;
  };
  const moved = makeReadable({ start: undefined, pull, cancel: (reason) => cancelStream(record, reason) }, 0);
  return facade(moved);
};

/// Two streams of what one has, which is locked from now on.
export const teeForClone = (stream) => teeStream(begun(readableOf(stream)), true);

/// A promise of all bytes of a stream, which is locked from now on. Chunks that are no Uint8Arrays are a TypeError.
export const readAllBytes = (stream) => {
  const reading = acquireReading(readableOf(stream));
  const { promise, resolve, reject } = newPromise();
  const chunks = [];
  let size = 0;
  // 0: `read` is not running. 1: it asked, and has no answer yet. 2: it has one.
  let turn = 0;
  const request = {
    chunk: (chunk) => {
      if (TypedArrayPrototypeGetSymbolToStringTag(chunk) !== "Uint8Array") {
        const error = new TypeError(`Body is unusable: its stream gave ${describeType(chunk)} instead of a Uint8Array`);
        reject(error);
        PromisePrototypeThen(cancelStream(reading.stream, error), undefined, () => {});
        return;
      }
      chunks[chunks.length] = chunk;
      size += TypedArrayPrototypeGetLength(chunk);
      if (turn === 0) read();
      else turn = 2;
    },
    close: () => resolve(join(chunks, size)),
    error: reject,
  };
  // Chunks that are there already are taken in a loop, so that many of them don't pile up calls.
  const read = () => {
    do {
      turn = 1;
      readChunk(reading, request);
    } while (turn === 2);
    turn = 0;
  };
  read();
  return promise;
};

const join = (chunks, size) => {
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(size);
  for (let i = 0, at = 0; i < chunks.length; at += TypedArrayPrototypeGetLength(chunks[i++])) TypedArrayPrototypeSet(bytes, chunks[i], at);
  return bytes;
};
