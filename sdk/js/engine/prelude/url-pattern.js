// URLPattern: Rust takes patterns apart and makes inputs canonical, the engine's regular expressions match.
import native from "dayfly:native";
import { inspectAs } from "dayfly:inspect";
import {
  RegExp, RegExpPrototypeExec, TypeError, append, defineInterface, defineProperty, nullObject, toUSVString,
} from "dayfly:primordials";

const PARTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];

/// What a dictionary says of the parts and the base, as natives take it: each a string or undefined.
const partsOf = (init) => {
  const parts = [];
  for (let i = 0; i < PARTS.length; i++) append(parts, optional(init[PARTS[i]]));
  append(parts, optional(init.baseURL));
  return parts;
};
const optional = (value) => (value === undefined ? undefined : toUSVString(value));

const isDictionary = (value) => value !== null && (typeof value === "object" || typeof value === "function");

/// An input of either kind. A dictionary brings its base along.
const inputOf = (input, base, where) => {
  if (!isDictionary(input)) return toUSVString(input);
  if (base !== undefined) throw new TypeError(`${where}: a base goes into the object, as baseURL`);
  return partsOf(input);
};

/// The standard's flag is `v`; the engine refuses some of what is valid under it (`::` and `/` outside of classes), and takes that under `u`.
const compile = (expression, ignoreCase) => {
  try {
    return new RegExp(expression, ignoreCase ? "vi" : "v");
  } catch {
    return new RegExp(expression, ignoreCase ? "ui" : "u");
  }
};

const matches = (expression, ignoreCase, text) => RegExpPrototypeExec(compile(expression, ignoreCase), text) !== null;

/// Takes a pattern apart; answers what Rust has to know of regular expressions first. Undefined if there is no such pattern.
const takeApart = (input, base, ignoreCase) => {
  const answers = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = native.patternParse(input, base, ignoreCase, answers);
    if (result === undefined || result[0]) return result;
    for (let i = 1; i < result.length; i += 2) {
      append(answers, result[i]);
      append(answers, result[i + 1]);
      append(answers, matches(result[i], ignoreCase, result[i + 1]));
    }
  }
  return undefined;
};
/// Each round answers all six special schemes for one expression, of which a pattern has one or two.
const ROUNDS_MAX = 4;

let componentsOf;

export class URLPattern {
  /// Eight of `{ pattern, compiled, names, literal }`: a regular expression and the names of its groups, or a text, or `*`.
  #components = [];
  #hasRegExpGroups;

  static {
    componentsOf = (pattern) => pattern.#components;
  }

  constructor(input = nullObject(), baseOrOptions = undefined, options = undefined) {
    const hasBase = typeof baseOrOptions === "string" || options !== undefined;
    const base = hasBase ? toUSVString(baseOrOptions) : undefined;
    const given = (hasBase ? options : baseOrOptions) ?? nullObject();
    if (!isDictionary(given)) throw new TypeError("URLPattern: the options are no object");
    const ignoreCase = !!given.ignoreCase;
    const pattern = takeApart(inputOf(input, base, "URLPattern"), base, ignoreCase);
    if (pattern === undefined) throw new TypeError("URLPattern: the pattern is not valid");
    this.#hasRegExpGroups = pattern[1];
    for (let i = 0; i < PARTS.length; i++) {
      const component = pattern[i + 2];
      append(this.#components, makeComponent(component[0], component[1], component[2], component[3], ignoreCase, PARTS[i]));
    }
  }

  get protocol() { return this.#components[0].pattern; }
  get username() { return this.#components[1].pattern; }
  get password() { return this.#components[2].pattern; }
  get hostname() { return this.#components[3].pattern; }
  get port() { return this.#components[4].pattern; }
  get pathname() { return this.#components[5].pattern; }
  get search() { return this.#components[6].pattern; }
  get hash() { return this.#components[7].pattern; }
  get hasRegExpGroups() { return this.#hasRegExpGroups; }

  test(input = nullObject(), baseURL = undefined) {
    return run(this.#components, inputOf(input, baseURL, "URLPattern.test"), baseURL) !== null;
  }

  exec(input = nullObject(), baseURL = undefined) {
    const base = baseURL === undefined ? undefined : toUSVString(baseURL);
    const results = run(this.#components, inputOf(input, base, "URLPattern.exec"), base);
    if (results === null) return null;
    const inputs = [isDictionary(input) ? dictionaryOf(input) : toUSVString(input)];
    if (base !== undefined) append(inputs, base);
    const match = { inputs };
    for (let i = 0; i < PARTS.length; i++) put(match, PARTS[i], results[i]);
    return match;
  }
}

const makeComponent = (pattern, expression, names, literal, ignoreCase, part) => {
  // Only a group that the script wrote as an expression can be wrong.
  try {
    const needsNone = pattern === "*" || typeof literal === "string";
    return nullObject({ pattern, compiled: needsNone ? undefined : compile(expression, ignoreCase), names, literal });
  } catch {
    throw new TypeError(`URLPattern: an expression of the ${part} is not valid`);
  }
};

const dictionaryOf = (init) => {
  const shown = {};
  for (let i = 0; i < PARTS.length; i++) if (init[PARTS[i]] !== undefined) shown[PARTS[i]] = toUSVString(init[PARTS[i]]);
  if (init.baseURL !== undefined) shown.baseURL = toUSVString(init.baseURL);
  return shown;
};

/// Eight of `{ input, groups }`, or null if anything does not match.
const run = (components, input, base) => {
  const parts = native.patternInput(input, base);
  if (parts === undefined) return null;
  const results = [];
  for (let i = 0; i < components.length; i++) {
    const groups = match(components[i], parts[i]);
    if (groups === null) return null;
    append(results, { input: parts[i], groups });
  }
  return results;
};

/// Sets what no setter of `Object.prototype` may see.
const put = (object, key, value) => defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });

const match = ({ pattern, compiled, names, literal }, text) => {
  const groups = {};
  if (compiled === undefined) {
    if (pattern !== "*") return text === literal ? groups : null;
    put(groups, "0", text);
    return groups;
  }
  const found = RegExpPrototypeExec(compiled, text);
  if (found === null) return null;
  for (let i = 0; i < names.length; i++) put(groups, names[i], found[i + 1]);
  return groups;
};

inspectAs(URLPattern, (pattern) => {
  const shown = nullObject();
  for (let i = 0; i < PARTS.length; i++) shown[PARTS[i]] = componentsOf(pattern)[i].pattern;
  return shown;
});
defineInterface(URLPattern);
