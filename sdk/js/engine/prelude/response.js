// Response, as the Fetch standard has it. Most are made of a string and a status, so that is one object, one record and one list.
import {
  JSONStringify, RangeError, RegExpPrototypeExec, TypeError, defineInterface, describeType, requireArguments, toDOMString,
  toUSVString,
} from "dayfly:primordials";
import { NONE, TEXT, TEXT_TYPE, cloneBody, defineBody, setBody } from "dayfly:body";
import { appendField, copyFields, indexOfField } from "dayfly:fields";
import { fieldsFrom, headersOver } from "dayfly:headers";
import { parseUrl } from "dayfly:url";

// Given by the platform itself as the first argument: the second is the state.
const INTERNAL = {};

// What a response is if nothing else is said. States inherit from it, so that a response costs no more than what is special about it.
const DEFAULTS = {
  __proto__: null, kind: NONE, source: null, stream: null, used: false, fields: null, headers: null, immutable: false,
  type: "default", status: 200, statusText: "", url: "", redirected: false,
};

/// Whether a value is a Response; the state of one. A TypeError for anything else.
export let isResponse, responseState;

export class Response {
  #state;

  constructor(body = null, init = undefined) {
    if (body === INTERNAL) {
      this.#state = init;
      return;
    }
    if (typeof body === "string" && init === undefined) {
      this.#state = { __proto__: DEFAULTS, kind: TEXT, source: toUSVString(body), fields: ["content-type", TEXT_TYPE] };
      return;
    }
    const state = { __proto__: DEFAULTS, kind: NONE, source: null, fields: null };
    if (init !== undefined && init !== null) initialize(state, init, "Response");
    const type = body === null || body === undefined ? null : setBody(state, body, "Response");
    finish(state, type);
    this.#state = state;
  }

  get type() { return this.#state.type; }
  get url() { return this.#state.url; }
  get redirected() { return this.#state.redirected; }
  get status() { return this.#state.status; }
  get statusText() { return this.#state.statusText; }

  get ok() {
    const { status } = this.#state;
    return status >= 200 && status < 300;
  }

  get headers() {
    const state = this.#state;
    return state.headers ?? (state.headers = headersOver(state.fields, state.immutable));
  }

  clone() {
    const state = this.#state;
    const copy = {
      __proto__: DEFAULTS, fields: copyFields(state.fields), immutable: state.immutable, type: state.type, status: state.status,
      statusText: state.statusText, url: state.url, redirected: state.redirected,
    };
    cloneBody(state, copy);
    return new Response(INTERNAL, copy);
  }

  static json(data, init = undefined) {
    if (data === undefined) requireArguments(arguments.length, 1, "Response.json");
    const text = JSONStringify(data);
    if (text === undefined) throw new TypeError(`Response.json: ${describeType(data)} has no form in JSON`);
    const state = { __proto__: DEFAULTS, kind: TEXT, source: toUSVString(text), fields: null };
    if (init !== undefined && init !== null) initialize(state, init, "Response.json");
    finish(state, "application/json");
    return new Response(INTERNAL, state);
  }

  static redirect(url, status = 302) {
    requireArguments(arguments.length, 1, "Response.redirect");
    const parsed = parseUrl(`${url}`);
    if (parsed === undefined) {
      throw new TypeError(`Response.redirect: "${url}" is no full URL. For a path: new Response(null, { status: 302, headers: { location: "/path" } })`);
    }
    const code = +status;
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`Response.redirect: ${status} is no status of a redirect: those are 301, 302, 303, 307 and 308`);
    }
    return new Response(INTERNAL, { __proto__: DEFAULTS, status: code, fields: ["location", parsed.href], immutable: true });
  }

  static error() {
    return new Response(INTERNAL, { __proto__: DEFAULTS, type: "error", status: 0, fields: [], immutable: true });
  }

  static {
    isResponse = (value) => value !== null && typeof value === "object" && #state in value;
    responseState = (response) => {
      if (!isResponse(response)) throw new TypeError("this is no Response: its methods are called on it, as in response.text()");
      return response.#state;
    };
  }
}

const NO_PHRASE = /[^\t\x20-\x7e\x80-\xff]/;

const initialize = (state, init, where) => {
  if (typeof init !== "object" && typeof init !== "function") throw new TypeError(`${where}: the second argument is an object like { status, headers }, not ${describeType(init)}`);
  const { headers, status, statusText } = init;
  if (status !== undefined) state.status = statusFrom(status, where);
  if (statusText !== undefined) {
    const text = toDOMString(statusText);
    if (RegExpPrototypeExec(NO_PHRASE, text) !== null) throw new TypeError(`${where}: statusText has a character that no status line may have`);
    state.statusText = text;
  }
  if (headers !== undefined) state.fields = fieldsFrom(headers, where);
};

const statusFrom = (value, where) => {
  // Web IDL's `unsigned short`.
  const status = +value & 0xffff;
  if (status >= 200 && status <= 599) return status;
  const more = status === 101 ? ": a function can't switch protocols" : ": a status is a whole number from 200 to 599";
  throw new RangeError(`${where}: status ${value}${more}`);
};

// Statuses whose answers have no body: 101, 103, 204, 205, 304.
const finish = (state, type) => {
  const { fields, status } = state;
  if (state.kind !== NONE && (status === 204 || status === 205 || status === 304)) {
    throw new TypeError(`Response: a response of status ${status} has no body: give null instead`);
  }
  if (fields === null) state.fields = type === null ? [] : ["content-type", type];
  else if (type !== null && indexOfField(fields, "content-type") === -1) appendField(fields, "content-type", type);
};

/// The response to a call of `fetch`.
export const fetchedResponse = ({ status, statusText, fields, url, redirected, type, kind, source, stream }) =>
  new Response(INTERNAL, { __proto__: DEFAULTS, status, statusText, fields, url, redirected, type, kind, source, stream, immutable: true });

defineBody(Response, responseState);
defineInterface(Response);
