// crypto.subtle: each operation checks the key and its algorithm, and the algorithm's own file computes. Nothing here waits, but the
// standard's operations give promises, and so do these.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { dataOf, hashOf, normalize } from "dayfly:crypto/algorithms";
import { insideOf, isCryptoKey, keyFor, usagesOf } from "dayfly:crypto/key";
import "dayfly:crypto/symmetric";
import "dayfly:crypto/curves";
import "dayfly:crypto/rsa";
import "dayfly:crypto/derivation";
import { decodeUtf8, encodeUtf8 } from "dayfly:encoding";
import {
  ArrayPrototypeIncludes, JSONParse, JSONStringify, TypeError, TypedArrayPrototypeGetBuffer, bytesOf, defineInterface, nullObject, requireArguments,
  toDOMString,
} from "dayfly:primordials";

const MADE = nullObject();
const bufferOf = (bytes) => TypedArrayPrototypeGetBuffer(bytes);

export class SubtleCrypto {
  constructor(made) {
    if (made !== MADE) throw new TypeError("SubtleCrypto can't be constructed: use crypto.subtle");
  }

  async digest(algorithm, data) {
    requireArguments(arguments.length, 2, "SubtleCrypto.digest");
    const { name } = normalize(algorithm, "digest");
    const bytes = bytesOf(data);
    if (bytes === undefined) throw new TypeError("digest: the data is no ArrayBuffer or view of one");
    return bufferOf(native.digest(hashOf(name).number, bytes));
  }

  async sign(algorithm, key, data) {
    requireArguments(arguments.length, 3, "SubtleCrypto.sign");
    const normal = normalize(algorithm, "sign");
    const bytes = dataOf(data, "sign");
    return bufferOf(normal.definition.sign(normal, keyFor(key, normal, "sign"), bytes));
  }

  async verify(algorithm, key, signature, data) {
    requireArguments(arguments.length, 4, "SubtleCrypto.verify");
    const normal = normalize(algorithm, "verify");
    const [signed, bytes] = [dataOf(signature, "verify"), dataOf(data, "verify")];
    return normal.definition.verify(normal, keyFor(key, normal, "verify"), signed, bytes);
  }

  async encrypt(algorithm, key, data) {
    requireArguments(arguments.length, 3, "SubtleCrypto.encrypt");
    const normal = normalize(algorithm, "encrypt");
    const bytes = dataOf(data, "encrypt");
    return bufferOf(normal.definition.encrypt(normal, keyFor(key, normal, "encrypt"), bytes));
  }

  async decrypt(algorithm, key, data) {
    requireArguments(arguments.length, 3, "SubtleCrypto.decrypt");
    const normal = normalize(algorithm, "decrypt");
    const bytes = dataOf(data, "decrypt");
    return bufferOf(normal.definition.decrypt(normal, keyFor(key, normal, "decrypt"), bytes));
  }

  async generateKey(algorithm, extractable, keyUsages) {
    requireArguments(arguments.length, 3, "SubtleCrypto.generateKey");
    const normal = normalize(algorithm, "generateKey");
    const usages = usagesOf(keyUsages);
    return checkSecret(normal.definition.generateKey(normal, !!extractable, usages));
  }

  async importKey(format, keyData, algorithm, extractable, keyUsages) {
    requireArguments(arguments.length, 5, "SubtleCrypto.importKey");
    const form = formatOf(format);
    const normal = normalize(algorithm, "importKey");
    return importKey(form, form === "jwk" ? jwkOf(keyData) : dataOf(keyData, "importKey"), normal, !!extractable, usagesOf(keyUsages));
  }

  async exportKey(format, key) {
    requireArguments(arguments.length, 2, "SubtleCrypto.exportKey");
    const exported = exportKey(formatOf(format), insideOf(key));
    return format === "jwk" ? exported : bufferOf(exported);
  }

  async deriveBits(algorithm, baseKey, length = null) {
    requireArguments(arguments.length, 2, "SubtleCrypto.deriveBits");
    const normal = normalize(algorithm, "deriveBits");
    return bufferOf(normal.definition.deriveBits(normal, keyFor(baseKey, normal, "deriveBits"), length === null ? null : length >>> 0));
  }

  async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    requireArguments(arguments.length, 5, "SubtleCrypto.deriveKey");
    const normal = normalize(algorithm, "deriveBits");
    const derived = normalize(derivedKeyType, "importKey");
    const measured = normalize(derivedKeyType, "get key length");
    const usages = usagesOf(keyUsages);
    const inside = keyFor(baseKey, normal, "deriveKey");
    const secret = normal.definition.deriveBits(normal, inside, measured.definition.keyLength(measured));
    return importKey("raw", secret, derived, !!extractable, usages);
  }

  async wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    requireArguments(arguments.length, 4, "SubtleCrypto.wrapKey");
    const form = formatOf(format);
    const normal = normalize(wrapAlgorithm, "wrapKey");
    const wrapping = keyFor(wrappingKey, normal, "wrapKey");
    const exported = exportKey(form, insideOf(key));
    const bytes = form === "jwk" ? encodeUtf8(JSONStringify(exported)) : exported;
    return bufferOf(normal.definition.encrypt(normal, wrapping, bytes));
  }

  async unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
    requireArguments(arguments.length, 7, "SubtleCrypto.unwrapKey");
    const form = formatOf(format);
    const normal = normalize(unwrapAlgorithm, "unwrapKey");
    const imported = normalize(unwrappedKeyAlgorithm, "importKey");
    const wrapped = dataOf(wrappedKey, "unwrapKey");
    const usages = usagesOf(keyUsages);
    const bytes = normal.definition.decrypt(normal, keyFor(unwrappingKey, normal, "unwrapKey"), wrapped);
    return importKey(form, form === "jwk" ? parseJwk(bytes) : bytes, imported, !!extractable, usages);
  }
}

const FORMATS = ["raw", "spki", "pkcs8", "jwk"];

const formatOf = (format) => {
  const text = toDOMString(format);
  if (!ArrayPrototypeIncludes(FORMATS, text)) throw new TypeError(`there is no format "${text}" of keys: there are raw, spki, pkcs8 and jwk`);
  return text;
};

const jwkOf = (value) => {
  if (value === null || typeof value !== "object" || bytesOf(value) !== undefined) throw new TypeError("importKey: a key of the format jwk is an object");
  return value;
};

const parseJwk = (bytes) => {
  try {
    return JSONParse(decodeUtf8(bytes));
  } catch {
    throw domException("DataError", "what was unwrapped is no JSON");
  }
};

const importKey = (format, data, normal, extractable, usages) => checkSecret(normal.definition.importKey(format, data, normal, extractable, usages));

/// A secret or private key that may be used for nothing is a mistake. A pair was looked at when it was made.
const checkSecret = (key) => {
  if (!isCryptoKey(key)) return key;
  const { type, usages } = insideOf(key);
  if (type !== "public" && usages.length === 0) throw domException("SyntaxError", `a ${type} key without any usage is of no use`);
  return key;
};

const exportKey = (format, inside) => {
  if (!inside.extractable) throw domException("InvalidAccessError", "the key was made not to be extractable");
  const { definition } = normalize(inside.algorithm.name, "exportKey");
  return definition.exportKey(format, inside);
};

defineInterface(SubtleCrypto);
export const subtle = new SubtleCrypto(MADE);
