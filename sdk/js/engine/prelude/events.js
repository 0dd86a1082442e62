// Event and EventTarget. There is no tree here: an event's path is its target alone.
import { domException } from "dayfly:dom-exception";
import { now } from "dayfly:clock";
import { reportException } from "dayfly:report-error";
import {
  ArrayPrototypeIndexOf, ArrayPrototypeSlice, Map, MapPrototypeGet, MapPrototypeSet, ObjectGetOwnPropertyDescriptor,
  ReflectApply, TypeError, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet, append, defineInterface, defineProperty, removeAt, requireArguments,
  toDOMString,
} from "dayfly:primordials";

const [NONE, CAPTURING_PHASE, AT_TARGET, BUBBLING_PHASE] = [0, 1, 2, 3];

let begin, finish, stopped, setTrusted, setPassive, isTrustedOf;

export class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  /// Asked for when it is read first: the clock is the host's, and each question to it is recorded.
  #timeStamp = undefined;
  #target = null;
  #currentTarget = null;
  #phase = NONE;
  #dispatching = false;
  #stopImmediate = false;
  #stopPropagation = false;
  #canceled = false;
  #passive = false;
  #trusted = false;

  static {
    begin = (event, target) => {
      if (event.#dispatching) throw domException("InvalidStateError", "the event is being dispatched already");
      event.#dispatching = true;
      event.#target = target;
      event.#currentTarget = target;
      event.#phase = AT_TARGET;
    };
    finish = (event) => {
      event.#dispatching = false;
      event.#stopImmediate = false;
      event.#stopPropagation = false;
      event.#currentTarget = null;
      event.#phase = NONE;
      return !event.#canceled;
    };
    // An event whose propagation was stopped before it began reaches nobody.
    stopped = (event, before) => event.#stopImmediate || (before && event.#stopPropagation);
    setTrusted = (event) => { event.#trusted = true; };
    setPassive = (event, passive) => { event.#passive = passive; };
    isTrustedOf = (event) => event.#trusted;
  }

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "Event");
    this.#type = toDOMString(type);
    const options = dictionary(init, "Event");
    this.#bubbles = !!options.bubbles;
    this.#cancelable = !!options.cancelable;
    this.#composed = !!options.composed;
    defineProperty(this, "isTrusted", trustedProperty);
  }

  get type() { return this.#type; }
  get target() { return this.#target; }
  get srcElement() { return this.#target; }
  get currentTarget() { return this.#currentTarget; }
  get eventPhase() { return this.#phase; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get defaultPrevented() { return this.#canceled; }
  get composed() { return this.#composed; }
  get timeStamp() { return (this.#timeStamp ??= now()); }

  get cancelBubble() { return this.#stopPropagation; }
  set cancelBubble(value) { if (value) this.#stopPropagation = true; }

  get returnValue() { return !this.#canceled; }
  set returnValue(value) { if (!value) this.preventDefault(); }

  composedPath() { return this.#currentTarget === null ? [] : [this.#currentTarget]; }
  stopPropagation() { this.#stopPropagation = true; }
  stopImmediatePropagation() {
    this.#stopPropagation = true;
    this.#stopImmediate = true;
  }
  preventDefault() { if (this.#cancelable && !this.#passive) this.#canceled = true; }

  initEvent(type, bubbles = false, cancelable = false) {
    requireArguments(arguments.length, 1, "Event.initEvent");
    if (this.#dispatching) return;
    this.#type = toDOMString(type);
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
    this.#stopImmediate = this.#stopPropagation = this.#canceled = this.#trusted = false;
    this.#target = null;
  }
}

/// `isTrusted` is each event's own, and can't be redefined.
const trustedProperty = {
  __proto__: null,
  get: ObjectGetOwnPropertyDescriptor({ get isTrusted() { return isTrustedOf(this); } }, "isTrusted").get,
  enumerable: true,
  configurable: false,
};

/// Web IDL's dictionaries: undefined and null are empty ones, and what is no object is none.
export const dictionary = (value, where) => {
  if (value === undefined || value === null) return { __proto__: null };
  if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${where}: the options are no object`);
  return value;
};

const phases = { __proto__: null, NONE, CAPTURING_PHASE, AT_TARGET, BUBBLING_PHASE };
for (const name in phases) {
  const constant = { __proto__: null, value: phases[name], enumerable: true };
  defineProperty(Event, name, constant);
  defineProperty(Event.prototype, name, constant);
}

export class CustomEvent extends Event {
  #detail;

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "CustomEvent");
    super(type, init);
    this.#detail = init?.detail ?? null;
  }

  get detail() { return this.#detail; }

  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    requireArguments(arguments.length, 1, "CustomEvent.initCustomEvent");
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}

let listenersOf;

export class EventTarget {
  /// By type: `[{ callback, capture, once, passive, removed }, …]`, in their order.
  #listeners = new Map();

  static {
    listenersOf = (target) => target.#listeners;
  }

  addEventListener(type, callback, options = undefined) {
    requireArguments(arguments.length, 2, "EventTarget.addEventListener");
    const listeners = this.#listeners;
    const name = toDOMString(type);
    const { capture, once, passive, signal } = listenerOptions(options, callback);
    if (callback === null || callback === undefined || signal?.aborted) return;
    let list = MapPrototypeGet(listeners, name);
    if (list === undefined) MapPrototypeSet(listeners, name, (list = []));
    if (findListener(list, callback, capture) !== undefined) return;
    const listener = { __proto__: null, callback, capture, once, passive, removed: false };
    append(list, listener);
    if (signal !== undefined) onAbort(signal, () => remove(list, listener));
  }

  removeEventListener(type, callback, options = undefined) {
    requireArguments(arguments.length, 2, "EventTarget.removeEventListener");
    const name = toDOMString(type);
    checkCallback(callback);
    const capture = typeof options === "object" && options !== null ? !!options.capture : !!options;
    const list = MapPrototypeGet(this.#listeners, name);
    const listener = list && findListener(list, callback, capture);
    if (listener !== undefined) remove(list, listener);
  }

  dispatchEvent(event) {
    requireArguments(arguments.length, 1, "EventTarget.dispatchEvent");
    const listeners = this.#listeners;
    begin(event, this);
    deliver(event, MapPrototypeGet(listeners, event.type), this);
    return finish(event);
  }
}

const checkCallback = (callback) => {
  if (callback !== null && callback !== undefined && typeof callback !== "function" && typeof callback !== "object") {
    throw new TypeError("a listener is a function or an object with handleEvent");
  }
};

const listenerOptions = (options, callback) => {
  checkCallback(callback);
  if (options === null || (typeof options !== "object" && typeof options !== "function")) {
    return { __proto__: null, capture: !!options, once: false, passive: false, signal: undefined };
  }
  const { capture, once, passive, signal } = options;
  if (signal !== undefined && !isSignal(signal)) throw new TypeError("EventTarget.addEventListener: the signal is no AbortSignal");
  return { __proto__: null, capture: !!capture, once: !!once, passive: !!passive, signal };
};

const findListener = (list, callback, capture) => {
  for (let i = 0; i < list.length; i++) if (list[i].callback === callback && list[i].capture === capture) return list[i];
  return undefined;
};

const remove = (list, listener) => {
  listener.removed = true;
  const index = ArrayPrototypeIndexOf(list, listener);
  if (index >= 0) removeAt(list, index);
};

/// Calls the listeners that there were when it began, those that capture first. What one throws is reported and stops no other.
const deliver = (event, list, target) => {
  if (list === undefined || stopped(event, true)) return;
  const now = ArrayPrototypeSlice(list);
  const passes = [true, false];
  for (let pass = 0; pass < 2; pass++) {
    if (pass === 1 && stopped(event, true)) return;
    for (let i = 0; i < now.length && !stopped(event, false); i++) {
      const listener = now[i];
      if (listener.removed || listener.capture !== passes[pass]) continue;
      if (listener.once) remove(list, listener);
      setPassive(event, listener.passive);
      callListener(listener.callback, event, target);
      setPassive(event, false);
    }
  }
};

const callListener = (callback, event, target) => {
  try {
    if (typeof callback === "function") {
      ReflectApply(callback, target, [event]);
      return;
    }
    const { handleEvent } = callback;
    if (typeof handleEvent !== "function") throw new TypeError("a listener without handleEvent");
    ReflectApply(handleEvent, callback, [event]);
  } catch (error) {
    reportException(error);
  }
};

// AbortSignal is an EventTarget and listeners may have a signal; abort.js says here what a signal is.
let isSignal = () => false;
let onAbort;
export const setSignals = (signals) => ({ isSignal, onAbort } = signals);

/// Sends an event of the platform's own.
export const fireEvent = (target, event) => {
  setTrusted(event);
  begin(event, target);
  deliver(event, MapPrototypeGet(listenersOf(target), event.type), target);
  return finish(event);
};

/// Whether anybody listens.
export const hasListeners = (target, type) => (MapPrototypeGet(listenersOf(target), type)?.length ?? 0) > 0;

/// Gives an interface an attribute `onTYPE`: a listener that keeps the place of its first assignment.
export const defineEventHandler = (Interface, type) => {
  const handlers = new WeakMap();
  const accessors = {
    get handler() { return (listenersOf(this), WeakMapPrototypeGet(handlers, this)?.value ?? null); },
    set handler(value) {
      listenersOf(this);
      const callable = typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
      const known = WeakMapPrototypeGet(handlers, this);
      if (known !== undefined) {
        if (callable === null) {
          ReflectApply(removeEventListener, this, [type, known.listener]);
          WeakMapPrototypeSet(handlers, this, undefined);
        } else {
          known.value = callable;
        }
        return;
      }
      if (callable === null) return;
      const record = { __proto__: null, value: callable, listener: undefined };
      record.listener = function (event) { if (typeof record.value === "function") return ReflectApply(record.value, this, [event]); };
      WeakMapPrototypeSet(handlers, this, record);
      ReflectApply(addEventListener, this, [type, record.listener]);
    },
  };
  const descriptor = ObjectGetOwnPropertyDescriptor(accessors, "handler");
  defineProperty(Interface.prototype, `on${type}`, { __proto__: null, get: descriptor.get, set: descriptor.set, enumerable: true, configurable: true });
};
const { addEventListener, removeEventListener } = EventTarget.prototype;

defineInterface(Event);
defineInterface(CustomEvent);
defineInterface(EventTarget);
