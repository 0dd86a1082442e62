// Values that JSON holds as they are. The log keeps such a value as JSON, so that who reads it can take it apart.
import {
  ArrayIsArray, ArrayPrototypeIndexOf, ArrayPrototypePop, JSONStringify, NumberIsFinite, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf,
  ObjectPrototype, ReflectOwnKeys, append,
} from "dayfly:primordials";

const DEPTH_MAX = 16;
/// Strings, numbers and properties, all together.
const PARTS_MAX = 10_000;

/// The JSON text of a plain object or array of JSON's own kinds; undefined of anything else, which would lose something.
export const jsonText = (value) => {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return isPlain(value, { __proto__: null, left: PARTS_MAX, above: [] }) ? JSONStringify(value) : undefined;
  } catch {
    return undefined;
  }
};

const isPlain = (value, run) => {
  if (--run.left < 0) return false;
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return NumberIsFinite(value);
  if (typeof value !== "object" || run.above.length >= DEPTH_MAX || ArrayPrototypeIndexOf(run.above, value) >= 0) return false;
  const isList = ArrayIsArray(value);
  if (isList && value.length > run.left) return false;
  const prototype = ObjectGetPrototypeOf(value);
  if (!isList && prototype !== null && prototype !== ObjectPrototype) return false;
  append(run.above, value);
  const keys = ReflectOwnKeys(value);
  if (isList && keys.length !== value.length + 1) return false;
  for (let i = 0; i < keys.length; i++) {
    if (isList && keys[i] === "length") continue;
    const { value: inner, enumerable } = ObjectGetOwnPropertyDescriptor(value, keys[i]);
    if (typeof keys[i] === "symbol" || !enumerable || !isPlain(inner, run)) return false;
  }
  ArrayPrototypePop(run.above);
  return true;
};
