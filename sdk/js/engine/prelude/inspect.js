// How a value reads in the log: bounded in depth and size, without running a getter, and never throwing.
import native from "dayfly:native";
import { callsIn } from "dayfly:error-stack";
import { isDOMException } from "dayfly:dom-exception";
import { kindOf } from "dayfly:kinds";
import {
  ArrayBufferPrototypeGetByteLength, ArrayIsArray, ArrayPrototypeIndexOf, ArrayPrototypeJoin, ArrayPrototypePop, BigIntPrototypeToString,
  BooleanPrototypeValueOf, DatePrototypeGetTime, DatePrototypeToISOString, ErrorIsError, FunctionPrototypeToString, JSONStringify,
  MapPrototypeForEach, MapPrototypeGetSize, NumberIsNaN, NumberPrototypeValueOf, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectIs,
  ObjectPrototype, ReflectOwnKeys, RegExpPrototypeExec, RegExpPrototypeGetFlags,
  RegExpPrototypeGetSource, SetPrototypeForEach, SetPrototypeGetSize, String,
  StringPrototypeEndsWith, StringPrototypeIncludes, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeValueOf,
  SymbolPrototypeToString, SymbolToStringTag, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, WeakMap, WeakMapPrototypeGet,
  WeakMapPrototypeSet, append,
} from "dayfly:primordials";

/// Objects deeper than this are named and not opened.
const DEPTH_MAX = 5;
/// Items of a list, and properties of an object, that are shown.
const ITEMS_MAX = 100;
/// Lists up to this length may have names beside their items that are shown.
const NAMED_ITEMS_MAX = 1_000;
/// Characters of one value, about; what comes after is left out.
const LENGTH_MAX = 32_768;
/// Characters of a string inside something else.
const STRING_LENGTH_MAX = 8_192;

/// The text of a value.
export const inspect = (value, depth = DEPTH_MAX) => {
  const run = { __proto__: null, depth, left: LENGTH_MAX, above: [] };
  return show(value, run);
};

const views = new WeakMap();
/// Says what objects of an interface show: `view(object)` gives a plain object of what would be its properties, or a string.
export const inspectAs = (Interface, view) => { WeakMapPrototypeSet(views, Interface.prototype, view); };

const show = (value, run) => {
  if (run.left <= 0) return "…";
  const text = typeof value === "object" || typeof value === "function" ? showSafely(value, run) : primitive(value);
  run.left -= text.length;
  return text;
};

const primitive = (value) => {
  switch (typeof value) {
    case "string": return quoted(value);
    case "number": return ObjectIs(value, -0) ? "-0" : `${value}`;
    case "bigint": return `${BigIntPrototypeToString(value)}n`;
    case "symbol": return SymbolPrototypeToString(value);
    default: return `${value}`;
  }
};

const quoted = (text) => {
  const cut = text.length > STRING_LENGTH_MAX ? `${StringPrototypeSlice(text, 0, STRING_LENGTH_MAX)}… ${text.length - STRING_LENGTH_MAX} more` : text;
  const json = JSONStringify(cut);
  if (StringPrototypeIncludes(cut, "'") || StringPrototypeIncludes(json, "\\\"")) return json;
  return `'${StringPrototypeSlice(json, 1, -1)}'`;
};

const showSafely = (value, run) => {
  if (value === null) return "null";
  if (ArrayPrototypeIndexOf(run.above, value) >= 0) return "[Circular]";
  append(run.above, value);
  try {
    return showObject(value, run);
  } catch {
    // A proxy's trap, or an object that lies about what it is.
    return "[what can't be shown]";
  } finally {
    ArrayPrototypePop(run.above);
  }
};

const showObject = (value, run) => {
  if (kindOf(value) === "Proxy") return "[Proxy]";
  if (ErrorIsError(value) || isDOMException(value)) return showError(value, run);
  const name = constructorName(value);
  if (typeof value === "function") return withProperties(functionHead(value), value, run);
  const view = viewOf(value);
  if (view !== undefined) {
    const seen = view(value);
    return typeof seen === "string" ? seen : `${name} ${braces(properties(seen, run))}`;
  }
  if (run.above.length > run.depth) return `[${ArrayIsArray(value) ? "Array" : name || "Object"}]`;
  if (ArrayIsArray(value)) return `${name === "Array" ? "" : `${name}(${value.length}) `}${brackets(items(value, value.length, run), value, run)}`;
  return showBuiltIn(value, name, run) ?? plain(value, name, run);
};

const viewOf = (value) => {
  for (let prototype = ObjectGetPrototypeOf(value); prototype !== null; prototype = ObjectGetPrototypeOf(prototype)) {
    const view = WeakMapPrototypeGet(views, prototype);
    if (view !== undefined) return view;
  }
  return undefined;
};

const plain = (value, name, run) => {
  const tag = dataOf(value, SymbolToStringTag);
  const own = name === "" ? "[Object: null prototype]" : name;
  const label = typeof tag === "string" && tag !== name ? `${own} [${tag}]` : own;
  const body = braces(properties(value, run));
  return label === "Object" ? body : `${label} ${body}`;
};

/// The language's own kinds, told by what their methods accept and not by what their prototype says.
const showBuiltIn = (value, name, run) => {
  const tag = TypedArrayPrototypeGetSymbolToStringTag(value);
  if (tag !== undefined) {
    const length = TypedArrayPrototypeGetLength(value);
    return `${tag}(${length}) ${brackets(items(value, length, run), undefined, run)}`;
  }
  const which = kindOf(value);
  const kind = kinds[which];
  return kind === undefined ? undefined : withProperties(kind(value, name, run), value, run, which === "String");
};

const kinds = {
  __proto__: null,
  Map: (value, name, run) => `${name}(${MapPrototypeGetSize(value)}) ${braces(mapEntries(value, run))}`,
  Set: (value, name, run) => `${name}(${SetPrototypeGetSize(value)}) ${braces(setItems(value, run))}`,
  Date: (value) => (NumberIsNaN(DatePrototypeGetTime(value)) ? "Invalid Date" : DatePrototypeToISOString(value)),
  RegExp: (value) => `/${RegExpPrototypeGetSource(value)}/${RegExpPrototypeGetFlags(value)}`,
  ArrayBuffer: (value, name) => `${name} { byteLength: ${ArrayBufferPrototypeGetByteLength(value)} }`,
  Number: (value) => `[Number: ${primitive(NumberPrototypeValueOf(value))}]`,
  String: (value) => `[String: ${quoted(StringPrototypeValueOf(value))}]`,
  Boolean: (value) => `[Boolean: ${BooleanPrototypeValueOf(value)}]`,
  Promise: (value, name, run) => `${name} { ${showPromise(value, run)} }`,
  WeakMap: (value, name) => `${name} { what can't be listed }`,
  WeakSet: (value, name) => `${name} { what can't be listed }`,
};

const showPromise = (promise, run) => {
  const settled = native.promiseResult(promise);
  if (settled === undefined) return "<pending>";
  return settled.fulfilled ? show(settled.value, run) : `<rejected> ${show(settled.value, run)}`;
};

const mapEntries = (map, run) => {
  const parts = [];
  let index = 0;
  MapPrototypeForEach(map, (value, key) => {
    if (index++ < ITEMS_MAX && run.left > 0) append(parts, `${show(key, run)} => ${show(value, run)}`);
  });
  return more(parts, index);
};

const setItems = (set, run) => {
  const parts = [];
  let index = 0;
  SetPrototypeForEach(set, (value) => {
    if (index++ < ITEMS_MAX && run.left > 0) append(parts, show(value, run));
  });
  return more(parts, index);
};

const items = (list, length, run) => {
  const parts = [];
  let index = 0;
  for (; index < length && parts.length < ITEMS_MAX && run.left > 0; index++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(list, index);
    append(parts, descriptor === undefined ? "<empty>" : showProperty(descriptor, run));
  }
  return more(parts, length);
};

const more = (parts, count) => {
  if (count > parts.length) append(parts, `… ${count - parts.length} more`);
  return parts;
};

const isIndex = (key) => typeof key === "string" && RegExpPrototypeExec(/^(?:0|[1-9][0-9]{0,9})$/, key) !== null;

/// `name: value` of each listed property of an object's own.
const properties = (object, run, isList = false) => {
  const keys = ReflectOwnKeys(object);
  const parts = [];
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    if (isList && isIndex(keys[i])) continue;
    const descriptor = ObjectGetOwnPropertyDescriptor(object, keys[i]);
    if (descriptor === undefined || !descriptor.enumerable) continue;
    if (count++ < ITEMS_MAX && run.left > 0) append(parts, `${showKey(keys[i])}: ${showProperty(descriptor, run)}`);
  }
  return more(parts, count);
};

const showKey = (key) => {
  if (typeof key === "symbol") return `[${SymbolPrototypeToString(key)}]`;
  return RegExpPrototypeExec(/^[A-Za-z_$][\w$]*$/, key) !== null ? key : quoted(key);
};

const showProperty = (descriptor, run) => {
  if (descriptor.get !== undefined) return descriptor.set === undefined ? "[Getter]" : "[Getter/Setter]";
  return descriptor.set === undefined ? show(descriptor.value, run) : "[Setter]";
};

const braces = (parts) => (parts.length === 0 ? "{}" : `{ ${ArrayPrototypeJoin(parts, ", ")} }`);

const brackets = (parts, list, run) => {
  // Of a long list nobody looks for names beside its items.
  if (list !== undefined && list.length <= NAMED_ITEMS_MAX) {
    const extra = properties(list, run, true);
    for (let i = 0; i < extra.length; i++) append(parts, extra[i]);
  }
  return parts.length === 0 ? "[]" : `[ ${ArrayPrototypeJoin(parts, ", ")} ]`;
};

const withProperties = (head, value, run, isList = false) => {
  const parts = run.above.length > run.depth ? [] : properties(value, run, isList);
  return parts.length === 0 ? head : `${head} ${braces(parts)}`;
};

/// A property's value if it is no accessor, of the object or of what it inherits from.
const dataOf = (object, key) => {
  for (let holder = object; holder !== null; holder = ObjectGetPrototypeOf(holder)) {
    const descriptor = ObjectGetOwnPropertyDescriptor(holder, key);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
};

const constructorName = (value) => {
  const constructor = dataOf(value, "constructor");
  const name = typeof constructor === "function" ? dataOf(constructor, "name") : undefined;
  if (typeof name === "string" && name !== "") return name;
  return ObjectGetPrototypeOf(value) === null ? "" : "Object";
};

const functionHead = (value) => {
  const name = dataOf(value, "name");
  const label = typeof name === "string" && name !== "" ? name : "(anonymous)";
  if (!StringPrototypeStartsWith(FunctionPrototypeToString(value), "class")) return `[Function: ${label}]`;
  const parent = ObjectGetPrototypeOf(value);
  const parentName = typeof parent === "function" ? dataOf(parent, "name") : "";
  return typeof parentName === "string" && parentName !== "" ? `[class ${label} extends ${parentName}]` : `[class ${label}]`;
};

/// `Name: message`, the calls, further properties, and the causes.
const showError = (error, run) => {
  const head = errorHead(error);
  const stack = stackOf(error);
  let text = head;
  if (typeof stack === "string" && stack !== "" && run.above.length <= run.depth) {
    const calls = StringPrototypeStartsWith(stack, head) ? StringPrototypeSlice(stack, head.length) : callsIn(error, stack);
    text = `${head}\n${trimEnds(calls)}`;
  }
  const parts = [];
  const keys = ReflectOwnKeys(error);
  for (let i = 0; i < keys.length && parts.length < ITEMS_MAX; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(error, keys[i]);
    if (keys[i] === "stack" || keys[i] === "message" || keys[i] === "name" || descriptor === undefined) continue;
    if (keys[i] !== "cause" && keys[i] !== "errors" && !descriptor.enumerable) continue;
    append(parts, `[${showKey(keys[i])}]: ${showProperty(descriptor, run)}`);
  }
  return parts.length === 0 ? text : `${text} ${braces(parts)}`;
};

const stackOf = (error) => {
  try {
    return error.stack;
  } catch {
    return undefined;
  }
};

const trimEnds = (text) => {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === "\n") start++;
  while (end > start && text[end - 1] === "\n") end--;
  return StringPrototypeSlice(text, start, end);
};

/// `Name: message`, as the error says; its class's name if it says less.
export const errorHead = (error) => {
  const name = String(error.name ?? "Error");
  const message = String(error.message ?? "");
  const kind = constructorName(error);
  const label = name === "Error" && kind !== "Object" && StringPrototypeEndsWith(kind, "Error") ? kind : name;
  return message === "" ? label : `${label}: ${message}`;
};
