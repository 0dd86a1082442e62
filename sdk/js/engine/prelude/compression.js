// CompressionStream and DecompressionStream. Pieces go on as they are asked for: what unpacks to a thousand times its size is held back like
// any other stream.
import native from "dayfly:native";
import { makeTransform } from "dayfly:streams/transform";
import {
  TypeError, TypedArrayPrototypeSlice, TypedArrayPrototypeSubarray, Uint8Array, bytesOf, defineInterface, requireArguments, toDOMString,
} from "dayfly:primordials";

const NOTHING = new Uint8Array(0);

/// Works on a chunk until nothing more comes of it. `step(bytes)` gives `[taken, piece, isDone]`; says whether the end is reached.
const exhaust = async (step, chunk, enqueue, wanted) => {
  let rest = chunk;
  for (;;) {
    const done = step(rest);
    const [taken, piece] = [done[0], done[1]];
    rest = TypedArrayPrototypeSubarray(rest, taken);
    if (piece.length > 0) {
      enqueue(piece);
      await wanted();
    } else if (rest.length === 0 || taken === 0) {
      return done[2];
    }
  }
};

const chunkOf = (chunk, where) => {
  const bytes = bytesOf(chunk);
  if (bytes === undefined) throw new TypeError(`${where}: a chunk is an ArrayBuffer or a view of one`);
  // While it waits, the caller may change what it wrote.
  return TypedArrayPrototypeSlice(bytes);
};

const handleOf = (make, format, where) => {
  const name = toDOMString(format);
  const handle = make(name);
  if (handle === undefined) throw new TypeError(`${where}: there is no format "${name}": there are gzip, deflate and deflate-raw`);
  return handle;
};

export class CompressionStream {
  #ends;

  constructor(format) {
    requireArguments(arguments.length, 1, "CompressionStream");
    const handle = handleOf(native.packer, format, "CompressionStream");
    const more = (bytes) => native.pack(handle, bytes, false);
    const last = (bytes) => native.pack(handle, bytes, true);
    this.#ends = makeTransform(
      async (chunk, enqueue, wanted) => { await exhaust(more, chunkOf(chunk, "CompressionStream"), enqueue, wanted); },
      async (enqueue, wanted) => { await exhaust(last, NOTHING, enqueue, wanted); },
    );
  }

  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

export class DecompressionStream {
  #ends;

  constructor(format) {
    requireArguments(arguments.length, 1, "DecompressionStream");
    const handle = handleOf(native.unpacker, format, "DecompressionStream");
    let isDone = false;
    const step = (bytes) => {
      const done = native.unpack(handle, bytes);
      if (done === undefined) throw new TypeError(isDone ? "DecompressionStream: there is data behind the end" : `DecompressionStream: the data is no ${format}`);
      isDone = done[2];
      return done;
    };
    this.#ends = makeTransform(
      async (chunk, enqueue, wanted) => { await exhaust(step, chunkOf(chunk, "DecompressionStream"), enqueue, wanted); },
      async (enqueue, wanted) => {
        if (!(await exhaust(step, NOTHING, enqueue, wanted))) throw new TypeError("DecompressionStream: the data ends too early");
      },
    );
  }

  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

defineInterface(CompressionStream);
defineInterface(DecompressionStream);
