// `Intl` and the methods that go with it: American English and UTC, held to what Node gives for the same.
import { equal, run, same, test, throws } from "./assert.mjs";

const rows = (name, list) => test(name, () => {
  for (const [actual, expected] of list) same(actual, expected);
});
const number = (value, options) => value.toLocaleString("en-US", options);
const noon = new Date(Date.UTC(2024, 0, 2, 15, 4, 5));
const midnight = new Date(Date.UTC(1999, 11, 31));

rows("numbers", [
  [[0, -0, 1234.5678, -1234567.891, 0.0005, 0.00049, 1e21, NaN, -Infinity, 999.9996].map((value) => number(value)), ["0", "-0", "1,234.568", "-1,234,567.891", "0.001", "0", "1,000,000,000,000,000,000,000", "NaN", "-∞", "1,000"]],
  [[12345678901234567890n.toLocaleString(), [1234.5, "a"].toLocaleString(), new Float64Array([1234.5]).toLocaleString()], ["12,345,678,901,234,567,890", "1,234.5,a", "1,234.5"]],
  [[1.005, 2.5, 1234.5].map((value) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })), ["1.01", "2.50", "1,234.50"]],
  [[0.256, 0.005, 5].map((value) => number(value, { style: "percent" })), ["26%", "1%", "500%"]],
  [["USD", "eur", "JPY", "CHF"].map((currency) => number(-1234.5, { style: "currency", currency })), ["-$1,234.50", "-€1,234.50", "-¥1,235", "-CHF\u00a01,234.50"]],
  [[1234, 12345, 999999, 0.5, 1.5e9].map((value) => number(value, { notation: "compact" })), ["1.2K", "12K", "1M", "0.5", "1.5B"]],
  [[0, 0.005, 1234.5678].map((value) => number(value, { maximumSignificantDigits: 3 })), ["0", "0.005", "1,230"]],
  [[number(5, { minimumIntegerDigits: 2 }), number(1e6, { useGrouping: false }), number(5, { signDisplay: "always" })], ["05", "1000000", "+5"]],
]);

rows("dates", [
  [[noon.toLocaleString(), noon.toLocaleDateString(), noon.toLocaleTimeString(), new Date(NaN).toLocaleString()], ["1/2/2024, 3:04:05 PM", "1/2/2024", "3:04:05 PM", "Invalid Date"]],
  [[{ dateStyle: "full" }, { dateStyle: "long", timeStyle: "short" }, { dateStyle: "medium" }, { timeStyle: "medium" }].map((options) => noon.toLocaleString("en-US", options)), ["Tuesday, January 2, 2024", "January 2, 2024 at 3:04 PM", "Jan 2, 2024", "3:04:05 PM"]],
  [[{ year: "numeric", month: "long", day: "numeric" }, { weekday: "short", month: "short", day: "numeric" }, { month: "long", year: "numeric" }, { month: "2-digit", day: "2-digit", year: "numeric" }].map((options) => midnight.toLocaleDateString("en-US", options)), ["December 31, 1999", "Fri, Dec 31", "December 1999", "12/31/1999"]],
  [[{ hour: "2-digit", minute: "2-digit" }, { hour: "numeric" }, { hour: "2-digit", minute: "2-digit", hour12: false }].map((options) => midnight.toLocaleTimeString("en-US", options)), ["12:00 AM", "12 AM", "00:00"]],
  [[new Date(-864e13), new Date(Date.UTC(-1, 1, 28)), new Date(Date.UTC(2000, 1, 29)), new Date(864e13)].map((date) => new Intl.DateTimeFormat("en-US", { month: "numeric", day: "numeric" }).format(date)), ["4/20", "2/28", "2/29", "9/13"]],
  [new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "numeric" }).formatToParts(noon).map(({ type, value }) => `${type}=${value}`), ["hour=3", "literal=:", "minute=04", "literal= ", "dayPeriod=PM"]],
  [[noon, new Date(Date.UTC(-43, 2, 15))].map((date) => [new Intl.DateTimeFormat("en-US", { hour12: false, era: "short", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", timeZone: "UTC" }).format(date), date.toLocaleDateString("en-US", { era: "short", year: "numeric", month: "long" })]), [["1/2/2024 AD, 15:04:05", "January 2024 AD"], ["3/15/44 BC, 00:00:00", "March 44 BC"]]],
  [[Intl.DateTimeFormat().resolvedOptions().timeZone, Intl.DateTimeFormat().resolvedOptions().locale, new Intl.DateTimeFormat("de").format(noon)], ["UTC", "en-US", "1/2/2024"]],
]);

test("a time zone that there is no data of is refused, and so are options that are none", async () => {
  await throws(() => noon.toLocaleString("en-US", { timeZone: "Europe/Berlin" }), "RangeError", "Invalid time zone specified: Europe/Berlin: functions know UTC alone");
  await throws(() => noon.toLocaleString("en-US", { month: "x" }), "RangeError", "month");
  await throws(() => noon.toLocaleDateString("en-US", { timeStyle: "short" }), "TypeError");
  await throws(() => number(1, { style: "currency" }), "TypeError", "Currency code");
  await throws(() => number(1, { maximumFractionDigits: 101 }), "RangeError");
  await throws(() => new Intl.NumberFormat("no locale"), "RangeError", "no locale");
  equal(Intl.NumberFormat().format(1234), "1,234");
});

rows("collation", [
  [["b", "a", "C", "ä", "A", "z", "é", "e", "10", "2", "_", " ", "ab", "a b", "résumé", "resume", "ß", "st", "я", "日", ""].sort((a, b) => a.localeCompare(b)), ["", " ", "_", "10", "2", "a", "A", "ä", "a b", "ab", "b", "C", "e", "é", "resume", "résumé", "ß", "st", "z", "я", "日"]],
  [["file10", "file9", "File2", "file010"].sort(new Intl.Collator(undefined, { numeric: true }).compare), ["File2", "file9", "file10", "file010"]],
  [["base", "accent", "case", "variant"].map((sensitivity) => [["a", "A"], ["a", "á"], ["a", "b"]].map(([a, b]) => a.localeCompare(b, undefined, { sensitivity }))), [[0, 0, -1], [0, -1, -1], [-1, 0, -1], [-1, -1, -1]]],
  [["é".localeCompare("e\u0301"), "a".localeCompare("A"), "a".localeCompare("A", undefined, { caseFirst: "upper" })], [0, -1, 1]],
]);

rows("words", [
  [[0, 1, 2, 1.5].map((value) => new Intl.PluralRules("en").select(value)), ["other", "one", "other", "other"]],
  [[1, 2, 3, 4, 11, 12, 22, 113].map((value) => new Intl.PluralRules("en", { type: "ordinal" }).select(value)), ["one", "two", "few", "other", "other", "other", "two", "other"]],
  [[["a"], ["a", "b"], ["a", "b", "c"]].map((list) => new Intl.ListFormat("en").format(list)), ["a", "a and b", "a, b, and c"]],
  [[[-1, "day"], [2, "weeks"], [-1.5, "hour"]].map(([value, unit]) => new Intl.RelativeTimeFormat("en").format(value, unit)), ["1 day ago", "in 2 weeks", "1.5 hours ago"]],
  [[-1, 0, 1, 2].map((value) => new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(value, "day")), ["yesterday", "today", "tomorrow", "in 2 days"]],
  [[...new Intl.Segmenter().segment("e\u0301👨‍👩‍👧🇩🇪a\r\n👍🏽")].map(({ segment }) => segment), ["e\u0301", "👨‍👩‍👧", "🇩🇪", "a", "\r\n", "👍🏽"]],
  [[...new Intl.Segmenter("en", { granularity: "word" }).segment("Don't go, 3.5 m")].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment), ["Don't", "go", "3.5", "m"]],
  [[Intl.getCanonicalLocales("EN-us"), Intl.NumberFormat.supportedLocalesOf(["de", "en-GB"]), new Intl.Locale("de-latn-de").region], [["en-US"], ["en-GB"], "DE"]],
]);

await run();
