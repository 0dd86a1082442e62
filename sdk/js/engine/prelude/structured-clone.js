// structuredClone: what the HTML standard serializes and makes anew, in one pass.
import { DOMException, domException } from "dayfly:dom-exception";
import { kindOf } from "dayfly:kinds";
import {
  Array, ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, ArrayBufferPrototypeGetMaxByteLength,
  ArrayBufferPrototypeGetResizable, ArrayBufferPrototypeSlice, ArrayBufferPrototypeTransfer, ArrayPrototypeIndexOf, BigIntPrototypeValueOf,
  BooleanPrototypeValueOf, DataView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, Date,
  DatePrototypeGetTime, Error, EvalError, Map, MapPrototypeForEach, MapPrototypeGet, MapPrototypeSet, NumberPrototypeValueOf,
  Object, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, RangeError, ReferenceError, RegExp,
  RegExpPrototypeGetFlags, RegExpPrototypeGetSource, Set, SetPrototypeAdd, SetPrototypeForEach, StringPrototypeValueOf, SyntaxError, TypeError,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet,
  URIError, Uint8Array, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet, append, defineGlobal, defineHidden, defineProperty, isInterfacePrototype,
  requireArguments, typedArrays,
} from "dayfly:primordials";

const refuse = (what) => domException("DataCloneError", `structuredClone: ${what} can't be cloned`);

const cloners = new WeakMap();
/// Says how objects of an interface of the platform are cloned: `clone(object)` gives the new one. Others of the platform's are refused.
export const cloneAs = (Interface, clone) => { WeakMapPrototypeSet(cloners, Interface.prototype, clone); };

const functions = {
  structuredClone(value, options = undefined) {
    requireArguments(arguments.length, 1, "structuredClone");
    const transferred = transferList(options);
    const result = clone(value, new Map());
    // What is transferred was copied with the rest, which nobody can tell from its being moved; now that all went well its owner loses it.
    for (let i = 0; i < transferred.length; i++) detach(transferred[i]);
    return result;
  },
};

/// `structuredClone(value, { transfer })`.
export const { structuredClone } = functions;

const transferList = (options) => {
  if (options === undefined || options === null) return [];
  if (typeof options !== "object" && typeof options !== "function") throw new TypeError("structuredClone: the options are no object");
  const { transfer } = options;
  const list = [];
  if (transfer === undefined) return list;
  if (transfer === null || typeof transfer !== "object") throw new TypeError("structuredClone: transfer is no list");
  for (const item of transfer) {
    if (kindOf(item) !== "ArrayBuffer") throw refuse("what is to be transferred is no ArrayBuffer and");
    if (ArrayPrototypeIndexOf(list, item) >= 0) throw refuse("an ArrayBuffer that is to be transferred twice");
    append(list, item);
  }
  return list;
};

const detach = (buffer) => {
  if (ArrayBufferPrototypeGetDetached(buffer)) throw refuse("a detached ArrayBuffer");
  ArrayBufferPrototypeTransfer(buffer, 0);
};

const clone = (value, seen) => {
  switch (typeof value) {
    case "symbol": throw refuse("a symbol");
    case "function": throw refuse(`the function ${value.name === "" ? "without a name" : value.name}`);
    case "object": break;
    default: return value;
  }
  if (value === null) return null;
  const known = MapPrototypeGet(seen, value);
  if (known !== undefined) return known;
  const make = makers[kindOf(value)];
  if (make === undefined) throw refuse(kindOf(value) ?? "an object of this kind");
  return make(value, seen);
};

const remember = (value, made, seen) => {
  MapPrototypeSet(seen, value, made);
  return made;
};

const makers = {
  __proto__: null,
  Object: (value, seen) => cloneRecord(value, seen),
  Arguments: (value, seen) => copyProperties(value, remember(value, {}, seen), seen),
  Array: (value, seen) => copyProperties(value, remember(value, new Array(value.length), seen), seen),
  Boolean: (value, seen) => remember(value, Object(BooleanPrototypeValueOf(value)), seen),
  Number: (value, seen) => remember(value, Object(NumberPrototypeValueOf(value)), seen),
  BigInt: (value, seen) => remember(value, Object(BigIntPrototypeValueOf(value)), seen),
  String: (value, seen) => remember(value, Object(StringPrototypeValueOf(value)), seen),
  Date: (value, seen) => remember(value, new Date(DatePrototypeGetTime(value)), seen),
  RegExp: (value, seen) => remember(value, new RegExp(RegExpPrototypeGetSource(value), RegExpPrototypeGetFlags(value)), seen),
  Map: (value, seen) => cloneMap(value, seen),
  Set: (value, seen) => cloneSet(value, seen),
  Error: (value, seen) => cloneError(value, seen),
  DOMException: (value, seen) => cloneDOMException(value, seen),
  ArrayBuffer: (value, seen) => cloneBuffer(value, seen),
  TypedArray: (value, seen) => cloneTypedArray(value, seen),
  DataView: (value, seen) => cloneDataView(value, seen),
};

const cloneRecord = (value, seen) => {
  for (let prototype = ObjectGetPrototypeOf(value); prototype !== null; prototype = ObjectGetPrototypeOf(prototype)) {
    const cloneObject = WeakMapPrototypeGet(cloners, prototype);
    if (cloneObject !== undefined) return remember(value, cloneObject(value, (inner) => clone(inner, seen)), seen);
    if (isInterfacePrototype(prototype)) throw refuse(`an object of the class ${prototype.constructor.name}`);
  }
  return copyProperties(value, remember(value, {}, seen), seen);
};

const copyProperties = (source, target, seen) => {
  const keys = ObjectKeys(source);
  for (let i = 0; i < keys.length; i++) {
    // A getter that ran before may have removed it.
    if (!ObjectHasOwn(source, keys[i])) continue;
    const value = clone(source[keys[i]], seen);
    defineProperty(target, keys[i], { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  }
  return target;
};

const cloneMap = (map, seen) => {
  const made = remember(map, new Map(), seen);
  const entries = [];
  MapPrototypeForEach(map, (value, key) => { append(entries, key); append(entries, value); });
  for (let i = 0; i < entries.length; i += 2) MapPrototypeSet(made, clone(entries[i], seen), clone(entries[i + 1], seen));
  return made;
};

const cloneSet = (set, seen) => {
  const made = remember(set, new Set(), seen);
  const items = [];
  SetPrototypeForEach(set, (value) => append(items, value));
  for (let i = 0; i < items.length; i++) SetPrototypeAdd(made, clone(items[i], seen));
  return made;
};

const errors = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/// An error keeps its standard name, its own message, the calls that led to it, and its cause.
const cloneError = (error, seen) => {
  const made = remember(error, new (errors[`${error.name}`] ?? Error)(), seen);
  const message = ObjectGetOwnPropertyDescriptor(error, "message");
  if (message !== undefined && "value" in message) defineHidden(made, "message", `${message.value}`);
  const { stack } = error;
  if (typeof stack === "string") defineHidden(made, "stack", stack);
  const cause = ObjectGetOwnPropertyDescriptor(error, "cause");
  if (cause !== undefined && "value" in cause) defineHidden(made, "cause", clone(cause.value, seen));
  return made;
};

const cloneDOMException = (error, seen) => {
  const made = remember(error, new DOMException(error.message, error.name), seen);
  if (typeof error.stack === "string") defineHidden(made, "stack", error.stack);
  return made;
};

const cloneBuffer = (buffer, seen) => {
  if (ArrayBufferPrototypeGetDetached(buffer)) throw refuse("a detached ArrayBuffer");
  if (!ArrayBufferPrototypeGetResizable(buffer)) return remember(buffer, ArrayBufferPrototypeSlice(buffer, 0), seen);
  const length = ArrayBufferPrototypeGetByteLength(buffer);
  const made = new ArrayBuffer(length, { __proto__: null, maxByteLength: ArrayBufferPrototypeGetMaxByteLength(buffer) });
  TypedArrayPrototypeSet(new Uint8Array(made), new Uint8Array(buffer));
  return remember(buffer, made, seen);
};

const cloneTypedArray = (array, seen) => {
  const buffer = clone(TypedArrayPrototypeGetBuffer(array), seen);
  const View = typedArrays[TypedArrayPrototypeGetSymbolToStringTag(array)];
  return remember(array, new View(buffer, TypedArrayPrototypeGetByteOffset(array), TypedArrayPrototypeGetLength(array)), seen);
};

const cloneDataView = (view, seen) => {
  const buffer = clone(DataViewPrototypeGetBuffer(view), seen);
  return remember(view, new DataView(buffer, DataViewPrototypeGetByteOffset(view), DataViewPrototypeGetByteLength(view)), seen);
};

defineGlobal("structuredClone", structuredClone);
