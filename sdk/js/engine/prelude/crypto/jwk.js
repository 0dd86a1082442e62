// JSON Web Keys (RFC 7517, 7518 and 8037) as Web Crypto reads and writes them.
import { domException } from "dayfly:dom-exception";
import {
  ArrayPrototypeIncludes, ArrayPrototypeIndexOf, TypeError, Uint8ArrayFromBase64, Uint8ArrayPrototypeToBase64, append, nullObject, toDOMString,
} from "dayfly:primordials";

const invalid = (why) => domException("DataError", `the JSON Web Key ${why}`);

const STRINGS = ["kty", "use", "alg", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k"];

/// Reads what a caller gave as a key: each member once, and of the kind that it has to be.
export const readJwk = (given) => {
  if (given === null || typeof given !== "object") throw new TypeError("the JSON Web Key is no object");
  const jwk = nullObject();
  for (let i = 0; i < STRINGS.length; i++) {
    const value = given[STRINGS[i]];
    if (value !== undefined) jwk[STRINGS[i]] = toDOMString(value);
  }
  if (given.ext !== undefined) jwk.ext = !!given.ext;
  if (given.oth !== undefined) jwk.oth = true;
  if (given.key_ops !== undefined) jwk.key_ops = operationsOf(given.key_ops);
  return jwk;
};

const operationsOf = (list) => {
  const operations = [];
  for (const item of list) {
    const operation = toDOMString(item);
    if (ArrayPrototypeIncludes(operations, operation)) throw invalid(`names the operation "${operation}" twice`);
    append(operations, operation);
  }
  return operations;
};

/// Throws if the key is not what is asked for: `wanted` is `{ kty, crv, algs, use, usages, extractable }`.
export const checkJwk = (jwk, wanted) => {
  if (jwk.kty !== wanted.kty) throw invalid(`has the type "${jwk.kty}" and not "${wanted.kty}"`);
  if (wanted.crv !== undefined && jwk.crv !== wanted.crv) throw invalid(`is on the curve "${jwk.crv}" and not "${wanted.crv}"`);
  if (wanted.usages.length > 0 && jwk.use !== undefined && jwk.use !== wanted.use) throw invalid(`is for the use "${jwk.use}" and not "${wanted.use}"`);
  if (wanted.algs !== undefined && jwk.alg !== undefined && ArrayPrototypeIndexOf(wanted.algs, jwk.alg) < 0) throw invalid(`is one of ${jwk.alg} and not of ${wanted.algs[0]}`);
  for (let i = 0; i < wanted.usages.length; i++) {
    if (jwk.key_ops !== undefined && !ArrayPrototypeIncludes(jwk.key_ops, wanted.usages[i])) throw invalid(`is not made to ${wanted.usages[i]}`);
  }
  if (jwk.ext === false && wanted.extractable) throw invalid("may not be extractable");
};

/// The bytes of members, in this order.
export const partsOfJwk = (jwk, names) => {
  const parts = [];
  for (let i = 0; i < names.length; i++) {
    if (jwk[names[i]] === undefined) throw invalid(`lacks "${names[i]}"`);
    append(parts, fromBase64Url(jwk[names[i]], names[i]));
  }
  return parts;
};

const fromBase64Url = (text, name) => {
  try {
    return Uint8ArrayFromBase64(text, { __proto__: null, alphabet: "base64url" });
  } catch {
    throw invalid(`has a "${name}" that is not base 64 for URLs`);
  }
};

/// Bytes as JSON Web Keys have them.
export const toBase64Url = (bytes) => Uint8ArrayPrototypeToBase64(bytes, { __proto__: null, alphabet: "base64url", omitPadding: true });
