// `Intl.NumberFormat` and `Intl.PluralRules` in American English, and `toLocaleString` of numbers.
import {
  BigInt, MathFloor, MathMax, MathMin, Number, ObjectGetOwnPropertyDescriptor, RangeError, RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeToUpperCase, TypeError, WeakMap,
  WeakMapPrototypeGet, WeakMapPrototypeSet, defineHidden, defineProperty, uncurryThis,
} from "dayfly:primordials";
import { Intl, LOCALE, defineService, joined, localesOf, optionsOf, part, wholeOf, wordOf } from "dayfly:intl/common";
import { decimalOf, isZero, rounded, shifted, textsOf } from "dayfly:intl/decimals";

const SYMBOLS = {
  __proto__: null, USD: "$", EUR: "€", GBP: "£", JPY: "¥", INR: "₹", CNY: "CN¥", KRW: "₩", AUD: "A$", CAD: "CA$", BRL: "R$", MXN: "MX$", NZD: "NZ$",
  HKD: "HK$", ILS: "₪", VND: "₫", TWD: "NT$", PHP: "₱", XAF: "FCFA", XOF: "F\u202fCFA",
};
// Currencies whose small unit is not a hundredth.
const CENTS = {
  __proto__: null, JPY: 0, KRW: 0, VND: 0, CLP: 0, ISK: 0, PYG: 0, UGX: 0, XAF: 0, XOF: 0, XPF: 0, RWF: 0, BHD: 3, KWD: 3, OMR: 3, TND: 3, JOD: 3, IQD: 0,
};
const COMPACT = ["", "K", "M", "B", "T"];
const COMPACT_LONG = ["", " thousand", " million", " billion", " trillion"];

const formats = new WeakMap();
const stateOf = (format) => {
  const state = WeakMapPrototypeGet(formats, format);
  if (state === undefined) throw new TypeError("this is no Intl.NumberFormat");
  return state;
};

const currencyOf = (options) => {
  const currency = wordOf(options, "currency", null, undefined);
  if (currency === undefined) throw new TypeError("Currency code is required with currency style.");
  if (RegExpPrototypeExec(/^[a-z]{3}$/i, currency) === null) throw new RangeError(`Invalid currency code : ${currency}`);
  return StringPrototypeToUpperCase(currency);
};

// What is said of digits: significant ones, or those behind the point.
const digitsOf = (options, state, least, most) => {
  state.minimumIntegerDigits = wholeOf(options, "minimumIntegerDigits", 1, 21, 1);
  const { minimumSignificantDigits: low, maximumSignificantDigits: high } = options;
  if (low !== undefined || high !== undefined) {
    state.minimumSignificantDigits = wholeOf(options, "minimumSignificantDigits", 1, 21, 1);
    state.maximumSignificantDigits = wholeOf(options, "maximumSignificantDigits", state.minimumSignificantDigits, 21, 21);
    return;
  }
  const min = wholeOf(options, "minimumFractionDigits", 0, 100, undefined);
  const max = wholeOf(options, "maximumFractionDigits", 0, 100, undefined);
  if (min !== undefined && max !== undefined && min > max) throw new RangeError("maximumFractionDigits value is out of range.");
  state.isCompact = state.notation === "compact" && min === undefined && max === undefined;
  state.minimumFractionDigits = min ?? MathMin(least, max ?? least);
  state.maximumFractionDigits = max ?? MathMax(most, state.minimumFractionDigits);
};

export const numberStateOf = (locales, given) => {
  localesOf(locales);
  const options = optionsOf(given);
  const style = wordOf(options, "style", ["decimal", "percent", "currency"], "decimal");
  const state = { __proto__: null, style, currency: undefined, isCompact: false };
  if (style === "currency") {
    state.currency = currencyOf(options);
    state.currencyDisplay = wordOf(options, "currencyDisplay", ["code", "symbol", "narrowSymbol", "name"], "symbol");
  }
  state.notation = wordOf(options, "notation", ["standard", "compact"], "standard");
  state.compactDisplay = wordOf(options, "compactDisplay", ["short", "long"], "short");
  const cents = style === "currency" && state.notation === "standard" ? CENTS[state.currency] ?? 2 : 0;
  digitsOf(options, state, cents, style === "decimal" && state.notation === "standard" ? 3 : cents);
  const { useGrouping } = options;
  state.useGrouping = useGrouping === undefined || !!useGrouping && useGrouping !== "false";
  state.signDisplay = wordOf(options, "signDisplay", ["auto", "never", "always", "exceptZero", "negative"], "auto");
  return state;
};

const roundedAs = (state, decimal) => {
  if (state.maximumSignificantDigits !== undefined) return rounded(decimal, state.maximumSignificantDigits);
  if (state.isCompact) return rounded(decimal, MathMax(decimal.point, 2));
  return rounded(decimal, decimal.point + state.maximumFractionDigits);
};

const groupParts = (parts, whole) => {
  const first = whole.length % 3 || 3;
  part(parts, "integer", StringPrototypeSlice(whole, 0, first));
  for (let at = first; at < whole.length; at += 3) {
    part(parts, "group", ",");
    part(parts, "integer", StringPrototypeSlice(whole, at, at + 3));
  }
};

const digitParts = (parts, state, decimal) => {
  const { minimumIntegerDigits, minimumSignificantDigits: significant, minimumFractionDigits = 0 } = state;
  const fractionMin = significant === undefined ? minimumFractionDigits : MathMax(significant - decimal.point, 0);
  const { 0: whole, 1: fraction } = textsOf(decimal, minimumIntegerDigits, state.isCompact ? 0 : fractionMin);
  if (state.useGrouping && !(state.notation === "compact" && whole.length < 5)) groupParts(parts, whole);
  else part(parts, "integer", whole);
  if (fraction === "") return;
  part(parts, "decimal", ".");
  part(parts, "fraction", fraction);
};

const signOf = (state, isNegative, isNothing) => {
  const { signDisplay } = state;
  if (signDisplay === "never" || (isNothing && (signDisplay === "exceptZero" || signDisplay === "negative"))) return "";
  if (isNegative) return "-";
  return signDisplay === "always" || signDisplay === "exceptZero" ? "+" : "";
};

// The magnitude of a compact number, which rounding may raise: 999,999 is 1M.
const compacted = (state, decimal) => {
  let step = MathMin(MathMax(MathFloor((decimal.point - 1) / 3), 0), 4);
  let small = roundedAs(state, shifted(decimal, -3 * step));
  if (small.point > 3 && step < 4) {
    step++;
    small = roundedAs(state, shifted(decimal, -3 * step));
  }
  return [small, (state.compactDisplay === "long" ? COMPACT_LONG : COMPACT)[step]];
};

const isNegativeNumber = (value) => value < 0 || (value === 0 && 1 / Number(value) < 0);

const finiteParts = (state, value) => {
  let decimal = decimalOf(value);
  let suffix = "";
  if (state.style === "percent") decimal = shifted(decimal, 2);
  if (state.notation === "compact") ({ 0: decimal, 1: suffix } = compacted(state, decimal));
  else decimal = roundedAs(state, decimal);
  const parts = [];
  digitParts(parts, state, decimal);
  if (suffix !== "") part(parts, "compact", suffix);
  return [parts, isZero(decimal)];
};

const specialParts = (value) => {
  const parts = [];
  if (value === value) part(parts, "infinity", "∞");
  else part(parts, "nan", "NaN");
  return [parts, value !== value];
};

/// `[{ type, value }]` of a number or BigInt.
export const numberParts = (state, value) => {
  const isNegative = isNegativeNumber(value);
  const size = isNegative ? -value : value;
  const isFinite = typeof size === "bigint" || (size === size && size !== Infinity);
  const { 0: digits, 1: isNothing } = isFinite ? finiteParts(state, size) : specialParts(size);
  const sign = signOf(state, isNegative, isNothing);
  const parts = [];
  if (sign !== "") part(parts, sign === "-" ? "minusSign" : "plusSign", sign);
  if (state.style === "currency" && state.currencyDisplay !== "name") {
    const symbol = state.currencyDisplay === "code" ? undefined : SYMBOLS[state.currency];
    part(parts, "currency", symbol ?? state.currency);
    if (symbol === undefined) part(parts, "literal", "\u00a0");
  }
  for (let i = 0; i < digits.length; i++) part(parts, digits[i].type, digits[i].value);
  if (state.style === "percent") part(parts, "percentSign", "%");
  if (state.style === "currency" && state.currencyDisplay === "name") {
    part(parts, "literal", " ");
    part(parts, "currency", state.currency);
  }
  return parts;
};

const numeric = (value) => (typeof value === "bigint" ? value : +value);

function NumberFormat(locales = undefined, options = undefined) {
  if (new.target === undefined) return new NumberFormat(locales, options);
  WeakMapPrototypeSet(formats, this, numberStateOf(locales, options));
}

const methods = {
  get format() {
    const state = stateOf(this);
    return (value) => joined(numberParts(state, numeric(value)));
  },
  formatToParts(value) { return numberParts(stateOf(this), numeric(value)); },
  resolvedOptions() {
    const { isCompact, ...said } = stateOf(this);
    return { locale: LOCALE, numberingSystem: "latn", ...said };
  },
};
defineProperty(NumberFormat.prototype, "format", { __proto__: null, get: ObjectGetOwnPropertyDescriptor(methods, "format").get, configurable: true });
defineHidden(NumberFormat.prototype, "formatToParts", methods.formatToParts);
defineHidden(NumberFormat.prototype, "resolvedOptions", methods.resolvedOptions);
defineService(Intl, NumberFormat, "NumberFormat");

class PluralRules {
  #isOrdinal;
  #state;

  constructor(locales = undefined, options = undefined) {
    this.#state = numberStateOf(locales, { ...optionsOf(options), style: "decimal" });
    this.#isOrdinal = wordOf(optionsOf(options), "type", ["cardinal", "ordinal"], "cardinal") === "ordinal";
  }

  select(value) {
    const number = +value;
    if (this.#isOrdinal) return ordinalOf(number);
    return joined(numberParts(this.#state, number)) === "1" ? "one" : "other";
  }

  resolvedOptions() {
    const isOrdinal = this.#isOrdinal;
    const pluralCategories = isOrdinal ? ["few", "one", "two", "other"] : ["one", "other"];
    return { locale: LOCALE, type: isOrdinal ? "ordinal" : "cardinal", pluralCategories };
  }
}

const ordinalOf = (number) => {
  const { 0: ten, 1: hundred } = [number % 10, number % 100];
  if (ten === 1 && hundred !== 11) return "one";
  if (ten === 2 && hundred !== 12) return "two";
  return ten === 3 && hundred !== 13 ? "few" : "other";
};
defineService(Intl, PluralRules, "PluralRules");

const numberValue = uncurryThis(Number.prototype.valueOf);
const bigIntValue = uncurryThis(BigInt.prototype.valueOf);
const { toLocaleString: ofNumber } = {
  toLocaleString(locales = undefined, options = undefined) { return joined(numberParts(numberStateOf(locales, options), numberValue(this))); },
};
const { toLocaleString: ofBigInt } = {
  toLocaleString(locales = undefined, options = undefined) { return joined(numberParts(numberStateOf(locales, options), bigIntValue(this))); },
};
defineHidden(Number.prototype, "toLocaleString", ofNumber);
defineHidden(BigInt.prototype, "toLocaleString", ofBigInt);
