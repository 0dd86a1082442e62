// Blob and File: bytes that never change. Small enough to be in memory always, so a slice shares them and reading is one copy.
import {
  DateNow, MathMax, MathMin, MathTrunc, NumberIsNaN, PromiseReject, PromiseResolve, RegExpPrototypeExec, StringPrototypeToLowerCase,
  SymbolIterator, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeSet, TypedArrayPrototypeSlice, TypedArrayPrototypeSubarray,
  Uint8Array, bytesOf, defineInterface, describeType, requireArguments, toUSVString,
} from "dayfly:primordials";
import { decodeUtf8, encodeUtf8 } from "dayfly:encoding";
import { streamOfBytes } from "dayfly:streams/bodies";
import { cloneAs } from "dayfly:structured-clone";

// Given by the platform itself as the first argument: the second is the bytes, which become the blob's own, the third the type.
const INTERNAL = {};
const NO_TYPE = /[^\x20-\x7e]/;

/// Whether a value is a Blob; its bytes, which nobody may change.
export let isBlob, blobBytes;

export class Blob {
  #bytes;
  #type = "";

  constructor(parts = undefined, options = undefined, type = undefined) {
    if (parts === INTERNAL) {
      this.#bytes = options;
      this.#type = type;
      return;
    }
    const pieces = partsOf(parts, "Blob");
    const given = dictionary(options, "Blob");
    const endings = given?.endings === undefined ? "transparent" : `${given.endings}`;
    if (endings !== "transparent" && endings !== "native") throw new TypeError(`Blob: endings is "transparent" or "native", not "${endings}"`);
    const wanted = given?.type === undefined ? "" : `${given.type}`;
    this.#type = RegExpPrototypeExec(NO_TYPE, wanted) === null ? StringPrototypeToLowerCase(wanted) : "";
    this.#bytes = join(pieces, endings === "native");
  }

  get size() { return this.#bytes.length; }
  get type() { return this.#type; }

  slice(start = undefined, end = undefined, contentType = undefined) {
    const bytes = this.#bytes;
    const from = clamp(start, 0, bytes.length);
    const to = clamp(end, bytes.length, bytes.length);
    const wanted = contentType === undefined ? "" : `${contentType}`;
    const type = RegExpPrototypeExec(NO_TYPE, wanted) === null ? StringPrototypeToLowerCase(wanted) : "";
    return newBlob(TypedArrayPrototypeSubarray(bytes, from, MathMax(from, to)), type);
  }

  arrayBuffer() { return attempt(() => TypedArrayPrototypeGetBuffer(TypedArrayPrototypeSlice(this.#bytes))); }
  bytes() { return attempt(() => TypedArrayPrototypeSlice(this.#bytes)); }
  text() { return attempt(() => decodeUtf8(this.#bytes)); }

  stream() {
    const bytes = this.#bytes;
    return streamOfBytes(() => bytes);
  }

  static {
    isBlob = (value) => value !== null && typeof value === "object" && #bytes in value;
    blobBytes = (blob) => blob.#bytes;
  }
}

/// A blob of bytes that from now on are its own.
export const newBlob = (bytes, type) => new Blob(INTERNAL, bytes, type);

const attempt = (read) => {
  try {
    return PromiseResolve(read());
  } catch (error) {
    return PromiseReject(error);
  }
};

const dictionary = (options, where) => {
  if (options === undefined || options === null) return undefined;
  if (typeof options !== "object" && typeof options !== "function") throw new TypeError(`${where}: the options are an object, not ${describeType(options)}`);
  return options;
};

// What the program iterates is iterated as the program has it.
const partsOf = (parts, where) => {
  const pieces = [];
  if (parts === undefined) return pieces;
  if (parts === null || (typeof parts !== "object" && typeof parts !== "function") || typeof parts[SymbolIterator] !== "function") {
    throw new TypeError(`${where}: the first argument is a list of parts, as in new ${where}(["text"])`);
  }
  for (const part of parts) pieces[pieces.length] = pieceOf(part);
  return pieces;
};

const pieceOf = (part) => {
  const bytes = bytesOf(part);
  if (bytes !== undefined) return TypedArrayPrototypeSlice(bytes);
  return isBlob(part) ? blobBytes(part) : toUSVString(part);
};

const join = (pieces, nativeEndings) => {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    if (typeof piece === "string") pieces[i] = encodeUtf8(nativeEndings ? withLineFeeds(piece) : piece);
    size += pieces[i].length;
  }
  if (pieces.length === 1) return pieces[0];
  const bytes = new Uint8Array(size);
  for (let i = 0, at = 0; i < pieces.length; at += pieces[i++].length) TypedArrayPrototypeSet(bytes, pieces[i], at);
  return bytes;
};

const withLineFeeds = (text) => {
  let converted = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\r") converted += text[i];
    else if (text[i + 1] !== "\n") converted += "\n";
  }
  return converted;
};

// Web IDL's `[Clamp] long long`, counted from the end if it is negative.
const clamp = (value, otherwise, size) => {
  if (value === undefined) return otherwise;
  const number = +value;
  const whole = NumberIsNaN(number) ? 0 : MathTrunc(number);
  return whole < 0 ? MathMax(size + whole, 0) : MathMin(whole, size);
};

/// Whether a value is a File.
export let isFile;

export class File extends Blob {
  #name;
  #lastModified;

  constructor(parts, name, options = undefined) {
    if (parts === INTERNAL) {
      super(INTERNAL, options.bytes, options.type);
      this.#name = name;
      this.#lastModified = options.lastModified;
      return;
    }
    requireArguments(arguments.length, 2, "File");
    super(partsGiven(parts), options);
    this.#name = toUSVString(name);
    const modified = options?.lastModified;
    this.#lastModified = modified === undefined ? DateNow() : MathTrunc(+modified) || 0;
  }

  get name() { return this.#name; }
  get lastModified() { return this.#lastModified; }

  static { isFile = (value) => value !== null && typeof value === "object" && #name in value; }
}

const partsGiven = (parts) => {
  if (parts === undefined) throw new TypeError('File: the first argument is a list of parts, as in new File(["text"], "name.txt")');
  return parts;
};

/// A file of a blob's bytes under another name.
export const fileOf = (blob, name) =>
  new File(INTERNAL, name, { bytes: blobBytes(blob), type: blob.type, lastModified: isFile(blob) ? blob.lastModified : DateNow() });

/// A file of bytes that from now on are its own.
export const newFile = (bytes, name, type) => new File(INTERNAL, name, { bytes, type, lastModified: DateNow() });

defineInterface(Blob);
defineInterface(File);

cloneAs(Blob, (blob) => newBlob(blobBytes(blob), blob.type));
cloneAs(File, (file) => fileOf(file, file.name));
