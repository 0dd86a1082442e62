// RSA: signatures by PKCS #1 version 1.5 and PSS, encryption by OAEP.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { hashOf, read, register } from "dayfly:crypto/algorithms";
import { exportHalf, generatePair, importHalf, requireType } from "dayfly:crypto/pairs";
import { StringPrototypeSlice, Uint8Array, nullObject } from "dayfly:primordials";

const SIGNING = nullObject({ private: ["sign"], public: ["verify"] });
const ENCRYPTING = nullObject({ private: ["decrypt", "unwrapKey"], public: ["encrypt", "wrapKey"] });

const FORM = nullObject({
  kty: "RSA", hasNoRaw: true, publicParts: ["n", "e"], privateParts: ["d", "p", "q", "dp", "dq", "qi"],
});

/// The end of a JSON Web Key's `alg`: `RS256`, but `RSA-OAEP` for SHA-1 and `RSA-OAEP-256` for SHA-256.
const algOf = (prefix, hash) => {
  if (prefix === "RSA-OAEP") return hash === "SHA-1" ? prefix : `${prefix}-${StringPrototypeSlice(hash, 4)}`;
  return `${prefix}${StringPrototypeSlice(hash, 4)}`;
};

const generation = (given) => nullObject({
  modulusLength: read.number(given, "modulusLength"), publicExponent: read.bytes(given, "publicExponent"), hash: read.hash(given),
});
const importing = (given) => nullObject({ hash: read.hash(given) });

const exponentOf = (bytes) => {
  let exponent = 0;
  for (let i = 0; i < bytes.length; i++) exponent = exponent * 256 + bytes[i];
  if (!(exponent >= 3 && exponent <= 0xffffffff && exponent % 2 === 1)) throw domException("OperationError", "this public exponent is not supported: use 65537");
  return exponent;
};

const rsa = (name, prefix, allowed, use, operations) => register(name, nullObject({
  ...operations,
  parameters: nullObject({ ...operations.parameters, generateKey: generation, importKey: importing, exportKey: read.nothing }),
  generateKey(algorithm, extractable, usages) {
    const { modulusLength, publicExponent, hash } = algorithm;
    const exponent = exponentOf(publicExponent);
    return generatePair("RSA", modulusLength, exponent, nullObject({ name, modulusLength, publicExponent, hash }), extractable, usages, allowed);
  },
  importKey(format, data, algorithm, extractable, usages) {
    const form = nullObject({ ...FORM, use, algs: [algOf(prefix, algorithm.hash)] });
    const described = nullObject({ name, modulusLength: 0, publicExponent: undefined, hash: algorithm.hash });
    return importHalf("RSA", form, format, data, described, extractable, usages, allowed, describe);
  },
  exportKey: (format, inside) => exportHalf(FORM, format, inside, algOf(prefix, inside.algorithm.hash)),
}));

/// Fills in what only the key itself says.
const describe = (algorithm, handle) => {
  const parts = native.keyParts(handle);
  const n = parts[0];
  algorithm.modulusLength = n.length * 8 - leadingZeros(n[0]);
  algorithm.publicExponent = parts[1];
};

const leadingZeros = (byte) => {
  let zeros = 0;
  for (let bit = 0x80; bit > 0 && (byte & bit) === 0; bit >>= 1) zeros++;
  return zeros;
};

const signature = (saltOf) => nullObject({
  sign(algorithm, inside, data) {
    const made = native.keySign(requireType(inside, "private"), hashOf(inside.algorithm.hash).number, saltOf(algorithm), data);
    if (made === undefined) throw domException("OperationError", "the key is too short for this");
    return made;
  },
  verify: (algorithm, inside, given, data) => native.keyVerify(requireType(inside, "public"), hashOf(inside.algorithm.hash).number, saltOf(algorithm), given, data),
});

rsa("RSASSA-PKCS1-v1_5", "RS", SIGNING, "sig", nullObject({ ...signature(() => -1), parameters: nullObject({ sign: read.nothing, verify: read.nothing }) }));

/// No modulus that is taken has room for more.
const SALT_BYTES_MAX = 1024;
const salted = (given) => nullObject({ saltLength: read.number(given, "saltLength") });
const saltOf = ({ saltLength }) => {
  if (saltLength > SALT_BYTES_MAX) throw domException("OperationError", `a salt of ${saltLength} bytes fits no key`);
  return saltLength;
};
rsa("RSA-PSS", "PS", SIGNING, "sig", nullObject({ ...signature(saltOf), parameters: nullObject({ sign: salted, verify: salted }) }));

const EMPTY = new Uint8Array(0);
const labelled = (given) => nullObject({ label: read.optionalBytes(given, "label") ?? EMPTY });
const done = (result) => {
  if (result === undefined) throw domException("OperationError", "RSA-OAEP can't do this with this key and this data");
  return result;
};
rsa("RSA-OAEP", "RSA-OAEP", ENCRYPTING, "enc", nullObject({
  parameters: nullObject({ encrypt: labelled, decrypt: labelled, wrapKey: labelled, unwrapKey: labelled }),
  encrypt: ({ label }, inside, data) => done(native.keyEncrypt(requireType(inside, "public"), hashOf(inside.algorithm.hash).number, label, data)),
  decrypt: ({ label }, inside, data) => done(native.keyDecrypt(requireType(inside, "private"), hashOf(inside.algorithm.hash).number, label, data)),
}));
