// DOMException: the engine's own class has names, messages, codes and a stack; here are the ways that the prelude makes one.
import { ObjectGetOwnPropertyDescriptor, uncurryThis } from "dayfly:primordials";

export const { DOMException } = globalThis;

const getName = uncurryThis(ObjectGetOwnPropertyDescriptor(DOMException.prototype, "name").get);

/// `domException("AbortError", "the message")`.
export const domException = (name, message) => new DOMException(message, name);

/// Whether a value is a DOMException, whatever its prototype.
export const isDOMException = (value) => {
  if (value === null || typeof value !== "object") return false;
  try {
    getName(value);
    return true;
  } catch {
    return false;
  }
};
