// The other events that the minimum common API names.
import { Event, dictionary } from "dayfly:events";
import { TypeError, defineInterface, requireArguments, toDOMString, toUSVString } from "dayfly:primordials";

export class ErrorEvent extends Event {
  #message; #filename; #lineno; #colno; #error;

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "ErrorEvent");
    super(type, init);
    const { message = "", filename = "", lineno = 0, colno = 0, error = undefined } = dictionary(init, "ErrorEvent");
    this.#message = toDOMString(message);
    this.#filename = toUSVString(filename);
    this.#lineno = lineno >>> 0;
    this.#colno = colno >>> 0;
    this.#error = error;
  }

  get message() { return this.#message; }
  get filename() { return this.#filename; }
  get lineno() { return this.#lineno; }
  get colno() { return this.#colno; }
  get error() { return this.#error; }
}

export class PromiseRejectionEvent extends Event {
  #promise; #reason;

  constructor(type, init) {
    requireArguments(arguments.length, 2, "PromiseRejectionEvent");
    super(type, init);
    const { promise, reason = undefined } = dictionary(init, "PromiseRejectionEvent");
    if (promise === null || typeof promise !== "object") throw new TypeError("PromiseRejectionEvent: the promise is missing");
    this.#promise = promise;
    this.#reason = reason;
  }

  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}

export class MessageEvent extends Event {
  #data; #origin; #lastEventId; #ports;

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "MessageEvent");
    super(type, init);
    const { data = null, origin = "", lastEventId = "", ports = [] } = dictionary(init, "MessageEvent");
    this.#data = data;
    this.#origin = toUSVString(origin);
    this.#lastEventId = toDOMString(lastEventId);
    this.#ports = ports;
  }

  get data() { return this.#data; }
  get origin() { return this.#origin; }
  get lastEventId() { return this.#lastEventId; }
  get source() { return null; }
  get ports() { return this.#ports; }
}

defineInterface(ErrorEvent);
defineInterface(PromiseRejectionEvent);
defineInterface(MessageEvent);
