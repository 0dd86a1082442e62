// `Intl.DateTimeFormat` in American English and UTC, and `toLocaleString` of dates.
import {
  Date, DatePrototypeGetTime, MathFloor, NumberPrototypeToString, ObjectGetOwnPropertyDescriptor, RangeError, RegExpPrototypeExec, String,
  StringPrototypePadStart, StringPrototypeSlice, TypeError, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet, append, defineHidden, defineProperty,
} from "dayfly:primordials";
import { Intl, LOCALE, defineService, joined, localesOf, optionsOf, part, wholeOf, wordOf } from "dayfly:intl/common";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const TEXT = ["narrow", "short", "long"];
const DIGITS = ["numeric", "2-digit"];
// In the order in which the standard reads them.
const FIELDS = [
  "weekday", TEXT, "era", TEXT, "year", DIGITS, "month", ["numeric", "2-digit", "narrow", "short", "long"], "day", DIGITS, "dayPeriod", TEXT, "hour", DIGITS,
  "minute", DIGITS, "second", DIGITS, "timeZoneName", ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"],
];
const STYLES = ["full", "long", "medium", "short"];
const UTC = /^(?:etc\/)?(?:utc|gmt|uct|zulu|universal|greenwich|gmt[+-]?0)$|^[+-]00(?::?00)?$/i;

// What a style stands for.
const OF_DATE_STYLE = {
  __proto__: null, full: { weekday: "long", month: "long", day: "numeric", year: "numeric" }, long: { month: "long", day: "numeric", year: "numeric" },
  medium: { month: "short", day: "numeric", year: "numeric" }, short: { month: "numeric", day: "numeric", year: "2-digit" },
};
const OF_TIME_STYLE = {
  __proto__: null, full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "long" },
  long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
  medium: { hour: "numeric", minute: "2-digit", second: "2-digit" }, short: { hour: "numeric", minute: "2-digit" },
};

const zoneOf = (options) => {
  const zone = options.timeZone;
  if (zone === undefined) return "UTC";
  const name = String(zone);
  if (RegExpPrototypeExec(UTC, name) === null) throw new RangeError(`Invalid time zone specified: ${name}: functions know UTC alone, and have no data of other zones`);
  return "UTC";
};

const DATE = ["weekday", "year", "month", "day"];
const TIME = ["dayPeriod", "hour", "minute", "second", "fractionalSecondDigits"];
const hasAny = (state, names) => {
  for (let i = 0; i < names.length; i++) if (state[names[i]] !== undefined) return true;
  return false;
};

// `required` and `defaults` as the standard's CreateDateTimeFormat has them.
const stateFrom = (locales, given, required, defaults) => {
  localesOf(locales);
  const options = optionsOf(given);
  const state = { __proto__: null, timeZone: zoneOf(options) };
  const { hour12 } = options;
  const cycle = wordOf(options, "hourCycle", ["h11", "h12", "h23", "h24"], "h12");
  state.is12 = hour12 === undefined ? cycle === "h11" || cycle === "h12" : !!hour12;
  for (let i = 0; i < FIELDS.length; i += 2) state[FIELDS[i]] = wordOf(options, FIELDS[i], FIELDS[i + 1], undefined);
  state.fractionalSecondDigits = wholeOf(options, "fractionalSecondDigits", 1, 3, undefined);
  const dateStyle = state.dateStyle = wordOf(options, "dateStyle", STYLES, undefined);
  const timeStyle = state.timeStyle = wordOf(options, "timeStyle", STYLES, undefined);
  if (dateStyle !== undefined || timeStyle !== undefined) return withStyles(state, required);
  const isComplete = (required !== "time" && hasAny(state, DATE)) || (required !== "date" && hasAny(state, TIME));
  if (!isComplete && defaults !== "time") state.year = state.month = state.day = "numeric";
  if (!isComplete && defaults !== "date") {
    state.hour = "numeric";
    state.minute = state.second = "2-digit";
  }
  return state;
};

const withStyles = (state, required) => {
  const { dateStyle, timeStyle } = state;
  if (hasAny(state, DATE) || hasAny(state, TIME)) throw new TypeError("Can't set option when dateStyle or timeStyle is used");
  if (required === "time" && dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
  if (required === "date" && timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
  return { __proto__: null, ...state, ...OF_DATE_STYLE[dateStyle], ...OF_TIME_STYLE[timeStyle] };
};

const twoDigits = (number) => StringPrototypePadStart(NumberPrototypeToString(number), 2, "0");
const numberAs = (number, width) => (width === "2-digit" ? twoDigits(number % 100) : NumberPrototypeToString(number));
const nameAs = (name, width) => (width === "long" ? name : StringPrototypeSlice(name, 0, width === "short" ? 3 : 1));

// A date's parts in UTC: of days since 1970 (Howard Hinnant: chrono-compatible low-level date algorithms, `civil_from_days`).
const civilOf = (milliseconds) => {
  const days = MathFloor(milliseconds / 864e5);
  const rest = milliseconds - days * 864e5;
  const shifted = days + 719468;
  const era = MathFloor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = MathFloor((dayOfEra - MathFloor(dayOfEra / 1460) + MathFloor(dayOfEra / 36524) - MathFloor(dayOfEra / 146096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + MathFloor(yearOfEra / 4) - MathFloor(yearOfEra / 100));
  const month = MathFloor((5 * dayOfYear + 2) / 153);
  return {
    __proto__: null, year: yearOfEra + era * 400 + (month >= 10 ? 1 : 0), month: month < 10 ? month + 2 : month - 10,
    day: dayOfYear - MathFloor((153 * month + 2) / 5) + 1, weekday: (((days + 4) % 7) + 7) % 7, hour: MathFloor(rest / 36e5),
    minute: MathFloor(rest / 6e4) % 60, second: MathFloor(rest / 1e3) % 60, millisecond: rest % 1e3,
  };
};

const eraName = (isAfter, width) => {
  if (width === "long") return isAfter ? "Anno Domini" : "Before Christ";
  return nameAs(isAfter ? "AD" : "BC", width);
};

const isText = (month) => month === "long" || month === "short" || month === "narrow";

const dateParts = (parts, state, time) => {
  const { weekday, year, month, day } = state;
  const hasText = isText(month);
  const dayName = weekday === undefined ? undefined : nameAs(DAYS[time.weekday], weekday);
  if (dayName !== undefined && day !== undefined && month === undefined && year === undefined) {
    part(parts, "day", numberAs(time.day, day));
    part(parts, "literal", " ");
    part(parts, "weekday", dayName);
    return;
  }
  const add = (type, text, before) => {
    if (parts.length > 0) part(parts, "literal", parts[parts.length - 1].type === "weekday" ? ", " : before);
    part(parts, type, text);
  };
  if (dayName !== undefined) add("weekday", dayName, "");
  if (month !== undefined) add("month", hasText ? nameAs(MONTHS[time.month], month) : numberAs(time.month + 1, month), "");
  if (day !== undefined) add("day", numberAs(time.day, day), hasText ? " " : "/");
  if (year !== undefined) add("year", numberAs(time.year > 0 ? time.year : 1 - time.year, year), !hasText ? "/" : day === undefined ? " " : ", ");
  if (state.era !== undefined) add("era", eraName(time.year > 0, state.era), " ");
};

const hourOf = (state, hour) => {
  if (!state.is12) return twoDigits(hour);
  return numberAs(hour % 12 === 0 ? 12 : hour % 12, state.hour);
};

const timeParts = (parts, state, time) => {
  const { hour, minute, second, fractionalSecondDigits: digits } = state;
  const begun = parts.length;
  const add = (type, text, before) => {
    if (parts.length > begun) part(parts, "literal", before);
    part(parts, type, text);
  };
  if (hour !== undefined) add("hour", hourOf(state, time.hour), "");
  if (minute !== undefined) add("minute", hour !== undefined || second !== undefined ? twoDigits(time.minute) : NumberPrototypeToString(time.minute), ":");
  if (second !== undefined) add("second", minute !== undefined ? twoDigits(time.second) : NumberPrototypeToString(time.second), ":");
  if (digits !== undefined) add("fractionalSecond", StringPrototypeSlice(StringPrototypePadStart(NumberPrototypeToString(time.millisecond), 3, "0"), 0, digits), ".");
  if (hour !== undefined && state.is12) add("dayPeriod", time.hour < 12 ? "AM" : "PM", " ");
};

const zoneName = (width) => (width === "long" ? "Coordinated Universal Time" : width === "short" ? "UTC" : "GMT");

const joint = ({ month, day, year }) => (month === "long" ? " at " : month === undefined && day === undefined && year === undefined ? " " : ", ");

const partsOf = (state, milliseconds) => {
  const time = civilOf(milliseconds);
  const date = [];
  const clock = [];
  dateParts(date, state, time);
  timeParts(clock, state, time);
  if (date.length > 0 && clock.length > 0) part(date, "literal", joint(state));
  for (let i = 0; i < clock.length; i++) append(date, clock[i]);
  if (state.timeZoneName !== undefined) {
    if (date.length > 0) part(date, "literal", clock.length > 0 ? " " : ", ");
    part(date, "timeZoneName", zoneName(state.timeZoneName));
  }
  return date;
};

const { now } = Date;
const formats = new WeakMap();
const stateOf = (format) => {
  const state = WeakMapPrototypeGet(formats, format);
  if (state === undefined) throw new TypeError("this is no Intl.DateTimeFormat");
  return state;
};

const timeOf = (date) => {
  const time = date === undefined ? now() : +date;
  if (!(time >= -864e13 && time <= 864e13)) throw new RangeError("Invalid time value");
  return time - (time % 1);
};

function DateTimeFormat(locales = undefined, options = undefined) {
  if (new.target === undefined) return new DateTimeFormat(locales, options);
  WeakMapPrototypeSet(formats, this, stateFrom(locales, options, "any", "date"));
}

const methods = {
  get format() {
    const state = stateOf(this);
    return (date) => joined(partsOf(state, timeOf(date)));
  },
  formatToParts(date) { return partsOf(stateOf(this), timeOf(date)); },
  formatRange(start, end) {
    const state = stateOf(this);
    const { 0: from, 1: to } = [joined(partsOf(state, timeOf(+start))), joined(partsOf(state, timeOf(+end)))];
    return from === to ? from : `${from} – ${to}`;
  },
  resolvedOptions() {
    const { is12, ...said } = stateOf(this);
    const clock = said.hour === undefined ? {} : { hourCycle: is12 ? "h12" : "h23", hour12: is12 };
    const shown = { locale: LOCALE, calendar: "gregory", numberingSystem: "latn", ...clock };
    for (const name in said) if (said[name] !== undefined) shown[name] = said[name];
    return shown;
  },
};
defineProperty(DateTimeFormat.prototype, "format", { __proto__: null, get: ObjectGetOwnPropertyDescriptor(methods, "format").get, configurable: true });
defineHidden(DateTimeFormat.prototype, "formatToParts", methods.formatToParts);
defineHidden(DateTimeFormat.prototype, "formatRange", methods.formatRange);
defineHidden(DateTimeFormat.prototype, "resolvedOptions", methods.resolvedOptions);
defineService(Intl, DateTimeFormat, "DateTimeFormat");

const text = (date, locales, options, required, defaults) => {
  const time = DatePrototypeGetTime(date);
  const state = stateFrom(locales, options, required, defaults);
  return time === time ? joined(partsOf(state, time)) : "Invalid Date";
};
const ofDate = {
  toLocaleString(locales = undefined, options = undefined) { return text(this, locales, options, "any", "all"); },
  toLocaleDateString(locales = undefined, options = undefined) { return text(this, locales, options, "date", "date"); },
  toLocaleTimeString(locales = undefined, options = undefined) { return text(this, locales, options, "time", "time"); },
};
defineHidden(Date.prototype, "toLocaleString", ofDate.toLocaleString);
defineHidden(Date.prototype, "toLocaleDateString", ofDate.toLocaleDateString);
defineHidden(Date.prototype, "toLocaleTimeString", ofDate.toLocaleTimeString);
