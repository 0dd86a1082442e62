// Web Crypto's algorithms by name, and what each operation is told of them.
import { domException } from "dayfly:dom-exception";
import {
  MathFloor, NumberIsFinite, StringPrototypeToLowerCase, TypeError, TypedArrayPrototypeSlice, bytesOf, nullObject, toDOMString,
} from "dayfly:primordials";

/// The hash functions: the number that natives know, and the lengths of digests and blocks in bytes.
const hashes = nullObject({
  "SHA-1": nullObject({ number: 1, digestBytes: 20, blockBytes: 64 }),
  "SHA-256": nullObject({ number: 256, digestBytes: 32, blockBytes: 64 }),
  "SHA-384": nullObject({ number: 384, digestBytes: 48, blockBytes: 128 }),
  "SHA-512": nullObject({ number: 512, digestBytes: 64, blockBytes: 128 }),
});
export const hashOf = (name) => hashes[name];

const registry = nullObject();

/// Adds an algorithm. `definition.parameters[operation]` reads what the operation is told, and exists if there is the operation; the
/// operations themselves are functions of the definition.
export const register = (name, definition) => {
  registry[StringPrototypeToLowerCase(name)] = nullObject({ name, definition });
};

const nothing = () => nullObject();
for (const name in hashes) register(name, nullObject({ parameters: nullObject({ digest: nothing }) }));

/// What an operation is to do: `{ name, definition, … }` with what the caller told of the algorithm, read once.
export const normalize = (identifier, operation) => {
  const isObject = identifier !== null && (typeof identifier === "object" || typeof identifier === "function");
  const given = isObject ? identifier : nullObject({ name: identifier });
  if (given.name === undefined) throw new TypeError("the algorithm has no name");
  const name = toDOMString(given.name);
  const known = registry[StringPrototypeToLowerCase(name)];
  const read = known?.definition.parameters[operation];
  if (read === undefined) throw domException("NotSupportedError", known === undefined ? `there is no algorithm "${name}"` : `${known.name} can't ${operation}`);
  const result = read(given);
  result.name = known.name;
  result.definition = known.definition;
  return result;
};

/// Readers of what an algorithm is told.
export const read = nullObject({
  nothing,
  hash: (given) => {
    if (given.hash === undefined) throw new TypeError("the algorithm's hash is missing");
    return normalize(given.hash, "digest").name;
  },
  bytes: (given, name) => {
    const value = bytesOf(given[name]);
    if (value === undefined) throw new TypeError(`the algorithm's ${name} is no ArrayBuffer or view of one`);
    return TypedArrayPrototypeSlice(value);
  },
  optionalBytes: (given, name) => (given[name] === undefined ? undefined : read.bytes(given, name)),
  /// A whole number that fits, as Web IDL's `[EnforceRange]`.
  number: (given, name, maximum = 0xffffffff) => {
    if (given[name] === undefined) throw new TypeError(`the algorithm's ${name} is missing`);
    return toInteger(given[name], name, maximum);
  },
  optionalNumber: (given, name, maximum) => (given[name] === undefined ? undefined : read.number(given, name, maximum)),
});

const toInteger = (value, name, maximum) => {
  const number = +value;
  const whole = number < 0 ? -MathFloor(-number) : MathFloor(number);
  if (!NumberIsFinite(number) || whole < 0 || whole > maximum) throw new TypeError(`the algorithm's ${name} is no number from 0 to ${maximum}`);
  return whole;
};

/// A copy of what a caller gave as data, which it may change afterwards.
export const dataOf = (value, where) => {
  const bytes = bytesOf(value);
  if (bytes === undefined) throw new TypeError(`${where}: the data is no ArrayBuffer or view of one`);
  return TypedArrayPrototypeSlice(bytes);
};
