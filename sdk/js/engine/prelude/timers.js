// setTimeout, setInterval and their opposites, over the timers of the event loop, which refuses them at deploy.
import native from "dayfly:native";
import {
  ArrayPrototypeSlice, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, ReflectApply, TypeError, defineGlobal,
  requireArguments,
} from "dayfly:primordials";

/// Intervals by id: the timer of the event loop that comes next. A timeout's id is the event loop's own.
const intervals = new Map();

/// An interval of nothing would leave no turn to anybody else.
const INTERVAL_MS_MIN = 1;

const callable = (callback, where) => {
  if (typeof callback !== "function") throw new TypeError(`${where}: the callback is no function (text is not evaluated here)`);
  return callback;
};

const later = (milliseconds, callback, given) => {
  if (given.length <= 2) return native.timerStart(milliseconds, () => { ReflectApply(callback, undefined, []); });
  const rest = ArrayPrototypeSlice(given, 2);
  return native.timerStart(milliseconds, () => { ReflectApply(callback, undefined, rest); });
};

// Web IDL's `long`: what is no number, or beyond 32 bits, is no time at all.
const delayOf = (milliseconds) => {
  const delay = milliseconds | 0;
  return delay > 0 ? delay : 0;
};

const clear = (id) => {
  const key = +id;
  const timer = MapPrototypeGet(intervals, key);
  MapPrototypeDelete(intervals, key);
  const wanted = timer ?? key;
  if (wanted > 0 && wanted <= TIMER_ID_MAX) native.timerStop(wanted >>> 0);
};
const TIMER_ID_MAX = 4_294_967_295;

const functions = {
  setTimeout(callback, milliseconds = 0) {
    requireArguments(arguments.length, 1, "setTimeout");
    return later(delayOf(milliseconds), callable(callback, "setTimeout"), arguments);
  },
  setInterval(callback, milliseconds = 0) {
    requireArguments(arguments.length, 1, "setInterval");
    callable(callback, "setInterval");
    const delay = delayOf(milliseconds);
    const period = delay > INTERVAL_MS_MIN ? delay : INTERVAL_MS_MIN;
    const rest = ArrayPrototypeSlice(arguments, 2);
    const turn = () => {
      MapPrototypeSet(intervals, id, native.timerStart(period, turn));
      ReflectApply(callback, undefined, rest);
    };
    const id = native.timerStart(period, turn);
    MapPrototypeSet(intervals, id, id);
    return id;
  },
  clearTimeout(id = 0) { clear(id); },
  clearInterval(id = 0) { clear(id); },
};

defineGlobal("setTimeout", functions.setTimeout);
defineGlobal("setInterval", functions.setInterval);
defineGlobal("clearTimeout", functions.clearTimeout);
defineGlobal("clearInterval", functions.clearInterval);
