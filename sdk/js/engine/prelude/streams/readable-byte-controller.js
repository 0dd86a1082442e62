// ReadableByteStreamController and ReadableStreamBYOBRequest: what a program's source of bytes is given.
import {
  ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, TypeError, TypedArrayPrototypeGetBuffer, defineInterface, requireArguments,
} from "dayfly:primordials";
import { ERRORED, READABLE } from "dayfly:streams/readable";
import { partsOf } from "dayfly:streams/readable-byte";

const INTERNAL = {};

export class ReadableByteStreamController {
  #control;

  constructor(token = undefined, control = undefined) {
    if (token !== INTERNAL) throw new TypeError("ReadableByteStreamController can't be constructed: a stream's start and pull are given theirs");
    this.#control = control;
  }

  get byobRequest() { return this.#control.requestFacade(); }
  get desiredSize() { return this.#control.desiredSize; }

  close() {
    const control = this.#control;
    requireOpen(control, "close");
    control.close();
  }

  enqueue(chunk) {
    const control = this.#control;
    requireArguments(arguments.length, 1, "ReadableByteStreamController.enqueue");
    if (!ArrayBufferIsView(chunk)) throw new TypeError("ReadableByteStreamController.enqueue: a chunk is a Uint8Array or another view of an ArrayBuffer");
    const { buffer, length } = partsOf(chunk);
    if (length === 0) throw new TypeError("ReadableByteStreamController.enqueue: the chunk is empty");
    if (ArrayBufferPrototypeGetByteLength(buffer) === 0) throw new TypeError("ReadableByteStreamController.enqueue: the chunk's buffer is empty or detached");
    requireOpen(control, "enqueue");
    control.enqueue(chunk);
  }

  error(error = undefined) { this.#control.fail(error); }
}

const requireOpen = (control, what) => {
  const where = `ReadableByteStreamController.${what}`;
  if (control.closeRequested) throw new TypeError(`${where}: the stream is closed already`);
  if (control.stream.state !== READABLE) throw new TypeError(`${where}: the stream is ${control.stream.state === ERRORED ? "in error" : "closed already"}`);
};

export class ReadableStreamBYOBRequest {
  #request;

  constructor(token = undefined, request = undefined) {
    if (token !== INTERNAL) throw new TypeError("ReadableStreamBYOBRequest can't be constructed: ask the controller for byobRequest");
    this.#request = request;
  }

  get view() { return this.#request.view; }

  respond(bytesWritten) {
    const request = this.#request;
    requireArguments(arguments.length, 1, "ReadableStreamBYOBRequest.respond");
    const count = +bytesWritten;
    if (!(count >= 0 && count <= 9007199254740991)) throw new TypeError(`ReadableStreamBYOBRequest.respond: ${bytesWritten} is no number of bytes`);
    const control = requireValid(request, "respond");
    if (ArrayBufferPrototypeGetDetached(TypedArrayPrototypeGetBuffer(request.view))) {
      throw new TypeError("ReadableStreamBYOBRequest.respond: the view's buffer is detached: give the view that has it now to respondWithNewView");
    }
    control.respond(count - (count % 1));
  }

  respondWithNewView(view) {
    const request = this.#request;
    requireArguments(arguments.length, 1, "ReadableStreamBYOBRequest.respondWithNewView");
    if (!ArrayBufferIsView(view)) throw new TypeError("ReadableStreamBYOBRequest.respondWithNewView: the argument is no view of an ArrayBuffer");
    const control = requireValid(request, "respondWithNewView");
    if (ArrayBufferPrototypeGetDetached(partsOf(view).buffer)) throw new TypeError("ReadableStreamBYOBRequest.respondWithNewView: the view's buffer is detached");
    control.respondWith(view);
  }
}

const requireValid = (request, what) => {
  if (request.control === null) throw new TypeError(`ReadableStreamBYOBRequest.${what}: the request was answered already`);
  return request.control;
};

/// A public controller of a record.
export const newByteController = (control) => new ReadableByteStreamController(INTERNAL, control);

/// A request to fill a view, valid until `invalidate` is called.
export const newByobRequest = (control, view) => {
  const request = { control, view, facade: null, invalidate: null };
  request.facade = new ReadableStreamBYOBRequest(INTERNAL, request);
  request.invalidate = () => {
    request.control = null;
    request.view = null;
  };
  return request;
};

defineInterface(ReadableByteStreamController);
defineInterface(ReadableStreamBYOBRequest);
