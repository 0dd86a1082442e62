// `stack` of errors as programs know it from V8: the name and the message before the calls, since many print nothing else. What the engine keeps is
// only the calls; the head is made when somebody asks.
import {
  Error, ErrorPrototypeToString, ObjectGetOwnPropertyDescriptor, StringPrototypeEndsWith, StringPrototypeSlice, StringPrototypeStartsWith, TypeError,
  defineHidden, defineProperty, uncurryThis,
} from "dayfly:primordials";

/// The calls alone, as the engine keeps them.
export const callsOf = uncurryThis(ObjectGetOwnPropertyDescriptor(Error.prototype, "stack").get);

/// What each line of calls begins with.
const CALL = "    at ";

// Getters of the program's own may throw.
const headOf = (error) => {
  try {
    return ErrorPrototypeToString(error);
  } catch {
    return "Error";
  }
};

const trimEnd = (text) => (StringPrototypeEndsWith(text, "\n") ? StringPrototypeSlice(text, 0, -1) : text);

const withHead = (error, calls) => {
  if (calls === "") return headOf(error);
  return StringPrototypeStartsWith(calls, CALL) ? `${headOf(error)}\n${trimEnd(calls)}` : calls;
};

/// The calls in the `stack` of an error, without its head. What a program put there itself stays as it is.
export const callsIn = (error, stack) => {
  const head = headOf(error);
  return StringPrototypeStartsWith(stack, head) ? StringPrototypeSlice(stack, head.length) : stack;
};

const { get, set } = ObjectGetOwnPropertyDescriptor({
  get stack() {
    const calls = callsOf(this);
    return typeof calls === "string" ? withHead(this, calls) : calls;
  },
  // As if each error had the property itself.
  set stack(value) {
    if (this === null || typeof this !== "object" || this === Error.prototype) throw new TypeError("stack is set on an error");
    defineHidden(this, "stack", value);
  },
}, "stack");
defineProperty(Error.prototype, "stack", { __proto__: null, get, set, enumerable: false, configurable: true });

const capture = Error.captureStackTrace;
const { captureStackTrace } = {
  captureStackTrace(target, hidden = captureStackTrace) {
    capture(target, typeof hidden === "function" ? hidden : captureStackTrace);
    const { value } = ObjectGetOwnPropertyDescriptor(target, "stack");
    if (typeof value === "string") defineHidden(target, "stack", withHead(target, value));
  },
};
defineHidden(Error, "captureStackTrace", captureStackTrace);
