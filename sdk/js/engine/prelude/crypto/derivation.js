// Bits from a secret: HKDF and PBKDF2.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { hashOf, read, register } from "dayfly:crypto/algorithms";
import { checkUsages, makeKey } from "dayfly:crypto/key";
import { nullObject } from "dayfly:primordials";

const USAGES = ["deriveKey", "deriveBits"];

const derivation = (name, parameters, derive) => register(name, nullObject({
  parameters: nullObject({ importKey: read.nothing, deriveBits: parameters, "get key length": read.nothing }),
  importKey(format, data, algorithm, extractable, usages) {
    if (format !== "raw") throw domException("NotSupportedError", `a secret of ${name} can't be imported as ${format}`);
    checkUsages(usages, USAGES, algorithm);
    if (extractable) throw domException("SyntaxError", `a secret of ${name} can't be extractable`);
    return makeKey("secret", nullObject({ name }), false, usages, data);
  },
  deriveBits(algorithm, inside, length) {
    if (length === null || length % 8 !== 0) throw domException("OperationError", "the length of what is derived is no number of whole bytes");
    const derived = derive(algorithm, inside.material, length / 8);
    if (derived === undefined) throw domException("OperationError", `${name} can't derive ${length} bits`);
    return derived;
  },
  keyLength: () => null,
}));

derivation("HKDF", (given) => nullObject({ hash: read.hash(given), salt: read.bytes(given, "salt"), info: read.bytes(given, "info") }),
  ({ hash, salt, info }, secret, length) => native.hkdf(hashOf(hash).number, secret, salt, info, length));

derivation("PBKDF2", (given) => nullObject({ hash: read.hash(given), salt: read.bytes(given, "salt"), iterations: read.number(given, "iterations") }),
  ({ hash, salt, iterations }, secret, length) => {
    if (iterations === 0) throw domException("OperationError", "PBKDF2 needs at least one iteration");
    return native.pbkdf2(hashOf(hash).number, secret, salt, iterations, length);
  });
