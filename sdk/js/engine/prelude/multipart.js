// `multipart/form-data` (RFC 7578): written as the HTML standard has it, and read as the Fetch standard has it. Bytes are searched in Rust.
import native from "dayfly:native";
import {
  MathFloor, MathRandom, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeToLowerCase, TypeError,
  TypedArrayPrototypeSet, TypedArrayPrototypeSlice, TypedArrayPrototypeSubarray, Uint8Array,
} from "dayfly:primordials";
import { blobBytes, newFile } from "dayfly:blob";
import { decodeUtf8, encodeUtf8 } from "dayfly:encoding";
import { trimBlanks } from "dayfly:fields";
import { entriesOf } from "dayfly:form-data";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const newBoundary = () => {
  let boundary = "----formdata-";
  for (let i = 0; i < 24; i++) boundary += DIGITS[MathFloor(MathRandom() * DIGITS.length)];
  return boundary;
};

/// A form as `{ bytes, type }`.
export const serializeMultipart = (form) => {
  const entries = entriesOf(form);
  const boundary = newBoundary();
  const pieces = [];
  let size = 0;
  const put = (bytes) => {
    pieces[pieces.length] = bytes;
    size += bytes.length;
  };
  for (let i = 0; i < entries.length; i += 2) {
    const value = entries[i + 1];
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withCrLf(entries[i]))}"`;
    if (typeof value === "string") {
      put(encodeUtf8(`${head}\r\n\r\n${withCrLf(value)}\r\n`));
      continue;
    }
    put(encodeUtf8(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${value.type === "" ? "application/octet-stream" : value.type}\r\n\r\n`));
    put(blobBytes(value));
    put(CRLF);
  }
  put(encodeUtf8(`--${boundary}--\r\n`));
  return { bytes: join(pieces, size), type: `multipart/form-data; boundary=${boundary}` };
};

const CRLF = new Uint8Array(2);
CRLF[0] = 0x0d;
CRLF[1] = 0x0a;

const join = (pieces, size) => {
  const bytes = new Uint8Array(size);
  for (let i = 0, at = 0; i < pieces.length; at += pieces[i++].length) TypedArrayPrototypeSet(bytes, pieces[i], at);
  return bytes;
};

const replaceUnits = (text, found, replace) => {
  if (RegExpPrototypeExec(found, text) === null) return text;
  let replaced = "";
  for (let i = 0; i < text.length; i++) replaced += replace(StringPrototypeCharCodeAt(text, i), text, i);
  return replaced;
};

// Line breaks of any kind are CR LF in a form's names and texts.
const withCrLf = (text) => replaceUnits(text, /[\r\n]/, (unit, whole, i) => {
  if (unit === 0x0d) return whole[i + 1] === "\n" ? "\r" : "\r\n";
  return unit === 0x0a && whole[i - 1] !== "\r" ? "\r\n" : whole[i];
});

const escapeName = (name) => replaceUnits(name, /[\r\n"]/, (unit, whole, i) => {
  switch (unit) {
    case 0x0a: return "%0A";
    case 0x0d: return "%0D";
    case 0x22: return "%22";
    default: return whole[i];
  }
});

const broken = (what) => new TypeError(`Body is no form: ${what}`);

/// Appends the entries of a form's bytes to a flat list of names and values.
export const parseMultipart = (bytes, boundary, entries) => {
  const dash = encodeUtf8(`--${boundary}`);
  const delimiter = encodeUtf8(`\r\n--${boundary}`);
  // What stands before the first boundary is for people, and skipped.
  let at = native.bytesIndexOf(bytes, dash, 0);
  if (at === -1) throw broken("the boundary that its content-type names is not in it");
  for (at += dash.length; ; at += delimiter.length) {
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d) return;
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw broken(`a boundary at byte ${at} is followed by something else than a line's end`);
    const head = parseHead(bytes, at + 2);
    const end = native.bytesIndexOf(bytes, delimiter, head.body - 2);
    if (end === -1) throw broken(`the part "${head.name}" has no end`);
    entries[entries.length] = head.name;
    entries[entries.length] = partValue(bytes, head, end);
    at = end;
  }
};

const partValue = (bytes, { filename, type, body }, end) => {
  if (filename !== undefined) return newFile(TypedArrayPrototypeSlice(bytes, body, end), filename, type ?? "text/plain");
  return native.decodeUtf8(TypedArrayPrototypeSubarray(bytes, body, end), false, true);
};

// The header lines of a part, which begin at `start`: what they say, and where its body begins.
const parseHead = (bytes, start) => {
  const head = { name: undefined, filename: undefined, type: undefined, body: 0 };
  for (let at = start; ;) {
    const end = native.bytesIndexOf(bytes, CRLF, at);
    if (end === -1) throw broken("a part's headers have no end");
    if (end === at) {
      if (head.name === undefined) throw broken("a part has no name");
      head.body = at + 2;
      return head;
    }
    parseLine(decodeUtf8(TypedArrayPrototypeSubarray(bytes, at, end)), head);
    at = end + 2;
  }
};

const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:([^]*)$/;
// Ended by what closes them: quotes inside are written %22.
const NAME = /;[ \t]*name="([^"]*)"/i;
const FILENAME = /;[ \t]*filename="([^"]*)"/i;
const BARE_NAME = /;[ \t]*name=([^";\s]+)/i;
const BARE_FILENAME = /;[ \t]*filename=([^";\s]+)/i;

const parseLine = (line, head) => {
  const found = RegExpPrototypeExec(LINE, line);
  if (found === null) throw broken(`"${StringPrototypeSlice(line, 0, 80)}" is no header of a part`);
  const name = StringPrototypeToLowerCase(found[1]);
  const value = trimBlanks(found[2]);
  if (name === "content-type") head.type = value;
  if (name !== "content-disposition") return;
  if (RegExpPrototypeExec(/^form-data[ \t]*(;|$)/i, value) === null) throw broken("a part's content-disposition is not form-data");
  head.name = unescapeName(value, NAME, BARE_NAME);
  head.filename = unescapeName(value, FILENAME, BARE_FILENAME);
};

const unescapeName = (value, quoted, bare) => {
  const found = RegExpPrototypeExec(quoted, value) ?? RegExpPrototypeExec(bare, value);
  if (found === null) return undefined;
  let text = "";
  for (let i = 0; i < found[1].length; i++) {
    const code = StringPrototypeToLowerCase(StringPrototypeSlice(found[1], i, i + 3));
    const plain = code === "%0a" ? "\n" : code === "%0d" ? "\r" : code === "%22" ? '"' : undefined;
    text += plain ?? found[1][i];
    if (plain !== undefined) i += 2;
  }
  return text;
};
