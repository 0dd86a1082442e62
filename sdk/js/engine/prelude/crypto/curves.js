// Keys on curves: ECDSA, ECDH, Ed25519 and X25519.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { hashOf, read, register } from "dayfly:crypto/algorithms";
import { insideOf } from "dayfly:crypto/key";
import { cutBits, exportHalf, generatePair, importHalf, requireType } from "dayfly:crypto/pairs";
import { TypeError, nullObject, toDOMString } from "dayfly:primordials";

const SIGNING = nullObject({ private: ["sign"], public: ["verify"] });
const AGREEING = nullObject({ private: ["deriveKey", "deriveBits"], public: [] });

const named = (given) => {
  if (given.namedCurve === undefined) throw new TypeError("the algorithm's namedCurve is missing");
  return nullObject({ namedCurve: toDOMString(given.namedCurve) });
};

/// How JSON Web Keys of each curve look.
const forms = nullObject({
  "P-256": nullObject({ kty: "EC", crv: "P-256", publicParts: ["x", "y"], privateParts: ["d"] }),
  "P-384": nullObject({ kty: "EC", crv: "P-384", publicParts: ["x", "y"], privateParts: ["d"] }),
});
const ecdsaAlgs = nullObject({ "P-256": ["ES256"], "P-384": ["ES384"] });

const formOf = (curve) => {
  if (forms[curve] === undefined) throw domException("NotSupportedError", `there is no curve "${curve}" here: there are P-256 and P-384`);
  return forms[curve];
};

const nist = (name, allowed, use, operations) => register(name, nullObject({
  ...operations,
  parameters: nullObject({ ...operations.parameters, generateKey: named, importKey: named, exportKey: read.nothing }),
  generateKey(algorithm, extractable, usages) {
    const { namedCurve } = algorithm;
    formOf(namedCurve);
    return generatePair(namedCurve, 0, 0, nullObject({ name, namedCurve }), extractable, usages, allowed);
  },
  importKey(format, data, algorithm, extractable, usages) {
    const { namedCurve } = algorithm;
    const form = nullObject({ ...formOf(namedCurve), use, algs: name === "ECDSA" ? ecdsaAlgs[namedCurve] : undefined });
    return importHalf(namedCurve, form, format, data, nullObject({ name, namedCurve }), extractable, usages, allowed);
  },
  exportKey: (format, inside) => exportHalf(formOf(inside.algorithm.namedCurve), format, inside),
}));

const hashed = (given) => nullObject({ hash: read.hash(given) });

nist("ECDSA", SIGNING, "sig", nullObject({
  parameters: nullObject({ sign: hashed, verify: hashed }),
  sign: (algorithm, inside, data) => native.keySign(requireType(inside, "private"), hashOf(algorithm.hash).number, -1, data),
  verify: (algorithm, inside, signature, data) => native.keyVerify(requireType(inside, "public"), hashOf(algorithm.hash).number, -1, signature, data),
}));

const withPublic = (given) => {
  if (given.public === undefined) throw new TypeError("the algorithm's public key is missing");
  return nullObject({ public: insideOf(given.public) });
};

/// The shared secret's bits, if the keys belong to each other.
const agree = (algorithm, inside, length) => {
  const other = algorithm.public;
  if (other.type !== "public") throw domException("InvalidAccessError", "the other's key is no public one");
  if (other.algorithm.name !== inside.algorithm.name || other.algorithm.namedCurve !== inside.algorithm.namedCurve) {
    throw domException("InvalidAccessError", "the two keys are not of one kind");
  }
  const secret = native.keyAgree(requireType(inside, "private"), other.material);
  if (secret === undefined) throw domException("OperationError", "the two keys give no secret");
  return cutBits(secret, length);
};

nist("ECDH", AGREEING, "enc", nullObject({ parameters: nullObject({ deriveBits: withPublic }), deriveBits: agree }));

/// The curves of RFC 8032 and 7748, whose name is the algorithm's.
const edwards = (name, allowed, use, algs, operations) => {
  const form = nullObject({ kty: "OKP", crv: name, use, algs, publicParts: ["x"], privateParts: ["d"] });
  register(name, nullObject({
    ...operations,
    parameters: nullObject({ ...operations.parameters, generateKey: read.nothing, importKey: read.nothing, exportKey: read.nothing }),
    generateKey: (_, extractable, usages) => generatePair(name, 0, 0, nullObject({ name }), extractable, usages, allowed),
    importKey: (format, data, _, extractable, usages) => importHalf(name, form, format, data, nullObject({ name }), extractable, usages, allowed),
    exportKey: (format, inside) => exportHalf(form, format, inside, algs === undefined ? undefined : algs[0]),
  }));
};

edwards("Ed25519", SIGNING, "sig", ["Ed25519", "EdDSA"], nullObject({
  parameters: nullObject({ sign: read.nothing, verify: read.nothing }),
  sign: (_, inside, data) => native.keySign(requireType(inside, "private"), 0, -1, data),
  verify: (_, inside, signature, data) => native.keyVerify(requireType(inside, "public"), 0, -1, signature, data),
}));

edwards("X25519", AGREEING, "enc", undefined, nullObject({ parameters: nullObject({ deriveBits: withPublic }), deriveBits: agree }));
