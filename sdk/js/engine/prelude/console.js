// console: a line of the function's log for each call.
import native from "dayfly:native";
import { callsOf } from "dayfly:error-stack";
import { now } from "dayfly:clock";
import { inspect } from "dayfly:inspect";
import { formatTable } from "dayfly:console-table";
import { jsonText } from "dayfly:console-json";
import {
  ArrayPrototypeJoin, Error, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, NumberParseFloat, NumberPrototypeToFixed,
  NumberParseInt, ObjectCreate, ObjectPrototype, ReflectApply, String, StringPrototypeIndexOf, StringPrototypeRepeat, StringPrototypeSlice, SymbolPrototypeToString,
  SymbolToStringTag, append, defineGlobal, defineProperty,
} from "dayfly:primordials";

const counts = new Map();
const timers = new Map();
let indentation = "";

/// Groups deeper than this are no further indented.
const GROUPS_MAX = 20;

/// More than this the platform keeps of no line.
const LINE_LENGTH_MAX = 262_144;

const write = (level, text) => {
  const cut = text.length > LINE_LENGTH_MAX ? StringPrototypeSlice(text, 0, LINE_LENGTH_MAX) : text;
  native.log(level, indentation === "" ? cut : indent(cut));
};

const indent = (text) => {
  let [result, rest] = ["", text];
  for (let end = StringPrototypeIndexOf(rest, "\n"); end >= 0; end = StringPrototypeIndexOf(rest, "\n")) {
    result += indentation + StringPrototypeSlice(rest, 0, end + 1);
    rest = StringPrototypeSlice(rest, end + 1);
  }
  return result + indentation + rest;
};

/// The text of a call's arguments. One plain object is JSON, which whoever reads the log can take apart.
export const format = (values) => {
  if (values.length === 1) {
    const only = values[0];
    return typeof only === "string" ? only : (jsonText(only) ?? inspect(only));
  }
  const parts = [];
  let next = 0;
  if (typeof values[0] === "string" && StringPrototypeIndexOf(values[0], "%") >= 0) {
    const filled = fill(values[0], values);
    append(parts, filled.text);
    next = filled.next;
  }
  for (; next < values.length; next++) append(parts, typeof values[next] === "string" ? values[next] : inspect(values[next]));
  return ArrayPrototypeJoin(parts, " ");
};

/// Puts arguments in the places that the first one has for them.
const fill = (template, values) => {
  let text = "";
  let next = 1;
  let from = 0;
  for (let at = StringPrototypeIndexOf(template, "%"); at >= 0 && at + 1 < template.length; at = StringPrototypeIndexOf(template, "%", from)) {
    const verb = template[at + 1];
    text += StringPrototypeSlice(template, from, at);
    from = at + 2;
    if (verb === "%") text += "%";
    else if (next < values.length && fillers[verb] !== undefined) text += fillers[verb](values[next++]);
    else text += `%${verb}`;
  }
  return { text: text + StringPrototypeSlice(template, from), next };
};

/// What a number's text would run code for, is none.
const isNoNumber = (value) => typeof value === "symbol" || typeof value === "function" || (typeof value === "object" && value !== null);

const whole = (value) => {
  if (isNoNumber(value)) return "NaN";
  return typeof value === "bigint" ? `${value}n` : `${NumberParseInt(value, 10)}`;
};

const fillers = {
  __proto__: null,
  s: (value) => {
    if (typeof value === "string") return value;
    return typeof value === "symbol" ? SymbolPrototypeToString(value) : inspect(value, 1);
  },
  d: whole,
  i: whole,
  f: (value) => (isNoNumber(value) ? "NaN" : `${NumberParseFloat(value)}`),
  o: (value) => inspect(value),
  O: (value) => inspect(value),
  j: (value) => jsonText(value) ?? inspect(value),
  c: () => "",
};

const logger = (name, level) => ({ [name](...values) { if (values.length > 0) write(level, format(values)); } })[name];

const label = (value) => (value === undefined ? "default" : String(value));

const elapsed = (started) => {
  const milliseconds = now() - started;
  return milliseconds < 1000 ? `${NumberPrototypeToFixed(milliseconds, 3)} ms` : `${NumberPrototypeToFixed(milliseconds / 1000, 3)} s`;
};

/// Says how long a timer has run; undefined if there is none.
const sayTime = (name, values) => {
  const started = MapPrototypeGet(timers, name);
  if (started === undefined) {
    write("warn", `console: there is no timer "${name}"`);
    return;
  }
  const rest = values.length === 0 ? "" : ` ${format(values)}`;
  write("info", `${name}: ${elapsed(started)}${rest}`);
};

/// The calls that led here, without the two of the console's own.
const stackHere = () => {
  const stack = callsOf(new Error());
  if (typeof stack !== "string") return "";
  let rest = stack;
  for (let i = 0; i < 2; i++) rest = StringPrototypeSlice(rest, StringPrototypeIndexOf(rest, "\n") + 1);
  return rest;
};

/// A proxy's trap may throw, which is no reason not to log.
const tableOf = (data, columns) => {
  try {
    return formatTable(data, columns);
  } catch {
    return undefined;
  }
};

const methods = {
  log: logger("log", "info"),
  info: logger("info", "info"),
  debug: logger("debug", "debug"),
  warn: logger("warn", "warn"),
  error: logger("error", "error"),
  trace(...values) {
    const text = values.length === 0 ? "Trace" : `Trace: ${format(values)}`;
    write("trace", `${text}\n${stackHere()}`);
  },
  assert(condition = false, ...values) {
    if (!condition) write("error", values.length === 0 ? "Assertion failed" : `Assertion failed: ${format(values)}`);
  },
  dir(value) { write("info", inspect(value)); },
  dirxml(...values) { write("info", format(values)); },
  table(data, columns = undefined) { write("info", tableOf(data, columns) ?? format([data])); },
  group(...values) {
    if (values.length > 0) write("info", format(values));
    if (indentation.length < GROUPS_MAX * 2) indentation += "  ";
  },
  groupCollapsed(...values) { ReflectApply(methods.group, undefined, values); },
  groupEnd() { indentation = StringPrototypeSlice(indentation, 2); },
  count(name = undefined) {
    const key = label(name);
    const count = (MapPrototypeGet(counts, key) ?? 0) + 1;
    MapPrototypeSet(counts, key, count);
    write("info", `${key}: ${count}`);
  },
  countReset(name = undefined) { if (!MapPrototypeDelete(counts, label(name))) write("warn", `console: there is no count "${label(name)}"`); },
  time(name = undefined) {
    const key = label(name);
    if (MapPrototypeGet(timers, key) !== undefined) write("warn", `console: the timer "${key}" runs already`);
    else MapPrototypeSet(timers, key, now());
  },
  timeLog(name = undefined, ...values) { sayTime(label(name), values); },
  timeEnd(name = undefined) {
    sayTime(label(name), []);
    MapPrototypeDelete(timers, label(name));
  },
  clear() {},
};

// A namespace, as Web IDL has it: an object of its own between it and `Object.prototype`.
const console = ObjectCreate(ObjectCreate(ObjectPrototype));
for (const name in methods) defineProperty(console, name, { __proto__: null, value: methods[name], writable: true, enumerable: true, configurable: true });
defineProperty(console, SymbolToStringTag, { __proto__: null, value: "console", configurable: true });
defineGlobal("console", console);
