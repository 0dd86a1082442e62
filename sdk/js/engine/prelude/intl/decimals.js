// Numbers as decimal digits, and rounding those: half goes up, as people do it, and of the shortest digits that say the number.
import {
  BigIntPrototypeToString, Number, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypePadEnd, StringPrototypePadStart,
  StringPrototypeRepeat, StringPrototypeSlice, uncurryThis,
} from "dayfly:primordials";

const toExponential = uncurryThis(Number.prototype.toExponential);

const ZERO = { __proto__: null, digits: "0", point: 1 };

/// The digits of a number that is not negative, without zeros around them, and how many of them stand before the point.
export const decimalOf = (value) => {
  if (typeof value === "bigint") {
    const digits = BigIntPrototypeToString(value);
    return { __proto__: null, digits, point: digits.length };
  }
  if (value === 0) return ZERO;
  const text = toExponential(value);
  const e = StringPrototypeIndexOf(text, "e");
  const digits = text[0] + (e > 1 ? StringPrototypeSlice(text, 2, e) : "");
  return { __proto__: null, digits, point: +StringPrototypeSlice(text, e + 1) + 1 };
};

/// With that many digits kept from the first on.
export const rounded = (decimal, kept) => {
  const { digits, point } = decimal;
  if (kept >= digits.length) return decimal;
  if (kept < 0) return ZERO;
  const isUp = StringPrototypeCharCodeAt(digits, kept) >= 0x35;
  if (!isUp) return kept === 0 ? ZERO : { __proto__: null, digits: StringPrototypeSlice(digits, 0, kept), point };
  let last = kept - 1;
  while (last >= 0 && digits[last] === "9") last--;
  if (last < 0) return { __proto__: null, digits: "1", point: point + 1 };
  const next = StringFromCharCode(StringPrototypeCharCodeAt(digits, last) + 1);
  return { __proto__: null, digits: StringPrototypeSlice(digits, 0, last) + next, point };
};

export const isZero = ({ digits }) => digits === "0";

export const shifted = ({ digits, point }, by) => (digits === "0" ? ZERO : { __proto__: null, digits, point: point + by });

/// The digits before the point and behind it, at least so many of each; none behind it is a zero that need not be there.
export const textsOf = ({ digits, point }, integerMin, fractionMin) => {
  const whole = point <= 0 ? "0" : StringPrototypePadEnd(StringPrototypeSlice(digits, 0, point), point, "0");
  const rest = point <= 0 ? StringPrototypeRepeat("0", -point) + digits : StringPrototypeSlice(digits, point);
  let end = rest.length;
  while (end > 0 && rest[end - 1] === "0") end--;
  return [StringPrototypePadStart(whole, integerMin, "0"), StringPrototypePadEnd(StringPrototypeSlice(rest, 0, end), fractionMin, "0")];
};
