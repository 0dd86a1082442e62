// The events that a trigger's request brings: CloudEvents 1.0 over HTTP, one in header fields and body, one as JSON, or a list of them.
import {
  Date, JSONStringify, ObjectKeys, RegExpPrototypeExec, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
  StringPrototypeToLowerCase, TypeError, append, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { decodeUtf8, encodeUtf8 } from "dayfly:encoding";
import { parsed } from "dayfly:service";

const { decodeURIComponent } = globalThis;

const JSON_TYPE = /^[^/;]+\/(?:[^;]+\+)?json\s*(?:;|$)/i;
const TEXT_TYPE = /^text\//i;
const ONE = /^application\/cloudevents\+json/i;
const SEVERAL = /^application\/cloudevents-batch\+json/i;

/// Attributes that are not the sender's own.
const CORE = nullObject({
  specversion: 1, id: 1, source: 1, type: 1, subject: 1, time: 1, datacontenttype: 1, dataschema: 1, data: 1, data_base64: 1, traceparent: 1, tracestate: 1,
});

const isJson = (type) => type !== undefined && RegExpPrototypeExec(JSON_TYPE, type) !== null;

/// What an event says: bytes, a text, or a value that came as JSON. Made into another only when it is asked for.
class Data {
  #bytes;
  #text;
  #value;
  #hasValue;

  constructor({ bytes, text, value, hasValue = false }) {
    this.#bytes = bytes;
    this.#text = text;
    this.#value = value;
    this.#hasValue = hasValue;
  }

  text() {
    return this.#text ?? (this.#text = this.#hasValue ? JSONStringify(this.#value) : this.#bytes === undefined ? "" : decodeUtf8(this.#bytes));
  }

  bytes() {
    return this.#bytes ?? (this.#bytes = encodeUtf8(this.text()));
  }

  json(what) {
    if (!this.#hasValue) {
      this.#value = parsed(this.text(), what);
      this.#hasValue = true;
    }
    return this.#value;
  }

  /// As its media type says: of JSON the value, of text a string, otherwise bytes.
  as(type, what) {
    if (isJson(type)) return this.json(what);
    return type !== undefined && RegExpPrototypeExec(TEXT_TYPE, type) !== null ? this.text() : this.bytes();
  }
}

// An event: its attributes by name, and its data or null.
const eventOf = (attributes, data) => ({ attributes, data });

const unescaped = (value) => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

const fromFields = (fields, body) => {
  const attributes = nullObject({});
  for (let i = 0; i < fields.length; i += 2) {
    const name = StringPrototypeToLowerCase(fields[i]);
    if (StringPrototypeStartsWith(name, "ce-")) attributes[StringPrototypeSlice(name, 3)] = unescaped(fields[i + 1]);
    else if (name === "content-type") attributes.datacontenttype = fields[i + 1];
  }
  return eventOf(attributes, body.length === 0 ? null : new Data({ bytes: body }));
};

const fromJson = (json) => {
  const attributes = nullObject({});
  const names = ObjectKeys(json);
  for (let i = 0; i < names.length; i++) {
    if (names[i] !== "data" && names[i] !== "data_base64") attributes[names[i]] = json[names[i]];
  }
  if (json.data_base64 !== undefined) return eventOf(attributes, new Data({ bytes: native.base64Bytes(json.data_base64) }));
  if (json.data === undefined) return eventOf(attributes, null);
  const type = attributes.datacontenttype;
  if (type !== undefined && !isJson(type)) return eventOf(attributes, new Data({ text: json.data }));
  return eventOf(attributes, new Data({ value: json.data, hasValue: true }));
};

/// The events of the request that is served, oldest first: `{ events, isBatch }`.
export const deliveredEvents = async () => {
  const type = native.requestHeader("content-type") ?? "";
  const body = native.requestBody();
  if (RegExpPrototypeExec(SEVERAL, type) !== null) {
    const list = parsed(await native.bodyText(body), "the batch of events");
    const events = [];
    for (let i = 0; i < list.length; i++) append(events, fromJson(list[i]));
    return { events, isBatch: true };
  }
  if (RegExpPrototypeExec(ONE, type) !== null) return { events: [fromJson(parsed(await native.bodyText(body), "the event"))], isBatch: false };
  return { events: [fromFields(native.requestHeaders(), await native.bodyBytes(body))], isBatch: false };
};

/// The last part of where it happened: the name of the resource.
export const resourceOf = ({ attributes: { source } }) => StringPrototypeSlice(source, StringPrototypeLastIndexOf(source, "/") + 1);

const FRACTION = /^(.*\.\d{3})\d+(.*)$/;

/// A time of RFC 3339 as milliseconds since 1970; the language reads no more than three digits of a second's fraction everywhere.
export const millisecondsOf = (time) => {
  const found = RegExpPrototypeExec(FRACTION, time);
  return +new Date(found === null ? time : found[1] + found[2]);
};

/// When it happened.
export const timestampOf = ({ attributes: { time } }) => new Date(time === undefined ? NaN : millisecondsOf(time));

/// Attributes that are not of the specification: those that the sender gave.
export const senderAttributes = ({ attributes }) => {
  const own = {};
  const names = ObjectKeys(attributes);
  for (let i = 0; i < names.length; i++) {
    if (CORE[names[i]] === undefined) own[names[i]] = attributes[names[i]];
  }
  return own;
};

/// The JSON that an event of the platform's own says.
export const factsOf = (event) => {
  if (event.data === null) throw new TypeError(`the event ${event.attributes.id} says nothing`);
  return event.data.json(`the event ${event.attributes.id}`);
};
