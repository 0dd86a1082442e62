// Header fields as the platform keeps them: one flat list `[name, value, name, value, …]` in the order of arrival, names in lower case. No
// objects for entries: a request's list comes from the host as it is, and looking a name up is one search in C.
//
// Such a list is ours alone and never shown to a program, so it is written by plain assignment.
import {
  ArrayPrototypeIndexOf, ArrayPrototypeSort, Map, MapPrototypeGet, MapPrototypeSet, RegExpPrototypeExec, StringPrototypeCharCodeAt,
  StringPrototypeSlice, StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, toDOMString, NumberPrototypeToString, StringPrototypePadStart,
  StringPrototypeToUpperCase,
} from "dayfly:primordials";

// What the names that programs write most are in lower case. Whatever is not here is checked and converted each time.
const KNOWN = new Map();
const COMMON = [
  "Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
  "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
  "Access-Control-Request-Headers", "Access-Control-Request-Method", "Age", "Allow", "Authorization", "Cache-Control", "Content-Disposition",
  "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Range", "Content-Security-Policy", "Content-Type",
  "Cookie", "Date", "ETag", "Expires", "Forwarded", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "Last-Modified",
  "Link", "Location", "Origin", "Pragma", "Range", "Referer", "Referrer-Policy", "Retry-After", "Server", "Server-Timing", "Set-Cookie",
  "Strict-Transport-Security", "Traceparent", "Transfer-Encoding", "Upgrade", "User-Agent", "Vary", "WWW-Authenticate",
  "X-Content-Type-Options", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Frame-Options", "X-Powered-By", "X-Real-IP",
  "X-Request-Id", "X-Requested-With",
];
for (let i = 0; i < COMMON.length; i++) {
  const lower = StringPrototypeToLowerCase(COMMON[i]);
  MapPrototypeSet(KNOWN, COMMON[i], lower);
  MapPrototypeSet(KNOWN, lower, lower);
}

const NO_TOKEN = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
// The Fetch standard keeps other control characters, which HTTP can't carry (RFC 9110, 5.5): Rust refuses them by name when they are sent.
const NO_VALUE = /[\0\r\n\u0100-\uffff]/;

/// A header's name in lower case. `where` says who asks, for the TypeError about a name that is none.
export const fieldName = (name, where) => {
  const known = MapPrototypeGet(KNOWN, name);
  if (known !== undefined) return known;
  const text = toDOMString(name);
  if (text === "" || RegExpPrototypeExec(NO_TOKEN, text) !== null) throw new TypeError(`${where}: ${badName(text)}`);
  return StringPrototypeToLowerCase(text);
};

/// A header's value without the blanks around it. `name` is the header, for the TypeError about bytes that no header may hold.
export const fieldValue = (value, name, where) => {
  let text = toDOMString(value);
  // The language's trim takes more away than HTTP's, but tells at once that there is nothing to take.
  if (StringPrototypeTrim(text).length !== text.length) text = trimBlanks(text);
  if (RegExpPrototypeExec(NO_VALUE, text) !== null) throw new TypeError(`${where}: ${badValue(text, name)}`);
  return text;
};

const isBlank = (unit) => unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0d;

/// Without HTTP's whitespace at both ends.
export const trimBlanks = (text) => {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(StringPrototypeCharCodeAt(text, start))) start++;
  while (end > start && isBlank(StringPrototypeCharCodeAt(text, end - 1))) end--;
  return StringPrototypeSlice(text, start, end);
};

const codePoint = (unit) => `U+${StringPrototypePadStart(StringPrototypeToUpperCase(NumberPrototypeToString(unit, 16)), 4, "0")}`;

const badName = (text) => {
  if (text === "") return "the name of a header is empty";
  const { index } = RegExpPrototypeExec(NO_TOKEN, text);
  const bad = codePoint(StringPrototypeCharCodeAt(text, index));
  return `${quoted(text)} is no name of a header: it has ${bad} at position ${index}`;
};

const badValue = (text, name) => {
  const { index } = RegExpPrototypeExec(NO_VALUE, text);
  const unit = StringPrototypeCharCodeAt(text, index);
  const why = unit > 0xff ? "only characters up to U+00FF can be sent" : "line breaks and NUL would end the header";
  return `the value of header ${quoted(name)} has ${codePoint(unit)} at position ${index}: ${why}`;
};

// Shortened and without control characters: what is wrong with it may be just those.
const UNPRINTABLE = /[\0-\x1f\x7f]/;
const quoted = (text) => {
  let shown = text.length > 60 ? `${StringPrototypeSlice(text, 0, 60)}…` : text;
  for (let found = RegExpPrototypeExec(UNPRINTABLE, shown); found !== null; found = RegExpPrototypeExec(UNPRINTABLE, shown)) {
    shown = `${StringPrototypeSlice(shown, 0, found.index)}·${StringPrototypeSlice(shown, found.index + 1)}`;
  }
  return `"${shown}"`;
};

/// Where `name` (in lower case) stands in the list, at or after the even index `from`; -1 if nowhere.
export const indexOfField = (fields, name, from = 0) => {
  let index = ArrayPrototypeIndexOf(fields, name, from);
  // An odd index is a value that reads like the name.
  while (index !== -1 && (index & 1) === 1) index = ArrayPrototypeIndexOf(fields, name, index + 1);
  return index;
};

/// All values of `name` (in lower case), joined as HTTP joins them; null if there is none.
export const getField = (fields, name) => {
  let index = ArrayPrototypeIndexOf(fields, name);
  while (index > 0 && (index & 1) === 1) index = ArrayPrototypeIndexOf(fields, name, index + 1);
  if (index === -1) return null;
  return ArrayPrototypeIndexOf(fields, name, index + 2) === -1 ? fields[index + 1] : joined(fields, name, index);
};

const joined = (fields, name, first) => {
  let index = first;
  let value = fields[index + 1];
  // HTTP/2 clients may send a cookie's crumbs as fields of their own (RFC 9113, 8.2.3).
  const glue = name === "cookie" ? "; " : ", ";
  while ((index = indexOfField(fields, name, index + 2)) !== -1) value = `${value}${glue}${fields[index + 1]}`;
  return value;
};

/// Adds one at the end.
export const appendField = (fields, name, value) => {
  const end = fields.length;
  fields[end] = name;
  fields[end + 1] = value;
};

/// Replaces the first of the name, and removes the others.
export const setField = (fields, name, value) => {
  const index = indexOfField(fields, name);
  if (index === -1) return appendField(fields, name, value);
  fields[index + 1] = value;
  removeFrom(fields, name, index + 2);
};

/// Removes all of the name.
export const deleteField = (fields, name) => removeFrom(fields, name, 0);

const removeFrom = (fields, name, start) => {
  let index = indexOfField(fields, name, start);
  if (index === -1) return;
  let kept = index;
  for (index += 2; index < fields.length; index += 2) {
    if (fields[index] === name) continue;
    fields[kept++] = fields[index];
    fields[kept++] = fields[index + 1];
  }
  fields.length = kept;
};

/// A list of its own with the same fields.
export const copyFields = (fields) => {
  const copy = [];
  for (let i = 0; i < fields.length; i++) copy[i] = fields[i];
  return copy;
};

/// What iteration gives: `[[name, value], …]` by name, equal names joined, but each `set-cookie` for itself.
export const sortedFields = (fields) => {
  const entries = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    if (name === "set-cookie") entries[entries.length] = [name, fields[i + 1]];
    else if (indexOfField(fields, name) === i) entries[entries.length] = [name, getField(fields, name)];
  }
  return ArrayPrototypeSort(entries, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
};
