// MIME types, as the MIME Sniffing standard parses and writes them: what `Content-Type` says about a body.
import {
  RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
} from "dayfly:primordials";
import { appendField, trimBlanks } from "dayfly:fields";

const NO_TOKEN = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const NO_QUOTED = /[^\t\x20-\x7e\x80-\xff]/;
const isToken = (text) => text !== "" && RegExpPrototypeExec(NO_TOKEN, text) === null;

/// `{ essence, parameters }` of a header's value: the essence as `text/html`, the parameters as a flat list of names in lower case and values. Null if
/// the text is no type, or null itself.
export const parseMimeType = (text) => {
  if (text === null) return null;
  const semicolon = StringPrototypeIndexOf(text, ";");
  const essence = trimBlanks(semicolon === -1 ? text : StringPrototypeSlice(text, 0, semicolon));
  const slash = StringPrototypeIndexOf(essence, "/");
  if (slash === -1 || !isToken(StringPrototypeSlice(essence, 0, slash)) || !isToken(StringPrototypeSlice(essence, slash + 1))) return null;
  const parameters = semicolon === -1 ? [] : parseParameters(text, semicolon + 1);
  return { essence: StringPrototypeToLowerCase(essence), parameters };
};

/// The type that a message's content type says: of several values the last that is one, with the charset of the one before if it is the same type.
export const extractMimeType = (value) => {
  if (value === null || StringPrototypeIndexOf(value, ",") === -1) return parseMimeType(value);
  let type = null;
  let charset;
  for (let start = 0; start <= value.length;) {
    const end = endOfItem(value, start);
    const next = parseMimeType(StringPrototypeSlice(value, start, end));
    start = end + 1;
    if (next === null || next.essence === "*/*") continue;
    if (type === null || next.essence !== type.essence) charset = undefined;
    const own = mimeParameter(next, "charset");
    if (own === undefined && charset !== undefined) appendField(next.parameters, "charset", charset);
    charset = own ?? charset;
    type = next;
  }
  return type;
};

// Where an item of a list that commas separate ends; those in quotes do not count.
const endOfItem = (text, start) => {
  let quoted = false;
  let at = start;
  for (; at < text.length && (quoted || text[at] !== ","); at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (quoted && text[at] === "\\") at++;
  }
  return at;
};

const parseParameters = (text, start) => {
  const parameters = [];
  let at = start;
  while (at < text.length) {
    let end = at;
    while (end < text.length && text[end] !== ";" && text[end] !== "=") end++;
    const name = StringPrototypeToLowerCase(trimBlanks(StringPrototypeSlice(text, at, end)));
    if (text[end] !== "=") {
      at = end + 1;
      continue;
    }
    const quoted = text[end + 1] === '"';
    const part = quoted ? quotedString(text, end + 1) : plainValue(text, end + 1);
    at = part.next;
    const allowed = quoted || part.value !== "";
    if (allowed && isToken(name) && RegExpPrototypeExec(NO_QUOTED, part.value) === null && mimeParameter({ parameters }, name) === undefined) {
      parameters[parameters.length] = name;
      parameters[parameters.length] = part.value;
    }
  }
  return parameters;
};

const plainValue = (text, start) => {
  const semicolon = StringPrototypeIndexOf(text, ";", start);
  const end = semicolon === -1 ? text.length : semicolon;
  return { value: trimBlanks(StringPrototypeSlice(text, start, end)), next: end + 1 };
};

const quotedString = (text, start) => {
  let value = "";
  let at = start + 1;
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === "\\" && at + 1 < text.length) at++;
    value += text[at];
  }
  const semicolon = StringPrototypeIndexOf(text, ";", at);
  return { value, next: semicolon === -1 ? text.length : semicolon + 1 };
};

/// The value of a parameter, by its name in lower case; undefined if it has none.
export const mimeParameter = (type, name) => {
  const { parameters } = type;
  for (let i = 0; i < parameters.length; i += 2) if (parameters[i] === name) return parameters[i + 1];
  return undefined;
};

/// The type as text again; "" of null.
export const serializeMimeType = (type) => {
  if (type === null) return "";
  let text = type.essence;
  for (let i = 0; i < type.parameters.length; i += 2) {
    const value = type.parameters[i + 1];
    text += `;${type.parameters[i]}=${isToken(value) ? value : quote(value)}`;
  }
  return text;
};

const quote = (value) => {
  let text = '"';
  for (let i = 0; i < value.length; i++) {
    const unit = StringPrototypeCharCodeAt(value, i);
    text += unit === 0x22 || unit === 0x5c ? `\\${value[i]}` : value[i];
  }
  return `${text}"`;
};
