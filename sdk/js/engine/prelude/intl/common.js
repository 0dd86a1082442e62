// What the parts of `Intl` share. There is one locale, American English, and one time zone, UTC: other locales fall back to it, as the standard has it
// for locales that an engine has no data of; other zones are refused, since a wrong time is worse than none.
import {
  ArrayIsArray, ArrayPrototypeIndexOf, Object, RangeError, RegExpPrototypeExec, String, SymbolToStringTag, TypeError, append, defineHidden,
  defineProperty,
} from "dayfly:primordials";

export const LOCALE = "en-US";

const TAG = /^[a-z]{2,8}(?:-[a-z0-9]{1,8})*$/i;

/// The tags that a program gave: a string, an `Intl.Locale`, or a list of them.
export const localesOf = (locales) => {
  if (locales === undefined) return [];
  if (locales === null) throw new TypeError("null is no list of locales");
  const given = ArrayIsArray(locales) ? locales : [locales];
  const tags = [];
  for (let i = 0; i < given.length; i++) {
    if (typeof given[i] !== "string" && (typeof given[i] !== "object" || given[i] === null)) throw new TypeError("a locale is a string or an Intl.Locale");
    const tag = `${given[i]}`;
    if (RegExpPrototypeExec(TAG, tag) === null) throw new RangeError(`Incorrect locale information provided: "${tag}"`);
    if (ArrayPrototypeIndexOf(tags, tag) === -1) append(tags, tag);
  }
  return tags;
};

/// The options as an object; null is none.
export const optionsOf = (options) => {
  if (options === undefined) return { __proto__: null };
  if (options === null) throw new TypeError("null has no options");
  return Object(options);
};

/// One of some words, or `otherwise` if nothing is said.
export const wordOf = (options, name, words, otherwise) => {
  const value = options[name];
  if (value === undefined) return otherwise;
  const word = String(value);
  if (words !== null && ArrayPrototypeIndexOf(words, word) === -1) throw new RangeError(`Value ${word} out of range for Intl options property ${name}`);
  return word;
};

/// A whole number between two others, or `otherwise` if nothing is said.
export const wholeOf = (options, name, least, most, otherwise) => {
  const value = options[name];
  if (value === undefined) return otherwise;
  const number = +value;
  if (!(number >= least && number <= most)) throw new RangeError(`${name} value is out of range.`);
  return number - (number % 1);
};

/// The text of parts.
export const joined = (parts) => {
  let text = "";
  for (let i = 0; i < parts.length; i++) text += parts[i].value;
  return text;
};

export const part = (parts, type, value) => append(parts, { type, value });

const ENGLISH = /^en(?:-|$)/i;

/// Makes a function one of the constructors in `Intl`.
export const defineService = (Intl, Service, name) => {
  const { supportedLocalesOf } = {
    supportedLocalesOf(locales) {
      const tags = localesOf(locales);
      const supported = [];
      for (let i = 0; i < tags.length; i++) if (RegExpPrototypeExec(ENGLISH, tags[i]) !== null) append(supported, tags[i]);
      return supported;
    },
  };
  defineHidden(Service, "supportedLocalesOf", supportedLocalesOf);
  defineProperty(Service.prototype, SymbolToStringTag, { __proto__: null, value: `Intl.${name}`, configurable: true });
  defineHidden(Intl, name, Service);
};

/// `Intl`, which the other files fill.
export const Intl = {};
