// `Intl.Segmenter`, and the rest of `Intl` that is short in English: lists, relative times, and what locales there are.
import {
  ArrayFrom, ArrayPrototypeIndexOf, MathAbs, RangeError, RegExpPrototypeExec, StringPrototypeCodePointAt, StringPrototypeSlice,
  StringPrototypeToLowerCase, StringPrototypeToUpperCase, SymbolIterator, TypeError, append, defineGlobal, defineHidden, defineProperty,
  SymbolToStringTag,
} from "dayfly:primordials";
import { Intl, LOCALE, defineService, joined, localesOf, optionsOf, part, wordOf } from "dayfly:intl/common";
import { numberParts, numberStateOf } from "dayfly:intl/numbers";

const EXTENDS = /^[\p{M}\u200c\u200d\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]$/u;
const PICTURE = /^\p{Extended_Pictographic}$/u;
const WORD = /^[\p{L}\p{N}\p{M}_]$/u;
const isFlag = (code) => code >= 0x1f1e6 && code <= 0x1f1ff;

const letterAt = (text, at) => StringPrototypeSlice(text, at, at + (StringPrototypeCodePointAt(text, at) > 0xffff ? 2 : 1));

// Where the character that a person sees ends (Unicode annex 29, without the syllables of Hangul and of Indic scripts).
const graphemeEnd = (text, start) => {
  const first = letterAt(text, start);
  let end = start + first.length;
  if (first === "\r" && text[end] === "\n") return end + 1;
  if (isFlag(StringPrototypeCodePointAt(first, 0)) && end < text.length && isFlag(StringPrototypeCodePointAt(text, end))) end += 2;
  while (end < text.length) {
    const next = letterAt(text, end);
    const isJoined = text[end - 1] === "\u200d" && RegExpPrototypeExec(PICTURE, next) !== null;
    if (!isJoined && RegExpPrototypeExec(EXTENDS, next) === null) break;
    end += next.length;
  }
  return end;
};

const isWord = (text, at) => at < text.length && RegExpPrototypeExec(WORD, letterAt(text, at)) !== null;

const wordEnd = (text, start) => {
  if (!isWord(text, start)) return graphemeEnd(text, start);
  let end = start;
  while (isWord(text, end) || (end > start && (text[end] === "'" || text[end] === "’" || text[end] === ".") && isWord(text, end + 1))) end += letterAt(text, end).length;
  return end;
};

const SENTENCE = /[.!?…]+["')\]]*\s+|\n+/y;
const sentenceEnd = (text, start) => {
  for (let at = start; at < text.length; at++) {
    SENTENCE.lastIndex = at;
    if (RegExpPrototypeExec(SENTENCE, text) !== null) return SENTENCE.lastIndex;
  }
  return text.length;
};

const ENDS = { __proto__: null, grapheme: graphemeEnd, word: wordEnd, sentence: sentenceEnd };

class Segments {
  #text;
  #granularity;

  constructor(text, granularity) {
    this.#text = text;
    this.#granularity = granularity;
  }

  *[SymbolIterator]() {
    for (let at = 0; at < this.#text.length;) {
      const segment = this.#segment(at);
      yield segment;
      at += segment.segment.length;
    }
  }

  containing(index = 0) {
    const wanted = +index || 0;
    if (wanted < 0 || wanted >= this.#text.length) return undefined;
    for (let at = 0; ;) {
      const segment = this.#segment(at);
      at += segment.segment.length;
      if (at > wanted) return segment;
    }
  }

  #segment(index) {
    const input = this.#text;
    const segment = StringPrototypeSlice(input, index, ENDS[this.#granularity](input, index));
    return this.#granularity === "word" ? { segment, index, input, isWordLike: isWord(segment, 0) } : { segment, index, input };
  }
}

class Segmenter {
  #granularity;

  constructor(locales = undefined, options = undefined) {
    localesOf(locales);
    this.#granularity = wordOf(optionsOf(options), "granularity", ["grapheme", "word", "sentence"], "grapheme");
  }

  segment(text) { return new Segments(`${text}`, this.#granularity); }
  resolvedOptions() { return { locale: LOCALE, granularity: this.#granularity }; }
}
defineService(Intl, Segmenter, "Segmenter");

class ListFormat {
  #type;

  constructor(locales = undefined, options = undefined) {
    localesOf(locales);
    this.#type = wordOf(optionsOf(options), "type", ["conjunction", "disjunction", "unit"], "conjunction");
  }

  format(list) { return joined(this.formatToParts(list)); }

  formatToParts(list) {
    const items = ArrayFrom(list);
    const word = this.#type === "unit" ? "" : this.#type === "conjunction" ? "and " : "or ";
    const parts = [];
    for (let i = 0; i < items.length; i++) {
      if (typeof items[i] !== "string") throw new TypeError("a list to be formatted has strings");
      const isLast = i === items.length - 1;
      if (i > 0) part(parts, "literal", !isLast ? ", " : items.length > 2 || word === "" ? `, ${word}` : ` ${word}`);
      part(parts, "element", items[i]);
    }
    return parts;
  }

  resolvedOptions() { return { locale: LOCALE, type: this.#type, style: "long" }; }
}
defineService(Intl, ListFormat, "ListFormat");

const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
const NAMED = {
  __proto__: null, "day -1": "yesterday", "day 0": "today", "day 1": "tomorrow", "second 0": "now",
};
for (const unit of ["week", "month", "quarter", "year"]) {
  NAMED[`${unit} -1`] = `last ${unit}`;
  NAMED[`${unit} 0`] = `this ${unit}`;
  NAMED[`${unit} 1`] = `next ${unit}`;
}
NAMED["minute 0"] = "this minute";
NAMED["hour 0"] = "this hour";

class RelativeTimeFormat {
  #isNamed;
  #numbers = numberStateOf(undefined, undefined);

  constructor(locales = undefined, options = undefined) {
    localesOf(locales);
    this.#isNamed = wordOf(optionsOf(options), "numeric", ["always", "auto"], "always") === "auto";
  }

  format(value, unit) { return joined(this.formatToParts(value, unit)); }

  formatToParts(value, unit) {
    const number = +value;
    const name = RegExpPrototypeExec(/^(.*?)s?$/, `${unit}`)[1];
    if (ArrayPrototypeIndexOf(UNITS, name) === -1) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
    if (!(MathAbs(number) < Infinity)) throw new RangeError("Invalid value: it has to be finite");
    const parts = [];
    const named = this.#isNamed ? NAMED[`${name} ${number}`] : undefined;
    if (named !== undefined) {
      part(parts, "literal", named);
      return parts;
    }
    const isPast = number < 0 || 1 / number < 0;
    if (!isPast) part(parts, "literal", "in ");
    const digits = numberParts(this.#numbers, MathAbs(number));
    for (let i = 0; i < digits.length; i++) append(parts, { ...digits[i], unit: name });
    part(parts, "literal", ` ${name}${MathAbs(number) === 1 ? "" : "s"}${isPast ? " ago" : ""}`);
    return parts;
  }

  resolvedOptions() { return { locale: LOCALE, style: "long", numeric: this.#isNamed ? "auto" : "always", numberingSystem: "latn" }; }
}
defineService(Intl, RelativeTimeFormat, "RelativeTimeFormat");

const TAG = /^([a-z]{2,3}|[a-z]{5,8})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?((?:-[a-z0-9]{1,8})*)$/i;

class Locale {
  #name;

  constructor(tag, options = undefined) {
    if (typeof tag !== "string" && (typeof tag !== "object" || tag === null)) throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
    const found = RegExpPrototypeExec(TAG, `${tag}`);
    if (found === null) throw new RangeError(`Incorrect locale information provided: "${tag}"`);
    const { language = found[1], script = found[2], region = found[3] } = optionsOf(options);
    let name = StringPrototypeToLowerCase(`${language}`);
    if (script !== undefined) name += `-${StringPrototypeToUpperCase(`${script}`[0])}${StringPrototypeToLowerCase(StringPrototypeSlice(`${script}`, 1))}`;
    if (region !== undefined) name += `-${StringPrototypeToUpperCase(`${region}`)}`;
    this.#name = name;
  }

  get baseName() { return this.#name; }
  get language() { return RegExpPrototypeExec(TAG, this.#name)[1]; }
  get script() { return RegExpPrototypeExec(TAG, this.#name)[2]; }
  get region() { return RegExpPrototypeExec(TAG, this.#name)[3]; }
  maximize() { return this; }
  minimize() { return this; }
  toString() { return this.#name; }
}
defineHidden(Intl, "Locale", Locale);

const functions = {
  getCanonicalLocales(locales = undefined) {
    const tags = localesOf(locales);
    const names = [];
    for (let i = 0; i < tags.length; i++) append(names, new Locale(tags[i]).baseName);
    return names;
  },
  supportedValuesOf(key) {
    const values = { __proto__: null, calendar: ["gregory"], collation: ["default"], currency: [], numberingSystem: ["latn"], timeZone: ["UTC"], unit: [] };
    if (values[`${key}`] === undefined) throw new RangeError(`Invalid key : ${key}`);
    return values[`${key}`];
  },
};
defineHidden(Intl, "getCanonicalLocales", functions.getCanonicalLocales);
defineHidden(Intl, "supportedValuesOf", functions.supportedValuesOf);
defineProperty(Intl, SymbolToStringTag, { __proto__: null, value: "Intl", configurable: true });
defineGlobal("Intl", Intl);
