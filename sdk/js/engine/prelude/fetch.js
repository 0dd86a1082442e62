// fetch(): requests to others, through the host, which asks the manifest's `reach` before any connection is made.
import native from "dayfly:native";
import {
  ArrayPrototypeJoin, NumberPrototypeToString, PromisePrototypeThen, PromiseReject, PromiseResolve, RegExpPrototypeExec, StringPrototypeIndexOf,
  StringPrototypeSlice, StringPrototypeTrim, TypeError, append, defineGlobal, newPromise, requireArguments,
} from "dayfly:primordials";
import { abortStateOf, offAbort, onAbort } from "dayfly:abort";
import { BYTES, NATIVE, NONE, STREAM, TEXT, outgoingBody } from "dayfly:body";
import { encodeUtf8 } from "dayfly:encoding";
import { appendField, deleteField, getField, indexOfField } from "dayfly:fields";
import { dataResponse } from "dayfly:data-url";
import { sendBody } from "dayfly:outgoing";
import { requestStateFrom } from "dayfly:request";
import { fetchedResponse } from "dayfly:response";
import { abortNativeStream, streamOfNative } from "dayfly:streams/bodies";
import { parseUrl } from "dayfly:url";

/// As browsers have it: the Fetch standard's limit.
const REDIRECTS_MAX = 20;

const functions = {
  fetch(input, init = undefined) {
    try {
      if (input === undefined) requireArguments(arguments.length, 1, "fetch");
      return start(requestStateFrom(input, init));
    } catch (error) {
      return PromiseReject(error);
    }
  },
};

/// `fetch(input, init)`, which throws nothing.
export const { fetch } = functions;
defineGlobal("fetch", fetch);

const start = (request) => {
  const { signal } = request;
  if (signal !== null && abortStateOf(signal).aborted) return PromiseReject(abortStateOf(signal).reason);
  if (request.integrity !== "") throw new TypeError("fetch: integrity can't be checked here: compare a digest of the body by crypto.subtle.digest()");
  const scheme = StringPrototypeSlice(request.url, 0, StringPrototypeIndexOf(request.url, ":"));
  if (scheme === "data") return PromiseResolve(dataResponse(request.url));
  if (scheme !== "http" && scheme !== "https") throw new TypeError(`fetch: ${scheme}: is no scheme that can be fetched: those are https, http and data`);
  return new Exchange(request).promise;
};

// Fields that are about a body, which a redirect to a request without one drops.
const OF_BODY = ["content-encoding", "content-language", "content-location", "content-length", "content-type"];
// Fields that are for one server, and not for the one that it redirects to.
const OF_ORIGIN = ["authorization", "cookie", "proxy-authorization"];

// One call of fetch, over its redirects.
class Exchange {
  promise;
  #settle = newPromise();
  #request;
  #method;
  #url;
  #fields;
  #body;
  #handle = 0;
  #redirects = 0;
  #settled = false;
  #abort = null;

  constructor(request) {
    this.promise = this.#settle.promise;
    this.#request = request;
    this.#method = request.method;
    this.#url = withoutFragment(request.url);
    this.#fields = withDefaults(request.fields);
    this.#body = bodyToSend(request, this.#fields);
    const { signal } = request;
    if (signal !== null) {
      this.#abort = (reason) => this.#fail(reason);
      onAbort(signal, this.#abort);
    }
    this.#send();
  }

  #fail(error) {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#handle !== 0) native.fetchAbort(this.#handle);
    if (this.#abort !== null) offAbort(this.#request.signal, this.#abort);
    this.#settle.reject(error);
  }

  // What the host says, with what was asked for.
  #failedBecause(error) {
    this.#fail(isHostError(error) ? new TypeError(`fetch ${this.#method} ${shown(this.#url)}: ${error.message}`, { cause: error }) : error);
  }

  #send() {
    try {
      const streams = typeof this.#body === "object" && this.#body !== null && this.#body.kind !== undefined;
      const started = native.fetchStart(this.#method, this.#url, this.#fields, streams ? true : this.#body);
      this.#handle = started[0];
      if (streams) this.#upload(started[1]);
      const answer = native.fetchResponse(this.#handle);
      PromisePrototypeThen(PromiseResolve(answer), (head) => this.#answered(head), (error) => this.#failedBecause(error));
    } catch (error) {
      this.#failedBecause(error);
    }
  }

  // The answer may come before all is sent, and then a failure of the rest is nobody's.
  #upload(writer) {
    const sent = sendBody(this.#body, writer);
    if (sent !== undefined) PromisePrototypeThen(sent, undefined, (error) => this.#fail(error));
  }

  #answered(head) {
    if (this.#settled) {
      native.bodyCancel(head.body);
      return;
    }
    try {
      const location = isRedirect(head.status) ? getField(head.headers, "location") : null;
      if (location === null || this.#request.redirect === "manual") this.#finish(head);
      else this.#follow(head, location);
    } catch (error) {
      this.#fail(error);
    }
  }

  #follow(head, location) {
    native.bodyCancel(head.body);
    if (this.#request.redirect === "error") throw new TypeError(`fetch ${shown(this.#url)}: it was redirected, which redirect: "error" forbids`);
    const next = parseUrl(location, this.#url);
    if (next === undefined) throw new TypeError(`fetch ${shown(this.#url)}: it was redirected to "${location}", which is no address`);
    if (next.protocol !== "https:" && next.protocol !== "http:") throw new TypeError(`fetch ${shown(this.#url)}: it was redirected to ${next.protocol}, which can't be followed`);
    if (++this.#redirects > REDIRECTS_MAX) throw new TypeError(`fetch ${shown(this.#request.url)}: it was redirected more than ${REDIRECTS_MAX} times`);
    this.#redirectMethod(head.status);
    if (next.origin !== parseUrl(this.#url).origin) {
      for (let i = 0; i < OF_ORIGIN.length; i++) deleteField(this.#fields, OF_ORIGIN[i]);
    }
    this.#url = withoutFragment(next.href);
    this.#send();
  }

  // A form that was sent is answered by a page to get.
  #redirectMethod(status) {
    const method = this.#method;
    const becomesGet = status === 303 ? method !== "GET" && method !== "HEAD" : (status === 301 || status === 302) && method === "POST";
    if (becomesGet) {
      this.#method = "GET";
      this.#body = null;
      for (let i = 0; i < OF_BODY.length; i++) deleteField(this.#fields, OF_BODY[i]);
    } else if (this.#body !== null && this.#body.kind !== undefined) {
      throw new TypeError(`fetch ${shown(this.#url)}: it was redirected, and the body that was streamed can't be sent again`);
    }
  }

  #finish(head) {
    this.#settled = true;
    const { status, headers, body } = head;
    const hasBody = this.#method !== "HEAD" && status !== 204 && status !== 205 && status !== 304;
    if (hasBody) unpack(head);
    else native.bodyCancel(body);
    const state = {
      status, statusText: "", fields: headers, url: this.#url, redirected: this.#redirects > 0, type: "basic",
      kind: NONE, source: null, stream: null,
    };
    if (hasBody) this.#giveBody(state, body);
    this.#settle.resolve(fetchedResponse(state));
  }

  // What may still be aborted is read as a stream, which an abort breaks off.
  #giveBody(state, body) {
    const { signal } = this.#request;
    if (signal === null) {
      state.kind = NATIVE;
      state.source = body;
      return;
    }
    offAbort(signal, this.#abort);
    state.kind = STREAM;
    state.source = state.stream = streamOfNative(body);
    onAbort(signal, (reason) => abortNativeStream(state.stream, body, reason));
  }
}

// What came packed is unpacked when it is read. Its headers then say nothing of it, so that they can be copied to an answer with another body; an
// answer that is handed on unread gets them back (`respondWith`). A part of something packed can't be unpacked.
const unpack = ({ status, headers, body }) => {
  const coding = getField(headers, "content-encoding");
  if (coding === null || status === 206 || !native.bodyUnpack(body, coding, getField(headers, "content-length"))) return;
  deleteField(headers, "content-encoding");
  deleteField(headers, "content-length");
};

const isRedirect = (status) => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

const isHostError = (error) => error instanceof TypeError;

// Without what follows the address, which may be secret.
const shown = (url) => {
  const query = StringPrototypeIndexOf(url, "?");
  return query === -1 ? url : StringPrototypeSlice(url, 0, query);
};

const withoutFragment = (url) => {
  const hash = StringPrototypeIndexOf(url, "#");
  return hash === -1 ? url : StringPrototypeSlice(url, 0, hash);
};

// A list of our own with what every request says.
const withDefaults = (given) => {
  const fields = [];
  for (let i = 0; i < given.length; i++) fields[i] = given[i];
  if (indexOfField(fields, "accept") === -1) appendField(fields, "accept", "*/*");
  acceptEncoding(fields);
  if (indexOfField(fields, "user-agent") === -1) appendField(fields, "user-agent", "dayfly");
  return fields;
};

// A part of something packed is of no use, as the Fetch standard says too. What a client accepts, and a function asks for in its name, may be more than
// can be unpacked here: that is left out, unless nothing remains.
const acceptEncoding = (fields) => {
  const index = indexOfField(fields, "accept-encoding");
  if (index === -1) appendField(fields, "accept-encoding", indexOfField(fields, "range") === -1 ? "gzip" : "identity");
  else fields[index + 1] = withoutUnknownCodings(fields[index + 1]);
};

const withoutUnknownCodings = (accepted) => {
  const known = [];
  let hasUnknown = false;
  for (let start = 0, end = 0; end < accepted.length; start = end + 1) {
    const comma = StringPrototypeIndexOf(accepted, ",", start);
    end = comma === -1 ? accepted.length : comma;
    const coding = StringPrototypeTrim(StringPrototypeSlice(accepted, start, end));
    if (RegExpPrototypeExec(/^(?:x-gzip|gzip|deflate|identity)\s*(?:;|$)/i, coding) !== null) append(known, coding);
    else hasUnknown = true;
  }
  return known.length > 0 && hasUnknown ? ArrayPrototypeJoin(known, ", ") : accepted;
};

// Null, bytes, or the state of a body that streams. Of bytes the length is said.
const bodyToSend = (request, fields) => {
  outgoingBody(request);
  if (request.kind === NATIVE || request.kind === STREAM) return request;
  const bytes = request.kind === TEXT ? encodeUtf8(request.source) : request.kind === BYTES ? request.source : null;
  const { method } = request;
  deleteField(fields, "content-length");
  if (bytes !== null) appendField(fields, "content-length", NumberPrototypeToString(bytes.length));
  else if (method === "POST" || method === "PUT") appendField(fields, "content-length", "0");
  return bytes;
};
