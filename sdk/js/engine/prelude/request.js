// Request, as the Fetch standard has it. The one that a handler is called with knows nothing when it is made: its address, method, headers and body
// are asked of the host when the handler asks.
import {
  ArrayPrototypeIndexOf, RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeToUpperCase, TypeError, defineInterface, describeType,
  requireArguments, toDOMString, toUSVString,
} from "dayfly:primordials";
import { LAZY, NONE, cloneBody, defineBody, hasBody, moveBody, setBody } from "dayfly:body";
import { appendField, copyFields, indexOfField } from "dayfly:fields";
import { fieldsFrom, headersOver } from "dayfly:headers";
import { followingSignal, isAbortSignal, makeSignal } from "dayfly:abort";
import { parseUrl } from "dayfly:url";

// Given by the platform itself as the first argument: the second is the state.
const INTERNAL = {};

// States inherit what they don't say. `method`, `url` and `fields` are null in an incoming request until they are asked of `host`.
const DEFAULTS = {
  __proto__: null, kind: NONE, source: null, stream: null, used: false, fields: null, headers: null, immutable: false, host: null,
  method: "GET", url: null, redirect: "follow", signal: null, cache: "default", credentials: "same-origin", integrity: "", keepalive: false,
  mode: "cors", referrer: "about:client", referrerPolicy: "",
};

/// Whether a value is a Request; the state of one, with all that its host knows. A TypeError for anything else.
export let isRequest, requestState;
let stateOf;

export class Request {
  #state;

  constructor(input, init = undefined) {
    if (input === INTERNAL) {
      this.#state = init;
      return;
    }
    if (input === undefined) requireArguments(arguments.length, 1, "Request");
    this.#state = requestStateFrom(input, init);
  }

  get method() {
    const state = this.#state;
    return state.method ?? (state.method = state.host.method());
  }

  get url() {
    const state = this.#state;
    return state.url ?? (state.url = state.host.url());
  }

  get headers() {
    const state = this.#state;
    return state.headers ?? (state.headers = headersOver(state.fields ?? (state.fields = state.host.fields()), state.immutable));
  }

  get signal() {
    const state = this.#state;
    return state.signal ?? (state.signal = makeSignal());
  }

  get cache() { return this.#state.cache; }
  get credentials() { return this.#state.credentials; }
  get destination() { return this.#state && ""; }
  get duplex() { return this.#state && "half"; }
  get integrity() { return this.#state.integrity; }
  get keepalive() { return this.#state.keepalive; }
  get mode() { return this.#state.mode; }
  get redirect() { return this.#state.redirect; }
  get referrer() { return this.#state.referrer; }
  get referrerPolicy() { return this.#state.referrerPolicy; }
  get isHistoryNavigation() { return this.#state && false; }
  get isReloadNavigation() { return this.#state && false; }

  clone() {
    const state = this.#state;
    const copy = inherit(state);
    copy.immutable = state.immutable;
    cloneBody(state, copy);
    if (state.signal !== null) copy.signal = followingSignal([state.signal]);
    return new Request(INTERNAL, copy);
  }

  static {
    isRequest = (value) => value !== null && typeof value === "object" && #state in value;
    stateOf = (request) => {
      if (!isRequest(request)) throw new TypeError("this is no Request: its methods are called on it, as in request.text()");
      return request.#state;
    };
    requestState = (request) => known(stateOf(request));
  }
}

// A state whose method, address and fields are known.
const known = (state) => {
  if (state.host === null) return state;
  state.method ??= state.host.method();
  state.url ??= state.host.url();
  state.fields ??= state.host.fields();
  return state;
};

// A state like another, with fields of its own and without the body.
const inherit = (from) => {
  const { method, url, fields, redirect, cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy } = known(from);
  return {
    __proto__: DEFAULTS, method, url, fields: copyFields(fields), redirect, cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy,
  };
};

/// The state of a new Request, for those who need no object of it.
export const requestStateFrom = (input, init) => {
  const options = optionsOf(init);
  let state;
  let body = null;
  if (isRequest(input)) {
    const from = requestState(input);
    // Asked before anything is changed: a body that was read can't be given on.
    if (options.body === undefined || options.body === null) body = from;
    state = inherit(from);
    if (from.signal !== null) state.signal = from.signal;
  } else {
    state = { __proto__: DEFAULTS, url: addressFrom(input), fields: null };
  }
  if (options !== NO_OPTIONS) applyOptions(state, options);
  if (state.fields === null) state.fields = [];
  if (body !== null) {
    if (body.kind !== NONE) giveBodyOn(body, state);
  } else if (options.body !== undefined && options.body !== null) {
    takeBody(state, options.body);
  }
  return state;
};

const giveBodyOn = (from, state) => {
  if (hasBody(from)) requireMethodWithBody(state);
  moveBody(from, state);
};

const requireMethodWithBody = ({ method }) => {
  if (method === "GET" || method === "HEAD") throw new TypeError(`Request: a ${method} request has no body. Say method: "POST", or leave the body out`);
};

const takeBody = (state, body) => {
  requireMethodWithBody(state);
  const type = setBody(state, body, "Request");
  if (type !== null && indexOfField(state.fields, "content-type") === -1) appendField(state.fields, "content-type", type);
};

const NO_OPTIONS = { __proto__: null };

// A Request is a possible second argument too: its getters say what it is.
const optionsOf = (init) => {
  if (init === undefined || init === null) return NO_OPTIONS;
  if (typeof init !== "object" && typeof init !== "function") throw new TypeError(`Request: the second argument is an object like { method, headers, body }, not ${describeType(init)}`);
  const {
    body, cache, credentials, headers, integrity, keepalive, method, mode, redirect, referrer, referrerPolicy, signal, window,
  } = init;
  if (window !== undefined && window !== null) throw new TypeError("Request: window can only be null");
  return {
    __proto__: null, body, cache, credentials, headers, integrity, keepalive, method, mode, redirect, referrer, referrerPolicy, signal,
  };
};

const applyOptions = (state, options) => {
  const { headers, integrity, keepalive, method, referrer, signal } = options;
  if (method !== undefined) state.method = methodFrom(method);
  if (headers !== undefined) state.fields = fieldsFrom(headers, "Request");
  if (signal !== undefined) state.signal = signalFrom(signal);
  if (integrity !== undefined) state.integrity = toDOMString(integrity);
  if (keepalive !== undefined) state.keepalive = !!keepalive;
  if (referrer !== undefined) state.referrer = toUSVString(referrer);
  for (let i = 0; i < CHOICES.length; i += 2) {
    const value = options[CHOICES[i]];
    if (value !== undefined) state[CHOICES[i]] = choiceFrom(value, CHOICES[i], CHOICES[i + 1]);
  }
};

// What is one of a few words. All but `redirect` mean nothing to a server, and are kept as they are given.
const CHOICES = [
  "redirect", ["follow", "error", "manual"],
  "cache", ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
  "credentials", ["omit", "same-origin", "include"],
  "mode", ["same-origin", "no-cors", "cors"],
  "referrerPolicy", [
    "", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
    "strict-origin-when-cross-origin", "unsafe-url",
  ],
];

const choiceFrom = (value, name, words) => {
  const word = toDOMString(value);
  if (ArrayPrototypeIndexOf(words, word) === -1) throw new TypeError(`Request: ${name} can't be "${word}"`);
  return word;
};

const signalFrom = (signal) => {
  if (signal !== null && !isAbortSignal(signal)) throw new TypeError("Request: signal is an AbortSignal or null");
  return signal;
};

/// How much of what is no URL an error says.
const SHOWN_LENGTH_MAX = 200;

const addressFrom = (input) => {
  const text = toUSVString(input);
  const url = parseUrl(text);
  if (url === undefined) throw new TypeError(`Request: "${StringPrototypeSlice(text, 0, SHOWN_LENGTH_MAX)}" is no full URL: it begins with https:// or http://`);
  if (url.username !== "" || url.password !== "") throw new TypeError("Request: a URL with a user name or password can't be requested: use the header authorization");
  return url.href;
};

const NO_TOKEN = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const NORMAL = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
const REFUSED = ["CONNECT", "TRACE", "TRACK"];

const methodFrom = (value) => {
  const method = toDOMString(value);
  if (ArrayPrototypeIndexOf(NORMAL, method) !== -1) return method;
  if (method === "" || RegExpPrototypeExec(NO_TOKEN, method) !== null) throw new TypeError(`Request: "${method}" is no method of HTTP`);
  const upper = StringPrototypeToUpperCase(method);
  if (ArrayPrototypeIndexOf(REFUSED, upper) !== -1) throw new TypeError(`Request: method ${upper} can't be used`);
  return ArrayPrototypeIndexOf(NORMAL, upper) === -1 ? method : upper;
};

/// What makes the requests of invocations. `host` has `method()`, `url()`, `fields()` and `body()`, each asked at most once a request.
export const requestMaker = (host) => {
  const defaults = { __proto__: DEFAULTS, method: null, host, immutable: true, kind: LAZY, source: host.body };
  return () => new Request(INTERNAL, { __proto__: defaults });
};

defineBody(Request, stateOf);
defineInterface(Request);
