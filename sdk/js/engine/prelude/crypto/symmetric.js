// Ciphers with one secret: HMAC and AES.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { hashOf, read, register } from "dayfly:crypto/algorithms";
import { checkJwk, partsOfJwk, readJwk, toBase64Url } from "dayfly:crypto/jwk";
import { checkUsages, makeKey } from "dayfly:crypto/key";
import { ArrayPrototypeSlice, MathFloor, StringPrototypeSlice, TypedArrayPrototypeSlice, Uint8Array, nullObject } from "dayfly:primordials";

const failed = (why) => domException("OperationError", why);

const randomBytes = (length) => {
  const bytes = new Uint8Array(length);
  native.randomFill(bytes);
  return bytes;
};

/// A secret as a caller gave it, raw or as a JSON Web Key, whose bytes are checked by `algsOf(length)`.
const secretOf = (format, data, wanted, algsOf) => {
  if (format === "raw") return data;
  if (format !== "jwk") throw domException("NotSupportedError", `a secret can't be imported as ${format}`);
  const jwk = readJwk(data);
  checkJwk(jwk, nullObject({ kty: "oct", ...wanted }));
  const secret = partsOfJwk(jwk, ["k"])[0];
  checkJwk(jwk, nullObject({ kty: "oct", ...wanted, algs: algsOf(secret.length) }));
  return secret;
};

const exportSecret = (format, inside, alg) => {
  if (format === "raw") return TypedArrayPrototypeSlice(inside.material);
  if (format !== "jwk") throw domException("NotSupportedError", `a secret can't be exported as ${format}`);
  const { extractable, usages, material } = inside;
  return { key_ops: ArrayPrototypeSlice(usages), ext: extractable, kty: "oct", k: toBase64Url(material), alg };
};

const HMAC_USAGES = ["sign", "verify"];
const hmacParameters = (given) => nullObject({ hash: read.hash(given), length: read.optionalNumber(given, "length") });
const hmacAlg = (hash) => `HS${StringPrototypeSlice(hash, 4)}`;

const hmacKey = (secret, algorithm, extractable, usages) => {
  const bits = secret.length * 8;
  const length = algorithm.length ?? bits;
  if (length === 0 || length > bits || length <= bits - 8) throw domException("DataError", `a key of ${bits} bits can't count as one of ${length}`);
  if (length < bits) secret[secret.length - 1] &= (0xff << (bits - length)) & 0xff;
  return makeKey("secret", nullObject({ name: "HMAC", hash: algorithm.hash, length }), extractable, usages, secret);
};

/// The length of a new key in bits: as the caller says, or the hash's block.
const hmacLength = (algorithm) => {
  if (algorithm.length === 0) throw failed("a key has to have a length");
  return algorithm.length ?? hashOf(algorithm.hash).blockBytes * 8;
};

register("HMAC", nullObject({
  parameters: nullObject({
    sign: read.nothing, verify: read.nothing, generateKey: hmacParameters, importKey: hmacParameters, exportKey: read.nothing, "get key length": hmacParameters,
  }),
  generateKey(algorithm, extractable, usages) {
    checkUsages(usages, HMAC_USAGES, algorithm);
    const length = hmacLength(algorithm);
    return hmacKey(randomBytes(MathFloor((length + 7) / 8)), nullObject({ hash: algorithm.hash, length }), extractable, usages);
  },
  importKey(format, data, algorithm, extractable, usages) {
    checkUsages(usages, HMAC_USAGES, algorithm);
    const secret = secretOf(format, data, { use: "sig", usages, extractable }, () => [hmacAlg(algorithm.hash)]);
    if (secret.length === 0) throw domException("DataError", "the key is empty");
    return hmacKey(secret, algorithm, extractable, usages);
  },
  exportKey: (format, inside) => exportSecret(format, inside, hmacAlg(inside.algorithm.hash)),
  sign: (_, inside, data) => native.hmac(hashOf(inside.algorithm.hash).number, inside.material, data),
  verify: (_, inside, signature, data) => native.hmacVerify(hashOf(inside.algorithm.hash).number, inside.material, signature, data),
  keyLength: hmacLength,
}));

const AES_USAGES = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
const aesLength = (given) => nullObject({ length: read.number(given, "length", 0xffff) });

const checkAesLength = (length, error) => {
  if (length !== 128 && length !== 192 && length !== 256) throw domException(error, `AES has keys of 128, 192 and 256 bits, and not of ${length}`);
};

/// What all modes of AES share; `alg` is the end of a JSON Web Key's name for the mode.
const aes = (name, alg, parameters, encrypt, decrypt) => register(name, nullObject({
  parameters: nullObject({
    encrypt: parameters, decrypt: parameters, generateKey: aesLength, importKey: read.nothing, exportKey: read.nothing, "get key length": aesLength,
    wrapKey: parameters, unwrapKey: parameters,
  }),
  generateKey(algorithm, extractable, usages) {
    checkUsages(usages, AES_USAGES, algorithm);
    checkAesLength(algorithm.length, "OperationError");
    return makeKey("secret", nullObject({ name, length: algorithm.length }), extractable, usages, randomBytes(algorithm.length / 8));
  },
  importKey(format, data, algorithm, extractable, usages) {
    checkUsages(usages, AES_USAGES, algorithm);
    const secret = secretOf(format, data, { use: "enc", usages, extractable }, (length) => [`A${length * 8}${alg}`]);
    checkAesLength(secret.length * 8, "DataError");
    return makeKey("secret", nullObject({ name, length: secret.length * 8 }), extractable, usages, secret);
  },
  exportKey: (format, inside) => exportSecret(format, inside, `A${inside.algorithm.length}${alg}`),
  encrypt,
  decrypt,
  keyLength(algorithm) {
    checkAesLength(algorithm.length, "OperationError");
    return algorithm.length;
  },
}));

const EMPTY = new Uint8Array(0);
const checked = (result, why) => {
  if (result === undefined) throw failed(why);
  return result;
};

const gcmParameters = (given) => nullObject({
  iv: read.bytes(given, "iv"), additionalData: read.optionalBytes(given, "additionalData") ?? EMPTY, tagLength: read.optionalNumber(given, "tagLength", 0xff) ?? 128,
});
const TAG_BITS = [32, 64, 96, 104, 112, 120, 128];
const checkGcm = ({ iv, tagLength }) => {
  let known = false;
  for (let i = 0; i < TAG_BITS.length; i++) known ||= TAG_BITS[i] === tagLength;
  if (!known) throw failed(`AES-GCM has no tags of ${tagLength} bits`);
  if (iv.length !== 12 && iv.length !== 16) throw failed(`an iv of ${iv.length} bytes is not supported: use 12`);
};
aes("AES-GCM", "GCM", gcmParameters, (algorithm, inside, data) => {
  checkGcm(algorithm);
  return checked(native.aesGcmEncrypt(inside.material, algorithm.iv, data, algorithm.additionalData, algorithm.tagLength / 8), "AES-GCM can't encrypt this");
}, (algorithm, inside, data) => {
  checkGcm(algorithm);
  return checked(native.aesGcmDecrypt(inside.material, algorithm.iv, data, algorithm.additionalData, algorithm.tagLength / 8), "AES-GCM can't decrypt this: the key, the iv or the data is not the one that was encrypted");
});

const cbcParameters = (given) => nullObject({ iv: read.bytes(given, "iv") });
const checkIv = ({ iv }) => { if (iv.length !== 16) throw failed(`AES-CBC has an iv of 16 bytes, and not of ${iv.length}`); };
aes("AES-CBC", "CBC", cbcParameters, (algorithm, inside, data) => {
  checkIv(algorithm);
  return checked(native.aesCbcEncrypt(inside.material, algorithm.iv, data), "AES-CBC can't encrypt this");
}, (algorithm, inside, data) => {
  checkIv(algorithm);
  return checked(native.aesCbcDecrypt(inside.material, algorithm.iv, data), "AES-CBC can't decrypt this");
});

const ctrParameters = (given) => nullObject({ counter: read.bytes(given, "counter"), length: read.number(given, "length", 0xff) });
const count = (algorithm, inside, data) => {
  if (algorithm.counter.length !== 16) throw failed(`AES-CTR has a counter of 16 bytes, and not of ${algorithm.counter.length}`);
  if (algorithm.length === 0 || algorithm.length > 128) throw failed(`AES-CTR counts in 1 to 128 bits, and not in ${algorithm.length}`);
  return checked(native.aesCtr(inside.material, algorithm.counter, algorithm.length, data), "the data has more blocks than the counter can count");
};
aes("AES-CTR", "CTR", ctrParameters, count, count);
