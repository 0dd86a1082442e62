// `Intl.Collator`, and `localeCompare`: the root collation of Unicode as far as it goes without its tables. Latin letters are in order with and without
// accents and case, as are digits, blanks and ASCII's punctuation; letters of other scripts are in the order of their code points.
import {
  MathMin, ObjectGetOwnPropertyDescriptor, RegExpPrototypeExec, String, StringPrototypeCharCodeAt, StringPrototypeCodePointAt,
  StringPrototypeToLowerCase, TypeError, Uint8Array, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet, append,
  defineHidden, defineProperty, uncurryThis,
} from "dayfly:primordials";
import { Intl, LOCALE, defineService, localesOf, optionsOf, wordOf } from "dayfly:intl/common";

const normalize = uncurryThis(String.prototype.normalize);

const ORDER = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";
/// Of ASCII: 0 is passed over.
const WEIGHTS = new Uint8Array(128);
for (let i = 0; i < ORDER.length; i++) WEIGHTS[StringPrototypeCharCodeAt(ORDER, i)] = i + 1;
for (let code = 0x41; code <= 0x5a; code++) WEIGHTS[code] = WEIGHTS[code + 32];
const DIGIT = WEIGHTS[0x30];
const LETTER = WEIGHTS[0x61];
/// Symbols beyond ASCII stand before those of currencies.
const SYMBOL = WEIGHTS[0x7e];

const MARK = /^\p{M}$/u;
const LETTER_OR_DIGIT = /^[\p{L}\p{N}]$/u;
// Letters that are two, or another with something through it, and have no decomposition.
const SPELLED = { __proto__: null, "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ð": "d", "þ": "th", "ı": "i" };

const isUpper = (code) => code >= 0x41 && code <= 0x5a;

// Two texts of ASCII alone, at which most comparisons end: at once at the first letters that differ. Undefined if there is more to it.
const compareAscii = (a, b) => {
  const length = MathMin(a.length, b.length);
  let byCase = 0;
  for (let i = 0; i < length; i++) {
    const left = StringPrototypeCharCodeAt(a, i);
    const right = StringPrototypeCharCodeAt(b, i);
    if (left > 127 || right > 127) return undefined;
    if (left === right) continue;
    const difference = WEIGHTS[left] - WEIGHTS[right];
    if (WEIGHTS[left] === 0 || WEIGHTS[right] === 0) return undefined;
    if (difference !== 0) return difference;
    if (byCase === 0) byCase = isUpper(left) ? 1 : -1;
  }
  if (a.length === b.length) return byCase;
  const next = StringPrototypeCharCodeAt(a.length > length ? a : b, length);
  if (next > 127 || WEIGHTS[next] === 0) return undefined;
  return a.length - b.length;
};

const primaryOf = (code, text) => {
  if (code < 128) return WEIGHTS[code];
  return RegExpPrototypeExec(LETTER_OR_DIGIT, text) === null ? SYMBOL + code / 0x200000 : LETTER + 26 + code;
};

// The elements of a text: `{ primary, accents, upper }` of each letter.
const elementsOf = (text, options) => {
  const decomposed = normalize(text, "NFD");
  const elements = [];
  for (let i = 0; i < decomposed.length;) {
    const code = StringPrototypeCodePointAt(decomposed, i);
    const letter = decomposed[i] + (code > 0xffff ? decomposed[i + 1] : "");
    i += letter.length;
    if (code >= 0x300 && RegExpPrototypeExec(MARK, letter) !== null) {
      if (elements.length > 0) elements[elements.length - 1].accents += letter;
      continue;
    }
    const lower = StringPrototypeToLowerCase(letter);
    const spelled = SPELLED[lower] ?? lower;
    for (let k = 0; k < spelled.length; k += spelled.length > 1 && code > 0xffff ? 2 : 1) {
      const primary = primaryOf(spelled === lower ? StringPrototypeCodePointAt(lower, 0) : StringPrototypeCharCodeAt(spelled, k), letter);
      if (primary === 0 || (options.ignorePunctuation && primary < DIGIT)) continue;
      append(elements, { __proto__: null, primary, accents: spelled === lower ? "" : letter, upper: lower === letter ? 0 : 1 });
    }
  }
  return options.numeric ? withNumbers(elements) : elements;
};

const isDigit = (element) => element !== undefined && element.primary >= DIGIT && element.primary < LETTER;

// Runs of digits as one element: longer is more, once zeros in front are gone.
const withNumbers = (elements) => {
  const merged = [];
  for (let i = 0; i < elements.length; i++) {
    if (!isDigit(elements[i])) {
      append(merged, elements[i]);
      continue;
    }
    while (elements[i].primary === DIGIT && isDigit(elements[i + 1])) i++;
    let digits = "";
    for (; isDigit(elements[i]); i++) digits += `${elements[i].primary - DIGIT}`;
    i--;
    append(merged, { __proto__: null, primary: DIGIT, digits, accents: "", upper: 0 });
  }
  return merged;
};

const compareNumbers = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const compareElements = (a, b, { sensitivity, caseFirst }) => {
  const length = MathMin(a.length, b.length);
  let byAccent = 0;
  let byCase = 0;
  for (let i = 0; i < length; i++) {
    const { 0: left, 1: right } = [a[i], b[i]];
    if (left.primary !== right.primary) return left.primary - right.primary;
    if (left.digits !== undefined) {
      const difference = compareNumbers(left.digits, right.digits ?? "");
      if (difference !== 0) return difference;
    }
    if (byAccent === 0 && left.accents !== right.accents) byAccent = left.accents < right.accents ? -1 : 1;
    if (byCase === 0) byCase = left.upper - right.upper;
  }
  if (a.length !== b.length) return a.length - b.length;
  if (byAccent !== 0 && (sensitivity === "accent" || sensitivity === "variant")) return byAccent;
  if (sensitivity === "base" || sensitivity === "accent") return 0;
  return caseFirst === "upper" ? -byCase : byCase;
};

const PLAIN = { __proto__: null, usage: "sort", sensitivity: "variant", ignorePunctuation: false, numeric: false, caseFirst: "false" };

const stateFrom = (locales, given) => {
  if (locales !== undefined) localesOf(locales);
  if (given === undefined) return PLAIN;
  const options = optionsOf(given);
  const { numeric, ignorePunctuation } = options;
  return {
    __proto__: null, usage: wordOf(options, "usage", ["sort", "search"], "sort"),
    sensitivity: wordOf(options, "sensitivity", ["base", "accent", "case", "variant"], "variant"), ignorePunctuation: !!ignorePunctuation,
    numeric: !!numeric, caseFirst: wordOf(options, "caseFirst", ["upper", "lower", "false"], "false"),
  };
};

const sign = (number) => (number < 0 ? -1 : number > 0 ? 1 : 0);

const compare = (a, b, state) => {
  if (a === b) return 0;
  const simply = state === PLAIN ? compareAscii(a, b) : undefined;
  return sign(simply ?? compareElements(elementsOf(a, state), elementsOf(b, state), state));
};

const collators = new WeakMap();
const stateOf = (collator) => {
  const state = WeakMapPrototypeGet(collators, collator);
  if (state === undefined) throw new TypeError("this is no Intl.Collator");
  return state;
};

function Collator(locales = undefined, options = undefined) {
  if (new.target === undefined) return new Collator(locales, options);
  WeakMapPrototypeSet(collators, this, stateFrom(locales, options));
}

const methods = {
  get compare() {
    const state = stateOf(this);
    return (a, b) => compare(`${a}`, `${b}`, state);
  },
  resolvedOptions() { return { locale: LOCALE, collation: "default", ...stateOf(this) }; },
};
defineProperty(Collator.prototype, "compare", { __proto__: null, get: ObjectGetOwnPropertyDescriptor(methods, "compare").get, configurable: true });
defineHidden(Collator.prototype, "resolvedOptions", methods.resolvedOptions);
defineService(Intl, Collator, "Collator");

const { localeCompare } = {
  localeCompare(that, locales = undefined, options = undefined) {
    if (this === null || this === undefined) throw new TypeError("localeCompare is a method of strings");
    return compare(`${this}`, `${that}`, stateFrom(locales, options));
  },
};
defineHidden(String.prototype, "localeCompare", localeCompare);
