// What an object is, by the engine's own word for it and not by what its prototype says.
import native from "dayfly:native";
import { DOMException } from "dayfly:dom-exception";
import { ArrayBuffer, BigInt, Boolean, DataView, Date, Error, Map, MapPrototypeGet, MapPrototypeSet, Number, Object, Promise, Proxy, RegExp, Set, String, Symbol, WeakMap, WeakRef, WeakSet, typedArrays } from "dayfly:primordials";

const kinds = new Map();
const learn = (kind, sample) => MapPrototypeSet(kinds, native.classOf(sample), kind);

for (const name in typedArrays) learn("TypedArray", new typedArrays[name](0));
learn("Object", {});
learn("Array", []);
learn("Arguments", (function () { "use strict"; return arguments; })());
learn("Error", new Error());
learn("Boolean", Object(true));
learn("Number", Object(1));
learn("BigInt", Object(BigInt(1)));
learn("String", Object(""));
learn("Symbol", Object(Symbol()));
learn("Date", new Date(0));
learn("RegExp", /a/);
learn("Map", new Map());
learn("Set", new Set());
learn("WeakMap", new WeakMap());
learn("WeakSet", new WeakSet());
learn("WeakRef", new WeakRef({}));
learn("Promise", new Promise(() => {}));
learn("Proxy", new Proxy({}, {}));
learn("ArrayBuffer", new ArrayBuffer(0));
learn("DataView", new DataView(new ArrayBuffer(0)));
learn("DOMException", new DOMException());

/// `Object`, `Array`, `Map`, `TypedArray`, `Proxy` and the like; undefined of functions and of kinds that nothing here asks for.
export const kindOf = (value) => (typeof value === "object" && value !== null ? MapPrototypeGet(kinds, native.classOf(value)) : undefined);
