// What all public-key algorithms share: making a pair, reading and writing its halves.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { checkJwk, partsOfJwk, readJwk, toBase64Url } from "dayfly:crypto/jwk";
import { checkUsages, makeKey, only } from "dayfly:crypto/key";
import { ArrayPrototypeConcat, ArrayPrototypeSlice, TypedArrayPrototypeSlice, nullObject } from "dayfly:primordials";

/// Makes a pair. `kind` is the natives' name for it.
export const generatePair = (kind, bits, exponent, algorithm, extractable, usages, allowed) => {
  checkUsages(usages, ArrayPrototypeConcat(allowed.private, allowed.public), algorithm);
  const privateUsages = only(usages, allowed.private);
  if (privateUsages.length === 0) throw domException("SyntaxError", "a private key without any usage is of no use");
  const pair = native.keyGenerate(kind, bits, exponent);
  if (pair === undefined) throw domException("OperationError", `no pair of keys can be made for ${algorithm.name} with these parameters`);
  return {
    publicKey: makeKey("public", algorithm, true, only(usages, allowed.public), pair[1]),
    privateKey: makeKey("private", algorithm, extractable, privateUsages, pair[0]),
  };
};

/// Imports half of a pair. `form` says how its JSON Web Keys look: `{ kty, crv, algs, use, publicParts, privateParts }`. `describe(algorithm, handle)` fills
/// in what only the key itself says of its algorithm.
export const importHalf = (kind, form, format, data, algorithm, extractable, usages, allowed, describe = undefined) => {
  let isPrivate, handle;
  if (format === "jwk") {
    const jwk = readJwk(data);
    isPrivate = jwk.d !== undefined;
    checkUsages(usages, isPrivate ? allowed.private : allowed.public, algorithm);
    checkJwk(jwk, nullObject({ ...form, usages, extractable }));
    if (jwk.oth !== undefined) throw domException("NotSupportedError", "RSA with more than two primes is not supported");
    const parts = partsOfJwk(jwk, isPrivate ? ArrayPrototypeConcat(form.publicParts, form.privateParts) : form.publicParts);
    handle = native.keyFromParts(kind, isPrivate, parts);
  } else {
    isPrivate = format === "pkcs8";
    if (format === "raw" && form.hasNoRaw) throw domException("NotSupportedError", `keys of ${algorithm.name} have no raw form`);
    checkUsages(usages, isPrivate ? allowed.private : allowed.public, algorithm);
    handle = native.keyImport(kind, format, data);
  }
  if (handle === undefined) throw domException("DataError", `the data is no ${isPrivate ? "private" : "public"} key of ${kind} as ${format}`);
  describe?.(algorithm, handle);
  return makeKey(isPrivate ? "private" : "public", algorithm, extractable, usages, handle);
};

/// Exports half of a pair; `alg` is its JSON Web Key's.
export const exportHalf = (form, format, inside, alg) => {
  const wanted = format === "pkcs8" ? "private" : "public";
  if (format !== "jwk") {
    if (inside.type !== wanted) throw domException("InvalidAccessError", `a ${inside.type} key can't be exported as ${format}`);
    const exported = native.keyExport(inside.material, format);
    if (exported === undefined) throw domException("NotSupportedError", `keys of ${inside.algorithm.name} have no form ${format}`);
    return exported;
  }
  const jwk = { key_ops: ArrayPrototypeSlice(inside.usages), ext: inside.extractable, kty: form.kty };
  if (form.crv !== undefined) jwk.crv = form.crv;
  if (alg !== undefined) jwk.alg = alg;
  const names = inside.type === "private" ? ArrayPrototypeConcat(form.publicParts, form.privateParts) : form.publicParts;
  const parts = native.keyParts(inside.material);
  for (let i = 0; i < names.length; i++) jwk[names[i]] = toBase64Url(parts[i]);
  return jwk;
};

/// The half that an operation needs.
export const requireType = (inside, type) => {
  if (inside.type !== type) throw domException("InvalidAccessError", `this needs a ${type} key, and not a ${inside.type} one`);
  return inside.material;
};

/// Derived bits, cut to what was asked for.
export const cutBits = (secret, length) => {
  if (length === null) return secret;
  const bytes = (length + 7) >>> 3;
  if (bytes > secret.length) throw domException("OperationError", `a shared secret of ${secret.length * 8} bits has no ${length}`);
  const cut = TypedArrayPrototypeSlice(secret, 0, bytes);
  if (length % 8 !== 0) cut[bytes - 1] &= (0xff << (8 - (length % 8))) & 0xff;
  return cut;
};
