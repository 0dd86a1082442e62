// performance: the monotonic clock, and marks and measures as far as libraries use them. At deploy the clock stands at 0.
import { now } from "dayfly:clock";
import { domException } from "dayfly:dom-exception";
import { EventTarget } from "dayfly:events";
import { structuredClone } from "dayfly:structured-clone";
import {
  ArrayPrototypeFilter, ArrayPrototypeSlice, DateNow, TypeError, append, defineGlobal, defineInterface, requireArguments, toDOMString,
} from "dayfly:primordials";

/// Marks and measures that are kept; the oldest go.
const ENTRIES_MAX = 1_000;
const MADE = { __proto__: null };

export class PerformanceEntry {
  #name; #entryType; #startTime; #duration; #detail;

  constructor(made, entry) {
    if (made !== MADE) throw new TypeError("PerformanceEntry can't be constructed");
    this.#name = entry.name;
    this.#entryType = entry.entryType;
    this.#startTime = entry.startTime;
    this.#duration = entry.duration;
    this.#detail = entry.detail;
  }

  get name() { return this.#name; }
  get entryType() { return this.#entryType; }
  get startTime() { return this.#startTime; }
  get duration() { return this.#duration; }
  get detail() { return this.#detail; }
  toJSON() {
    return { name: this.#name, entryType: this.#entryType, startTime: this.#startTime, duration: this.#duration, detail: this.#detail };
  }
}

export class PerformanceMark extends PerformanceEntry {
  constructor(name, options = undefined) {
    requireArguments(arguments.length, 1, "PerformanceMark");
    const startTime = options?.startTime === undefined ? now() : +options.startTime;
    if (startTime < 0) throw new TypeError("PerformanceMark: the start time is negative");
    const detail = options?.detail === undefined || options.detail === null ? null : structuredClone(options.detail);
    super(MADE, { __proto__: null, name: toDOMString(name), entryType: "mark", startTime, duration: 0, detail });
  }
}

export class PerformanceMeasure extends PerformanceEntry {}

let made;

export class Performance extends EventTarget {
  #entries = [];

  static {
    made = () => new Performance(MADE);
  }

  constructor(token) {
    if (token !== MADE) throw new TypeError("Performance can't be constructed");
    super();
  }

  /// The moment of the wall clock at which `now()` was 0, as near as the two clocks allow.
  get timeOrigin() { return DateNow() - now(); }

  now() { return now(); }

  mark(name, options = undefined) {
    requireArguments(arguments.length, 1, "Performance.mark");
    return this.#keep(new PerformanceMark(name, options));
  }

  measure(name, startOrOptions = undefined, endMark = undefined) {
    requireArguments(arguments.length, 1, "Performance.measure");
    const isDictionary = typeof startOrOptions === "object" && startOrOptions !== null;
    const options = isDictionary ? startOrOptions : { __proto__: null, start: startOrOptions, end: endMark };
    const { start, end, duration, detail = null } = options;
    const endTime = end !== undefined ? this.#timeOf(end) : start !== undefined && duration !== undefined ? this.#timeOf(start) + +duration : now();
    const startTime = start !== undefined ? this.#timeOf(start) : duration !== undefined ? endTime - +duration : 0;
    const entry = { __proto__: null, name: toDOMString(name), entryType: "measure", startTime, duration: endTime - startTime, detail: structuredClone(detail) };
    return this.#keep(new PerformanceMeasure(MADE, entry));
  }

  clearMarks(name = undefined) { this.#forget("mark", name); }
  clearMeasures(name = undefined) { this.#forget("measure", name); }

  getEntries() { return ArrayPrototypeSlice(this.#entries); }
  getEntriesByType(type) { return ArrayPrototypeFilter(this.#entries, (entry) => entry.entryType === type); }
  getEntriesByName(name, type = undefined) {
    return ArrayPrototypeFilter(this.#entries, (entry) => entry.name === name && (type === undefined || entry.entryType === type));
  }

  toJSON() { return { timeOrigin: this.timeOrigin }; }

  #keep(entry) {
    if (this.#entries.length >= ENTRIES_MAX) this.#entries = ArrayPrototypeSlice(this.#entries, ENTRIES_MAX / 2);
    append(this.#entries, entry);
    return entry;
  }

  #forget(type, name) {
    this.#entries = ArrayPrototypeFilter(this.#entries, (entry) => entry.entryType !== type || (name !== undefined && entry.name !== name));
  }

  #timeOf(mark) {
    if (typeof mark === "number") return mark;
    const name = toDOMString(mark);
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i].entryType === "mark" && this.#entries[i].name === name) return this.#entries[i].startTime;
    }
    throw domException("SyntaxError", `Performance.measure: there is no mark "${name}"`);
  }
}

defineInterface(PerformanceEntry);
defineInterface(PerformanceMark);
defineInterface(PerformanceMeasure);
defineInterface(Performance);
defineGlobal("performance", made());
