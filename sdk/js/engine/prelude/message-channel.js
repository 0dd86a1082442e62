// MessageChannel: two ports in one instance. A message is cloned when it is sent, and comes in a turn of its own.
import native from "dayfly:native";
import { EventTarget, fireEvent } from "dayfly:events";
import { MessageEvent } from "dayfly:more-events";
import { structuredClone } from "dayfly:structured-clone";
import {
  ArrayPrototypeShift, ReflectApply, SymbolIterator, TypeError, append, defineInterface, nullObject, requireArguments,
} from "dayfly:primordials";

const MADE = nullObject();

let entangle;

export class MessagePort extends EventTarget {
  #other = null;
  #waiting = [];
  #isStarted = false;
  #onmessage = null;

  static {
    entangle = (one, two) => {
      one.#other = two;
      two.#other = one;
    };
  }

  constructor(made) {
    if (made !== MADE) throw new TypeError("MessagePort can't be constructed: use a MessageChannel");
    super();
  }

  get onmessage() { return this.#onmessage; }
  set onmessage(value) {
    if (this.#onmessage === null) ReflectApply(addEventListener, this, ["message", (event) => this.#handle(event)]);
    this.#onmessage = typeof value === "function" ? value : null;
    this.start();
  }

  postMessage(message, transferOrOptions = undefined) {
    requireArguments(arguments.length, 1, "MessagePort.postMessage");
    const isList = transferOrOptions !== undefined && transferOrOptions !== null && transferOrOptions[SymbolIterator] !== undefined;
    const data = structuredClone(message, isList ? nullObject({ transfer: transferOrOptions }) : transferOrOptions);
    const other = this.#other;
    if (other === null) return;
    append(other.#waiting, data);
    if (other.#isStarted) other.#deliverLater();
  }

  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (let i = 0; i < this.#waiting.length; i++) this.#deliverLater();
  }

  close() {
    if (this.#other !== null) this.#other.#other = null;
    this.#other = null;
    this.#waiting = [];
  }

  #deliverLater() {
    native.timerStart(0, () => {
      if (this.#waiting.length > 0) fireEvent(this, new MessageEvent("message", nullObject({ data: ArrayPrototypeShift(this.#waiting) })));
    });
  }

  #handle(event) {
    if (this.#onmessage !== null) ReflectApply(this.#onmessage, this, [event]);
  }
}

const { addEventListener } = EventTarget.prototype;

export class MessageChannel {
  #port1 = new MessagePort(MADE);
  #port2 = new MessagePort(MADE);

  constructor() { entangle(this.#port1, this.#port2); }

  get port1() { return this.#port1; }
  get port2() { return this.#port2; }
}

defineInterface(MessagePort);
defineInterface(MessageChannel);
