// The language's own functions, held before any user code runs. A function's script may replace `Array.prototype.push`, `Promise.prototype.then`
// or put setters on `Object.prototype`; the platform's own code has to answer and report rightly all the same, so it calls what is kept here.
// What a method's name says: `ArrayPrototypePush(list, item)` is `list.push(item)` as it was at the start.
//
// Rules for the prelude's files: no `for … of` and no spread over arrays (they ask `Array.prototype[Symbol.iterator]`), lists are written with
// `append` (`list[list.length] = x` runs into setters of `Array.prototype`), records that are looked up by a name of the user's are `nullObject()`s,
// and options that the user gave are read once.

// Under their own names, so that a file which imports them means these, whatever the global object has by then.
export const {
  Array, ArrayBuffer, BigInt, Boolean, DataView, Date, Error, EvalError, Function, Map, Number, Object, Promise, Proxy, RangeError,
  ReferenceError, RegExp, Set, String, Symbol, SyntaxError, TypeError, URIError, Uint8Array, WeakMap, WeakRef, WeakSet,
} = globalThis;

const { apply, construct, getPrototypeOf, ownKeys } = Reflect;
export const { defineProperty } = Reflect;
const { bind, call } = Function.prototype;

// The engine itself asks for these in what is no call of the script's: a template literal is a call of `concat`, and what `then` gives is made by the
// species of promises. They are the only things of the language that a script can't replace.
for (const [holder, key] of [[String.prototype, "concat"], [Promise, Symbol.species]]) {
  defineProperty(holder, key, { __proto__: null, configurable: false, ...(key === "concat" && { writable: false }) });
}

/// `uncurryThis(f)(self, ...arguments)` is `f.call(self, ...arguments)`, whatever becomes of `Function.prototype.call`.
export const uncurryThis = bind.bind(call);
const getter = (prototype, name) => uncurryThis(Object.getOwnPropertyDescriptor(prototype, name).get);

export const ReflectApply = apply;
export const ReflectConstruct = construct;
export const ReflectOwnKeys = ownKeys;
export const ReflectGet = Reflect.get;
export const ReflectSet = Reflect.set;
export const ReflectHas = Reflect.has;
export const ReflectGetPrototypeOf = getPrototypeOf;

export const NumberIsFinite = Number.isFinite;
export const NumberIsInteger = Number.isInteger;
export const NumberIsNaN = Number.isNaN;
export const NumberParseInt = Number.parseInt;
export const NumberParseFloat = Number.parseFloat;
export const NumberPrototypeValueOf = uncurryThis(Number.prototype.valueOf);
export const BooleanPrototypeValueOf = uncurryThis(Boolean.prototype.valueOf);
export const BigIntPrototypeValueOf = uncurryThis(BigInt.prototype.valueOf);
export const SymbolPrototypeValueOf = uncurryThis(Symbol.prototype.valueOf);
export const StringPrototypeValueOf = uncurryThis(String.prototype.valueOf);
export const NumberPrototypeToString = uncurryThis(Number.prototype.toString);
export const NumberPrototypeToFixed = uncurryThis(Number.prototype.toFixed);
export const BigIntPrototypeToString = uncurryThis(BigInt.prototype.toString);
export const MathMin = Math.min;
export const MathMax = Math.max;
export const MathFloor = Math.floor;
export const MathTrunc = Math.trunc;
export const MathAbs = Math.abs;
export const MathRandom = Math.random;
export const JSONParse = JSON.parse;
export const JSONStringify = JSON.stringify;

// Object.
export const ObjectAssign = Object.assign;
export const ObjectCreate = Object.create;
export const ObjectDefineProperties = Object.defineProperties;
export const ObjectEntries = Object.entries;
export const ObjectFreeze = Object.freeze;
export const ObjectFromEntries = Object.fromEntries;
export const ObjectGetOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const ObjectGetOwnPropertyNames = Object.getOwnPropertyNames;
export const ObjectGetOwnPropertySymbols = Object.getOwnPropertySymbols;
export const ObjectGetPrototypeOf = Object.getPrototypeOf;
export const ObjectHasOwn = Object.hasOwn;
export const ObjectIs = Object.is;
export const ObjectKeys = Object.keys;
export const ObjectPrototype = Object.prototype;
export const ObjectPrototypePropertyIsEnumerable = uncurryThis(Object.prototype.propertyIsEnumerable);
export const ObjectPrototypeIsPrototypeOf = uncurryThis(Object.prototype.isPrototypeOf);
export const ObjectPrototypeToString = uncurryThis(Object.prototype.toString);
export const ObjectSetPrototypeOf = Object.setPrototypeOf;
export const FunctionPrototypeToString = uncurryThis(Function.prototype.toString);
export const FunctionPrototypeBind = uncurryThis(Function.prototype.bind);
export const FunctionPrototypeSymbolHasInstance = uncurryThis(Function.prototype[Symbol.hasInstance]);
export const ErrorIsError = Error.isError;
export const ErrorPrototypeToString = uncurryThis(Error.prototype.toString);

// Array.
export const ArrayFrom = (source) => Reflect.apply(Array.from, Array, [source]);
export const ArrayIsArray = Array.isArray;
export const ArrayPrototypeIncludes = uncurryThis(Array.prototype.includes);
export const ArrayPrototypeIndexOf = uncurryThis(Array.prototype.indexOf);
export const ArrayPrototypeJoin = uncurryThis(Array.prototype.join);
export const ArrayPrototypePop = uncurryThis(Array.prototype.pop);
export const ArrayPrototypeShift = uncurryThis(Array.prototype.shift);
export const ArrayPrototypeSort = uncurryThis(Array.prototype.sort);
export const ArrayPrototypeUnshift = uncurryThis(Array.prototype.unshift);

// String and RegExp.
export const StringFromCharCode = String.fromCharCode;
export const StringFromCodePoint = String.fromCodePoint;
export const StringPrototypeCharCodeAt = uncurryThis(String.prototype.charCodeAt);
export const StringPrototypeCodePointAt = uncurryThis(String.prototype.codePointAt);
export const StringPrototypeEndsWith = uncurryThis(String.prototype.endsWith);
export const StringPrototypeIncludes = uncurryThis(String.prototype.includes);
export const StringPrototypeIndexOf = uncurryThis(String.prototype.indexOf);
export const StringPrototypeIsWellFormed = uncurryThis(String.prototype.isWellFormed);
export const StringPrototypeLastIndexOf = uncurryThis(String.prototype.lastIndexOf);
export const StringPrototypePadEnd = uncurryThis(String.prototype.padEnd);
export const StringPrototypePadStart = uncurryThis(String.prototype.padStart);
export const StringPrototypeRepeat = uncurryThis(String.prototype.repeat);
export const StringPrototypeSlice = uncurryThis(String.prototype.slice);
export const StringPrototypeStartsWith = uncurryThis(String.prototype.startsWith);
export const StringPrototypeToLowerCase = uncurryThis(String.prototype.toLowerCase);
export const StringPrototypeToUpperCase = uncurryThis(String.prototype.toUpperCase);
export const StringPrototypeToWellFormed = uncurryThis(String.prototype.toWellFormed);
export const StringPrototypeTrim = uncurryThis(String.prototype.trim);
export const SymbolPrototypeToString = uncurryThis(Symbol.prototype.toString);
/// `RegExp.prototype.exec` by itself, which asks no other method; `test`, `replace`, `split` and `match` ask `exec` of the user's.
export const RegExpPrototypeExec = uncurryThis(RegExp.prototype.exec);
export const RegExpPrototypeGetSource = getter(RegExp.prototype, "source");
export const RegExpPrototypeGetFlags = getter(RegExp.prototype, "flags");
export const RegExpPrototypeToString = uncurryThis(RegExp.prototype.toString);

// Collections.
export const MapPrototypeClear = uncurryThis(Map.prototype.clear);
export const MapPrototypeDelete = uncurryThis(Map.prototype.delete);
export const MapPrototypeForEach = uncurryThis(Map.prototype.forEach);
export const MapPrototypeGet = uncurryThis(Map.prototype.get);
export const MapPrototypeGetSize = getter(Map.prototype, "size");
export const MapPrototypeHas = uncurryThis(Map.prototype.has);
export const MapPrototypeSet = uncurryThis(Map.prototype.set);
export const SetPrototypeAdd = uncurryThis(Set.prototype.add);
export const SetPrototypeDelete = uncurryThis(Set.prototype.delete);
export const SetPrototypeForEach = uncurryThis(Set.prototype.forEach);
export const SetPrototypeGetSize = getter(Set.prototype, "size");
export const SetPrototypeHas = uncurryThis(Set.prototype.has);
export const WeakMapPrototypeGet = uncurryThis(WeakMap.prototype.get);
export const WeakMapPrototypeHas = uncurryThis(WeakMap.prototype.has);
export const WeakMapPrototypeSet = uncurryThis(WeakMap.prototype.set);
export const WeakSetPrototypeAdd = uncurryThis(WeakSet.prototype.add);
export const WeakSetPrototypeHas = uncurryThis(WeakSet.prototype.has);
export const DatePrototypeGetTime = uncurryThis(Date.prototype.getTime);
export const DatePrototypeToISOString = uncurryThis(Date.prototype.toISOString);
export const DateNow = Date.now;

// Bytes.
/// The classes of typed arrays by name.
export const typedArrays = { __proto__: null };
for (const name of ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float16Array",
  "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"]) {
  if (globalThis[name] !== undefined) typedArrays[name] = globalThis[name];
}
const TypedArray = getPrototypeOf(Uint8Array);
export const Uint8ArrayFromBase64 = (text, options) => apply(Uint8Array.fromBase64, Uint8Array, [text, options]);
export const Uint8ArrayPrototypeToBase64 = uncurryThis(Uint8Array.prototype.toBase64);
export const Uint8ArrayPrototypeToHex = uncurryThis(Uint8Array.prototype.toHex);
export const TypedArrayPrototypeFill = uncurryThis(TypedArray.prototype.fill);
export const TypedArrayPrototypeGetBuffer = getter(TypedArray.prototype, "buffer");
export const TypedArrayPrototypeGetByteLength = getter(TypedArray.prototype, "byteLength");
export const TypedArrayPrototypeGetByteOffset = getter(TypedArray.prototype, "byteOffset");
export const TypedArrayPrototypeGetLength = getter(TypedArray.prototype, "length");
export const TypedArrayPrototypeGetSymbolToStringTag = getter(TypedArray.prototype, Symbol.toStringTag);
export const TypedArrayPrototypeSet = uncurryThis(TypedArray.prototype.set);
export const DataViewPrototypeGetBuffer = getter(DataView.prototype, "buffer");
export const DataViewPrototypeGetByteLength = getter(DataView.prototype, "byteLength");
export const DataViewPrototypeGetByteOffset = getter(DataView.prototype, "byteOffset");
export const ArrayBufferIsView = ArrayBuffer.isView;
export const ArrayBufferPrototypeGetByteLength = getter(ArrayBuffer.prototype, "byteLength");
export const ArrayBufferPrototypeGetDetached = getter(ArrayBuffer.prototype, "detached");
export const ArrayBufferPrototypeGetMaxByteLength = getter(ArrayBuffer.prototype, "maxByteLength");
export const ArrayBufferPrototypeGetResizable = getter(ArrayBuffer.prototype, "resizable");
export const ArrayBufferPrototypeTransfer = uncurryThis(ArrayBuffer.prototype.transfer);

// Promises. `await` and these ask a promise for `constructor`, and nothing else of the user's.
export const PromiseResolve = apply(bind, Promise.resolve, [Promise]);
export const PromiseReject = apply(bind, Promise.reject, [Promise]);
export const PromisePrototypeThen = uncurryThis(Promise.prototype.then);
/// A promise with its two functions: `{ promise, resolve, reject }`.
export const newPromise = apply(bind, Promise.withResolvers, [Promise]);

export const SymbolIterator = Symbol.iterator;
export const SymbolAsyncIterator = Symbol.asyncIterator;
export const SymbolToStringTag = Symbol.toStringTag;
export const SymbolHasInstance = Symbol.hasInstance;
const ArrayIteratorPrototype = getPrototypeOf([][Symbol.iterator]());
export const IteratorPrototype = getPrototypeOf(ArrayIteratorPrototype);
export const AsyncIteratorPrototype = getPrototypeOf(getPrototypeOf((async function* () {}).prototype));

/// Adds to a list without asking any setter.
export const append = (list, item) => {
  defineProperty(list, list.length, { __proto__: null, value: item, writable: true, enumerable: true, configurable: true });
};

// What makes a new list or buffer asks the old one for its `constructor`, so these are written out.

/// `list.slice(from, to)`, also of `arguments`.
export const ArrayPrototypeSlice = (list, from = 0, to = list.length) => {
  const part = [];
  for (let i = from < 0 ? MathMax(list.length + from, 0) : from; i < to && i < list.length; i++) append(part, list[i]);
  return part;
};

/// `list.concat(other)`.
export const ArrayPrototypeConcat = (list, other) => {
  const all = ArrayPrototypeSlice(list);
  for (let i = 0; i < other.length; i++) append(all, other[i]);
  return all;
};

/// `list.filter(keeps)`.
export const ArrayPrototypeFilter = (list, keeps) => {
  const kept = [];
  for (let i = 0; i < list.length; i++) if (keeps(list[i], i)) append(kept, list[i]);
  return kept;
};

/// `list.map(change)`.
export const ArrayPrototypeMap = (list, change) => {
  const changed = [];
  for (let i = 0; i < list.length; i++) append(changed, change(list[i], i));
  return changed;
};

/// Takes one item out of a list.
export const removeAt = (list, index) => {
  for (let i = index; i + 1 < list.length; i++) list[i] = list[i + 1];
  ArrayPrototypePop(list);
};

/// `bytes.slice(from, to)` of a Uint8Array.
export const TypedArrayPrototypeSlice = (bytes, from = 0, to = undefined) => {
  const part = TypedArrayPrototypeSubarray(bytes, from, to);
  const copy = new Uint8Array(TypedArrayPrototypeGetLength(part));
  TypedArrayPrototypeSet(copy, part);
  return copy;
};

/// `bytes.subarray(from, to)` of a Uint8Array.
export const TypedArrayPrototypeSubarray = (bytes, from = 0, to = undefined) => {
  const length = TypedArrayPrototypeGetLength(bytes);
  const place = (index) => MathMin(MathMax(index < 0 ? length + index : index, 0), length);
  const start = place(from);
  const end = to === undefined ? length : MathMax(place(to), start);
  return new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes) + start, end - start);
};

/// `buffer.slice(from, to)`.
export const ArrayBufferPrototypeSlice = (buffer, from = 0, to = undefined) => TypedArrayPrototypeGetBuffer(TypedArrayPrototypeSlice(new Uint8Array(buffer), from, to));

/// A record without a prototype, with the properties of `from`.
export const nullObject = (from) => ObjectAssign(ObjectCreate(null), from);

/// Sets a property that is as a method is: writable, configurable and not listed.
export const defineHidden = (target, name, value) => {
  defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
};

/// Puts something on the global object as interfaces are: writable, configurable and not listed.
export const defineGlobal = (name, value) => defineHidden(globalThis, name, value);

const interfacePrototypes = new WeakSet();
/// Whether an object is the prototype of one of the platform's interfaces.
export const isInterfacePrototype = (object) => WeakSetPrototypeHas(interfacePrototypes, object);

/// What Web IDL asks of an interface: its members are listed, `Symbol.toStringTag` is its name, and the global object has it.
export const defineInterface = (Interface, name = Interface.name) => {
  WeakSetPrototypeAdd(interfacePrototypes, Interface.prototype);
  enumerateMembers(Interface.prototype);
  defineProperty(Interface.prototype, SymbolToStringTag, { __proto__: null, value: name, writable: false, enumerable: false, configurable: true });
  defineGlobal(name, Interface);
};

/// Makes methods and accessors of a class's prototype enumerable, as Web IDL has them.
export const enumerateMembers = (prototype) => {
  const names = ObjectGetOwnPropertyNames(prototype);
  for (let i = 0; i < names.length; i++) {
    if (names[i] === "constructor") continue;
    const descriptor = ObjectGetOwnPropertyDescriptor(prototype, names[i]);
    if (!descriptor.configurable) continue;
    defineProperty(prototype, names[i], { __proto__: null, enumerable: true });
  }
};

/// Web IDL's `DOMString`: what a string argument becomes. A symbol is a TypeError.
export const toDOMString = (value) => (typeof value === "string" ? value : `${value}`);

/// Web IDL's `USVString`: as `toDOMString`, with lone surrogates replaced.
export const toUSVString = (value) => {
  const text = typeof value === "string" ? value : `${value}`;
  return StringPrototypeToWellFormed(text);
};

/// What a value is, for a message: `null`, `undefined`, `a string`, `an object`.
export const describeType = (value) => {
  if (value === null || value === undefined) return `${value}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
};

/// Throws as Web IDL has it if a call has fewer arguments than it needs.
export const requireArguments = (given, required, where) => {
  if (given < required) throw new TypeError(`${where}: ${required} argument${required === 1 ? "" : "s"} required, but only ${given} present`);
};

/// The bytes of an ArrayBuffer or a view, as a Uint8Array on the same memory; undefined if `value` is neither.
export const bytesOf = (value) => {
  if (ArrayBufferIsView(value)) {
    if (TypedArrayPrototypeGetSymbolToStringTag(value) === undefined) {
      return new Uint8Array(DataViewPrototypeGetBuffer(value), DataViewPrototypeGetByteOffset(value), DataViewPrototypeGetByteLength(value));
    }
    return new Uint8Array(TypedArrayPrototypeGetBuffer(value), TypedArrayPrototypeGetByteOffset(value), TypedArrayPrototypeGetByteLength(value));
  }
  return isArrayBuffer(value) ? new Uint8Array(value) : undefined;
};

/// Whether a value is an ArrayBuffer, of whatever prototype.
export const isArrayBuffer = (value) => {
  if (value === null || typeof value !== "object") return false;
  try {
    ArrayBufferPrototypeGetByteLength(value);
    return true;
  } catch {
    return false;
  }
};
