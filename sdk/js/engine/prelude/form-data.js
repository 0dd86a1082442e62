// FormData, and forms in bodies: of both kinds, `multipart/form-data` and `application/x-www-form-urlencoded`.
import native from "dayfly:native";
import { TypeError, defineInterface, describeType, requireArguments, toUSVString } from "dayfly:primordials";
import { decodeUtf8 } from "dayfly:encoding";
import { fileOf, isBlob, isFile } from "dayfly:blob";
import { defineIterable } from "dayfly:iterable";
import { mimeParameter } from "dayfly:mime";
import { parseMultipart } from "dayfly:multipart";

/// The entries of a FormData: a flat list of names and values, shared with it. Whether a value is one.
export let entriesOf, isFormData;

export class FormData {
  #entries = [];

  constructor(form = undefined) {
    if (form !== undefined) throw new TypeError("FormData: there are no HTML forms in a function: make it without an argument, and append to it");
  }

  append(name, value, filename = undefined) {
    const entries = this.#entries;
    requireArguments(arguments.length, 2, "FormData.append");
    const key = toUSVString(name);
    const entry = valueFrom(value, filename, arguments.length > 2, "FormData.append");
    entries[entries.length] = key;
    entries[entries.length] = entry;
  }

  set(name, value, filename = undefined) {
    const entries = this.#entries;
    requireArguments(arguments.length, 2, "FormData.set");
    const key = toUSVString(name);
    const entry = valueFrom(value, filename, arguments.length > 2, "FormData.set");
    const first = find(entries, key, 0);
    if (first === -1) {
      entries[entries.length] = key;
      entries[entries.length] = entry;
      return;
    }
    entries[first + 1] = entry;
    remove(entries, key, first + 2);
  }

  delete(name) {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, "FormData.delete");
    remove(entries, toUSVString(name), 0);
  }

  get(name) {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, "FormData.get");
    const index = find(entries, toUSVString(name), 0);
    return index === -1 ? null : entries[index + 1];
  }

  getAll(name) {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, "FormData.getAll");
    const key = toUSVString(name);
    const values = [];
    for (let i = find(entries, key, 0); i !== -1; i = find(entries, key, i + 2)) values[values.length] = entries[i + 1];
    return values;
  }

  has(name) {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, "FormData.has");
    return find(entries, toUSVString(name), 0) !== -1;
  }

  static {
    entriesOf = (form) => form.#entries;
    isFormData = (value) => value !== null && typeof value === "object" && #entries in value;
  }
}

const find = (entries, name, from) => {
  for (let i = from; i < entries.length; i += 2) if (entries[i] === name) return i;
  return -1;
};

const remove = (entries, name, from) => {
  let kept = from;
  for (let i = from; i < entries.length; i += 2) {
    if (entries[i] === name) continue;
    entries[kept++] = entries[i];
    entries[kept++] = entries[i + 1];
  }
  entries.length = kept;
};

const valueFrom = (value, filename, hasFilename, where) => {
  if (isBlob(value)) {
    if (hasFilename && filename !== undefined) return fileOf(value, toUSVString(filename));
    return isFile(value) ? value : fileOf(value, "blob");
  }
  if (hasFilename && filename !== undefined) throw new TypeError(`${where}: a file name goes with a Blob or a File, not with ${describeType(value)}`);
  return toUSVString(value);
};

/// The form in a body of that MIME type, as `parseMimeType` gives it. A TypeError if it is none.
export const parseFormData = (bytes, type) => {
  const form = new FormData();
  const entries = entriesOf(form);
  if (type?.essence === "multipart/form-data") {
    const boundary = mimeParameter(type, "boundary");
    if (boundary === undefined) throw new TypeError("Body is no form: its content-type names no boundary");
    parseMultipart(bytes, boundary, entries);
    return form;
  }
  if (type?.essence === "application/x-www-form-urlencoded") {
    parseUrlEncoded(decodeUtf8(bytes), entries);
    return form;
  }
  const given = type === null ? "it has no content-type" : `its content-type is ${type.essence}`;
  throw new TypeError(`Body is no form: ${given}, not multipart/form-data or application/x-www-form-urlencoded`);
};

const parseUrlEncoded = (text, entries) => {
  const pairs = native.queryParse(text);
  for (let i = 0; i < pairs.length; i++) {
    entries[2 * i] = pairs[i][0];
    entries[2 * i + 1] = pairs[i][1];
  }
};

defineIterable(FormData, (form, index) => {
  const entries = entriesOf(form);
  return 2 * index < entries.length ? [entries[2 * index], entries[2 * index + 1]] : undefined;
});
defineInterface(FormData);
