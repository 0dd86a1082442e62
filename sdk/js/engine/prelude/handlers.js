// Which handlers a script has, and whether they are those that its triggers ask for.
import {
  ArrayPrototypeIncludes, ArrayPrototypeJoin, FunctionPrototypeToString, ObjectKeys, RegExpPrototypeExec, append,
} from "dayfly:primordials";

const NAMES = ["fetch", "queue", "scheduled", "event", "stream", "bucket", "kv", "sql"];

// What a trigger of the manifest asks for, for people.
const ASKS = {
  __proto__: null, fetch: "a route", queue: "on = { queue }", scheduled: "on = { cron }", event: "on = { event }", stream: "on = { stream }",
  bucket: "on = { bucket }", kv: "on = { kv }", sql: "on = { sql }",
};

const CLASS = /^class\b/;

const quoted = (names) => {
  const all = [];
  for (let i = 0; i < names.length; i++) append(all, `\`${names[i]}\``);
  return ArrayPrototypeJoin(all, ", ");
};

const isCallable = (handlers, name) => typeof handlers[name] === "function";

const namesOf = (handlers) => {
  const found = [];
  for (let i = 0; i < NAMES.length; i++) {
    if (isCallable(handlers, NAMES[i])) append(found, NAMES[i]);
  }
  return found;
};

// Why a default export can't have handlers.
const noObject = (value, namespace, example) => {
  if (value === undefined) {
    const named = namesOf(namespace);
    const more = named.length === 0 ? "" : `; ${quoted(named)} ${named.length === 1 ? "is" : "are"} exported by name`;
    return `there is no default export${more}: write \`${example}\``;
  }
  if (typeof value === "function") {
    const isClass = RegExpPrototypeExec(CLASS, FunctionPrototypeToString(value)) !== null;
    if (isClass) return "the default export is a class: export an object of it, `export default new …()`";
    return `the default export is a function: write \`${example}\``;
  }
  return `the default export is ${value === null ? "null" : `a ${typeof value}`}, and no object of handlers: write \`${example}\``;
};

/// The handlers of a script's entry module, and their names; `wanted` are those that its triggers ask for. Gives a text instead if they can't be
/// served.
export const findHandlers = (namespace, wanted) => {
  const handlers = namespace.default;
  const first = wanted[0] ?? "fetch";
  const input = first === "fetch" ? "request" : first === "queue" || first === "stream" ? "batch" : "event";
  const example = `export default { ${first}(${input}, env, ctx) { … } }`;
  const isObject = handlers !== null && (typeof handlers === "object" || typeof handlers === "function");
  const names = isObject ? namesOf(handlers) : [];
  if (!isObject || (names.length === 0 && typeof handlers === "function")) return noObject(handlers, namespace, example);
  for (let i = 0; i < wanted.length; i++) {
    if (ArrayPrototypeIncludes(names, wanted[i])) continue;
    const there = handlers[wanted[i]];
    const kind = there === null ? "null" : `a ${typeof there}`;
    const what = there === undefined ? `has no \`${wanted[i]}\`` : `has a \`${wanted[i]}\` that is ${kind}, and no function`;
    const has = names.length === 0 ? `no handler at all${propertiesOf(handlers)}` : quoted(names);
    return `the default export ${what}, which ${ASKS[wanted[i]]} in the manifest asks for; it has ${has}`;
  }
  return { handlers, names };
};

const propertiesOf = (handlers) => {
  const keys = ObjectKeys(handlers);
  return keys.length === 0 || keys.length > 12 ? "" : `, but ${quoted(keys)}`;
};
