// Bodies of requests and responses: what they may be made of, and how they are read.
//
// The state of a Request or Response has four fields for its body: `kind`, `source`, `stream` and `used`. A body stays what it was made of, a string
// or bytes or a stream of the host's, until somebody asks for `body`; no stream, promise or Blob is made on its way. Strings and bytes go out in
// one call, a stream of the host's is passed on by the host (`outgoingBody`).
import {
  JSONParse, PromisePrototypeThen, PromiseReject, PromiseResolve, StringPrototypeSlice, StringPrototypeToLowerCase, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeSlice, bytesOf, ObjectGetOwnPropertyDescriptor, defineProperty, toUSVString, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeSlice,
} from "dayfly:primordials";
import { decodeUtf8, encodeUtf8 } from "dayfly:encoding";
import { isURLSearchParams } from "dayfly:url-search-params";
import { getField } from "dayfly:fields";
import { blobBytes, isBlob, newBlob } from "dayfly:blob";
import { isFormData, parseFormData } from "dayfly:form-data";
import { serializeMultipart } from "dayfly:multipart";
import { extractMimeType, serializeMimeType } from "dayfly:mime";
import { nativeBytes, nativeJson, nativeText } from "dayfly:native-body";
import {
  isDisturbed, isLocked, isReadableStream, markConsumed, movedStream, readAllBytes, streamOfBytes, streamOfNative, takeNative, teeForClone,
} from "dayfly:streams/bodies";

/// What a body is made of: nothing, a string, a Uint8Array, a Blob, a stream of the host's, a ReadableStream of the program's.
export const NONE = 0;
export const TEXT = 1;
export const BYTES = 2;
const BLOB = 3;
export const NATIVE = 4;
export const STREAM = 5;
/// The body of a request that came in, before anybody asked whether there is one. `source` is the function that tells: it gives the host's stream, or
/// null.
export const LAZY = 6;

/// The content type of a string.
export const TEXT_TYPE = "text/plain;charset=UTF-8";

/// Takes what a program gave as a body into a state. Gives the content type that goes with it, or null.
export const setBody = (state, init, where) => {
  if (typeof init === "string") {
    state.kind = TEXT;
    state.source = toUSVString(init);
    return TEXT_TYPE;
  }
  return init === null || init === undefined ? null : setBodyObject(state, init, where);
};

const setBodyObject = (state, init, where) => {
  const bytes = bytesOf(init);
  if (bytes !== undefined) return put(state, BYTES, TypedArrayPrototypeSlice(bytes), null);
  if (isReadableStream(init)) return setBodyStream(state, init, where);
  if (isBlob(init)) return put(state, BLOB, init, init.type === "" ? null : init.type);
  if (isURLSearchParams(init)) return put(state, TEXT, `${init}`, "application/x-www-form-urlencoded;charset=UTF-8");
  if (isFormData(init)) {
    const { bytes: form, type } = serializeMultipart(init);
    return put(state, BYTES, form, type);
  }
  return put(state, TEXT, toUSVString(init), TEXT_TYPE);
};

const put = (state, kind, source, type) => {
  state.kind = kind;
  state.source = source;
  return type;
};

const resolveLazy = (state) => {
  state.source = state.source();
  state.kind = state.source === null ? NONE : NATIVE;
};

const setBodyStream = (state, stream, where) => {
  if (isDisturbed(stream)) throw new TypeError(`${where}: the ReadableStream was read already`);
  if (isLocked(stream)) throw new TypeError(`${where}: the ReadableStream is locked to a reader`);
  state.kind = STREAM;
  state.source = state.stream = stream;
  return null;
};

/// Whether the body was read, or begun to be.
export const isUsed = (state) => state.used || (state.stream !== null && isDisturbed(state.stream));

/// Whether there is a body, read or not.
export const hasBody = (state) => {
  if (state.kind === LAZY) resolveLazy(state);
  return state.kind !== NONE;
};

/// Throws if the body can't be read any more.
const requireUsable = (state) => {
  if (isUsed(state)) throw new TypeError("Body is unusable: it was read already. To read it twice, call clone() first");
  if (state.stream !== null && isLocked(state.stream)) throw new TypeError("Body is unusable: its stream is locked to a reader");
};

// Before a body is read whole: from now on it counts as read. A stream that was made for it and not touched only has to say so too.
const take = (state) => {
  requireUsable(state);
  if (state.kind === LAZY) resolveLazy(state);
  if (state.kind === NONE) return;
  state.used = true;
  if (state.stream !== null && state.kind !== STREAM) markConsumed(state.stream);
};

const streamedText = (state) => PromisePrototypeThen(readAllBytes(state.source), decodeUtf8);

const readText = (state) => {
  take(state);
  switch (state.kind) {
    case NONE: return PromiseResolve("");
    case TEXT: return PromiseResolve(withoutMark(state.source));
    case NATIVE: return nativeText(state.source);
    case STREAM: return streamedText(state);
    default: return PromiseResolve(decodeUtf8(heldBytes(state)));
  }
};

// A byte order mark is no part of the text.
const withoutMark = (text) => (text[0] === "\ufeff" ? StringPrototypeSlice(text, 1) : text);

const readJson = (state) => {
  take(state);
  switch (state.kind) {
    case NATIVE: return nativeJson(state.source);
    case STREAM: return PromisePrototypeThen(streamedText(state), parseJson);
    case TEXT: return PromiseResolve(parseJson(withoutMark(state.source)));
    default: return PromiseResolve(parseJson(state.kind === NONE ? "" : decodeUtf8(heldBytes(state))));
  }
};

// A function of one argument: a promise gives `JSON.parse` no reviver.
const parseJson = (text) => JSONParse(text);

// Bytes that the caller may keep and change.
const readBytes = (state) => {
  take(state);
  switch (state.kind) {
    case NATIVE: return nativeBytes(state.source);
    case STREAM: return readAllBytes(state.source);
    case TEXT: return PromiseResolve(encodeUtf8(state.source));
    default: return PromiseResolve(TypedArrayPrototypeSlice(heldBytes(state)));
  }
};

const NO_BYTES = encodeUtf8("");

// The bytes of a body that is in memory, which may be shared with its source.
const heldBytes = (state) => {
  switch (state.kind) {
    case TEXT: return encodeUtf8(state.source);
    case BYTES: return state.source;
    case BLOB: return blobBytes(state.source);
    default: return NO_BYTES;
  }
};

const wholeBuffer = (bytes) => {
  const buffer = TypedArrayPrototypeGetBuffer(bytes);
  const length = TypedArrayPrototypeGetByteLength(bytes);
  return ArrayBufferPrototypeGetByteLength(buffer) === length ? buffer : ArrayBufferPrototypeSlice(buffer, bytes.byteOffset, bytes.byteOffset + length);
};

const contentType = (state) => extractMimeType(getField(state.fields ?? (state.fields = state.host.fields()), "content-type"));

const readBlob = (state) => {
  const type = StringPrototypeToLowerCase(serializeMimeType(contentType(state)));
  return PromisePrototypeThen(readBytes(state), (bytes) => newBlob(bytes, type));
};

const readFormData = (state) => {
  const type = contentType(state);
  return PromisePrototypeThen(readBytes(state), (bytes) => parseFormData(bytes, type));
};

/// The stream of a body, made at the first call; null if there is no body.
const bodyStream = (state) => {
  if (state.kind === LAZY) resolveLazy(state);
  if (state.kind === NONE || state.stream !== null) return state.stream;
  state.stream = state.kind === NATIVE ? streamOfNative(state.source) : streamOfBytes(() => heldBytes(state));
  if (state.used) markConsumed(state.stream);
  return state.stream;
};

/// Makes `copy`, a state without a body, have the same body. What is in memory is shared; a stream is split in two.
export const cloneBody = (state, copy) => {
  requireUsable(state);
  if (state.kind === LAZY) resolveLazy(state);
  if (state.kind !== NATIVE && state.kind !== STREAM) {
    copy.kind = state.kind;
    copy.source = state.source;
    return;
  }
  const branches = teeForClone(bodyStream(state));
  state.kind = copy.kind = STREAM;
  state.source = state.stream = branches[0];
  copy.source = copy.stream = branches[1];
};

/// Moves the body of one state to another: the first counts as read.
export const moveBody = (from, to) => {
  requireUsable(from);
  if (from.kind === LAZY) resolveLazy(from);
  if (from.kind === NONE) return;
  from.used = true;
  to.kind = from.kind;
  if (from.kind === STREAM) {
    to.source = to.stream = movedStream(from.source);
    return;
  }
  to.source = from.source;
  if (from.stream !== null) markConsumed(from.stream);
};

/// What goes out, for those who send it: the state's `kind` and `source` after this are final. A ReadableStream that is the host's own, still
/// untouched, becomes a stream of the host's again. From now on the body counts as read.
export const outgoingBody = (state) => {
  requireUsable(state);
  if (state.kind === LAZY) resolveLazy(state);
  if (state.kind === NONE) return;
  if (state.kind === STREAM) {
    const native = takeNative(state.source);
    if (native !== null) {
      state.kind = NATIVE;
      state.source = native;
    }
  } else {
    if (state.stream !== null) markConsumed(state.stream);
    if (state.kind === BLOB) {
      state.source = blobBytes(state.source);
      state.kind = BYTES;
    }
  }
  state.used = true;
};

const attempt = (read, stateOf, owner) => {
  try {
    return read(stateOf(owner));
  } catch (error) {
    return PromiseReject(error);
  }
};

/// Gives an interface the members that Request and Response share. `stateOf` gives the state of one, and throws for anything else.
export const defineBody = (Interface, stateOf) => {
  const members = {
    get body() { return bodyStream(stateOf(this)); },
    get bodyUsed() { return isUsed(stateOf(this)); },
    arrayBuffer() { return PromisePrototypeThen(attempt(readBytes, stateOf, this), wholeBuffer); },
    blob() { return attempt(readBlob, stateOf, this); },
    bytes() { return attempt(readBytes, stateOf, this); },
    formData() { return attempt(readFormData, stateOf, this); },
    json() { return attempt(readJson, stateOf, this); },
    text() { return attempt(readText, stateOf, this); },
  };
  const names = ["body", "bodyUsed", "arrayBuffer", "blob", "bytes", "formData", "json", "text"];
  for (let i = 0; i < names.length; i++) {
    defineProperty(Interface.prototype, names[i], ObjectGetOwnPropertyDescriptor(members, names[i]));
  }
};
