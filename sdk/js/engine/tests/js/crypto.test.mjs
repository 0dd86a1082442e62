// crypto: that algorithms give what their standards say, that keys keep their rules, and that nothing wrong is accepted.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

const bytes = (text) => new TextEncoder().encode(text);
const hex = (buffer) => new Uint8Array(buffer).toHex();
const { subtle } = crypto;

test("a digest is that of the standard", async () => {
  equal(hex(await subtle.digest("SHA-1", bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  equal(hex(await subtle.digest({ name: "sha-256" }, bytes("abc").buffer)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  equal((await subtle.digest("SHA-384", new DataView(new ArrayBuffer(3)))).byteLength, 48);
  equal(hex(await subtle.digest("SHA-512", bytes(""))).slice(0, 16), "cf83e1357eefb8bd");
  await throws(() => subtle.digest("MD5", bytes("")), "NotSupportedError", "MD5");
  await throws(() => subtle.digest("SHA-256", "text"), "TypeError");
  await throws(() => subtle.digest({}, bytes("")), "TypeError");
});

test("random values fill arrays of integers, and no more than the quota", async () => {
  const array = new Uint32Array(64);
  equal(crypto.getRandomValues(array), array);
  ok(array.some((word) => word > 0xffff));
  await throws(() => crypto.getRandomValues(new Float64Array(1)), "TypeMismatchError");
  await throws(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1))), "TypeMismatchError");
  await throws(() => crypto.getRandomValues([1]), "TypeError");
  await throws(() => crypto.getRandomValues(new Uint8Array(65537)), "QuotaExceededError");
  ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()));
});

test("HMAC signs what it verifies, and a secret comes back from raw and JWK", async () => {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await subtle.importKey("raw", bytes("Jefe"), algorithm, true, ["sign", "verify"]);
  const signature = await subtle.sign("HMAC", key, bytes("what do ya want for nothing?"));
  equal(hex(signature), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  equal(await subtle.verify("HMAC", key, signature, bytes("what do ya want for nothing?")), true);
  equal(await subtle.verify("HMAC", key, signature, bytes("what do ya want for something?")), false);
  equal(await subtle.verify("HMAC", key, signature.slice(1), bytes("what do ya want for nothing?")), false);
  const jwk = await subtle.exportKey("jwk", key);
  same(jwk, { alg: "HS256", ext: true, k: "SmVmZQ", key_ops: ["sign", "verify"], kty: "oct" });
  const again = await subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  equal(await subtle.verify("HMAC", again, signature, bytes("what do ya want for nothing?")), true);
  await throws(() => subtle.exportKey("raw", again), "InvalidAccessError");
  await throws(() => subtle.sign("HMAC", again, bytes("")), "InvalidAccessError");
  await throws(() => subtle.importKey("jwk", { ...jwk, alg: "HS512" }, algorithm, true, ["sign"]), "DataError");
  await throws(() => subtle.importKey("jwk", { ...jwk, k: "=" }, algorithm, true, ["sign"]), "DataError");
  await throws(() => subtle.importKey("raw", bytes("x"), algorithm, true, ["encrypt"]), "SyntaxError");
  await throws(() => subtle.importKey("raw", bytes("x"), algorithm, true, []), "SyntaxError");
  equal((await subtle.generateKey({ name: "HMAC", hash: "SHA-512" }, true, ["sign"])).algorithm.length, 1024);
});

test("AES decrypts what it encrypted, and nothing else", async () => {
  for (const [name, parameters] of [["AES-GCM", { iv: new Uint8Array(12) }], ["AES-CBC", { iv: new Uint8Array(16) }], ["AES-CTR", { counter: new Uint8Array(16), length: 64 }]]) {
    for (const length of [128, 192, 256]) {
      const key = await subtle.generateKey({ name, length }, true, ["encrypt", "decrypt"]);
      const sealed = await subtle.encrypt({ name, ...parameters }, key, bytes("some text"));
      equal(new TextDecoder().decode(await subtle.decrypt({ name, ...parameters }, key, sealed)), "some text", name);
      const raw = await subtle.exportKey("raw", key);
      equal(raw.byteLength * 8, length);
      equal((await subtle.exportKey("jwk", key)).alg, `A${length}${name.slice(4)}`);
    }
  }
  const key = await subtle.importKey("raw", new Uint8Array(16), "AES-GCM", false, ["encrypt", "decrypt"]);
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12), additionalData: bytes("a") }, key, bytes("text"));
  await throws(() => subtle.decrypt({ name: "AES-GCM", iv: new Uint8Array(12), additionalData: bytes("b") }, key, sealed), "OperationError");
  await throws(() => subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12), tagLength: 127 }, key, bytes("")), "OperationError");
  await throws(() => subtle.encrypt({ name: "AES-GCM" }, key, bytes("")), "TypeError");
  await throws(() => subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(16) }, key, bytes("")), "InvalidAccessError");
  await throws(() => subtle.importKey("raw", new Uint8Array(15), "AES-GCM", false, ["encrypt"]), "DataError");
});

test("pairs sign and verify, and come back from every form", async () => {
  const kinds = [
    [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }, true],
    [{ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-1" }, true],
    [{ name: "Ed25519" }, { name: "Ed25519" }, true],
    [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "RSASSA-PKCS1-v1_5" }, false],
    [{ name: "RSA-PSS", hash: "SHA-1", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "RSA-PSS", saltLength: 20 }, false],
  ];
  for (const [algorithm, signing, hasRaw] of kinds) {
    const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
    same([publicKey.type, publicKey.usages, privateKey.type, privateKey.usages], ["public", ["verify"], "private", ["sign"]]);
    const signature = await subtle.sign(signing, privateKey, bytes("text"));
    const secrets = [privateKey];
    for (const form of ["pkcs8", "jwk"]) secrets.push(await subtle.importKey(form, await subtle.exportKey(form, privateKey), algorithm, true, ["sign"]));
    const publics = [publicKey];
    for (const form of ["spki", "jwk", ...(hasRaw ? ["raw"] : [])]) publics.push(await subtle.importKey(form, await subtle.exportKey(form, publicKey), algorithm, true, ["verify"]));
    for (const secret of secrets) {
      for (const known of publics) equal(await subtle.verify(signing, known, await subtle.sign(signing, secret, bytes("text")), bytes("text")), true, algorithm.name);
    }
    equal(await subtle.verify(signing, publicKey, signature, bytes("tixt")), false);
    equal(await subtle.verify(signing, publicKey, signature.slice(1), bytes("text")), false);
    same(JSON.stringify(publics[1].algorithm), JSON.stringify(publicKey.algorithm));
    await throws(() => subtle.sign(signing, publicKey, bytes("")), "InvalidAccessError");
    await throws(() => subtle.exportKey("spki", privateKey), "InvalidAccessError");
    await throws(() => subtle.importKey("spki", new Uint8Array(9), algorithm, true, ["verify"]), "DataError");
    await throws(async () => subtle.importKey("pkcs8", await subtle.exportKey("pkcs8", privateKey), algorithm, true, ["verify"]), "SyntaxError");
  }
});

test("a secret is shared and keys are derived from it", async () => {
  for (const algorithm of [{ name: "ECDH", namedCurve: "P-256" }, { name: "X25519" }]) {
    const [a, b] = [await subtle.generateKey(algorithm, false, ["deriveBits", "deriveKey"]), await subtle.generateKey(algorithm, false, ["deriveBits"])];
    const one = await subtle.deriveBits({ ...algorithm, public: b.publicKey }, a.privateKey, 256);
    equal(hex(one), hex(await subtle.deriveBits({ ...algorithm, public: a.publicKey }, b.privateKey, 256)));
    const key = await subtle.deriveKey({ ...algorithm, public: b.publicKey }, a.privateKey, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
    equal(hex(await subtle.exportKey("raw", key)), hex(one).slice(0, 32));
  }
  const secret = await subtle.importKey("raw", bytes("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
  const derived = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: bytes("salt"), iterations: 2 }, secret, 160);
  equal(hex(derived), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
  await throws(() => subtle.importKey("raw", bytes("x"), "HKDF", true, ["deriveBits"]), "SyntaxError");
  const input = await subtle.importKey("raw", new Uint8Array(22).fill(11), "HKDF", false, ["deriveBits"]);
  const info = { name: "HKDF", hash: "SHA-256", salt: Uint8Array.from({ length: 13 }, (_, i) => i), info: Uint8Array.from({ length: 10 }, (_, i) => 0xf0 + i) };
  equal(hex(await subtle.deriveBits(info, input, 336)), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

test("RSA-OAEP decrypts what was encrypted, and keys are wrapped", async () => {
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
  const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ["encrypt", "decrypt", "wrapKey", "unwrapKey"]);
  const sealed = await subtle.encrypt("RSA-OAEP", publicKey, bytes("text"));
  equal(new TextDecoder().decode(await subtle.decrypt("RSA-OAEP", privateKey, sealed)), "text");
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const wrapped = await subtle.wrapKey("raw", key, publicKey, "RSA-OAEP");
  const back = await subtle.unwrapKey("raw", wrapped, privateKey, "RSA-OAEP", "AES-GCM", true, ["encrypt"]);
  equal(hex(await subtle.exportKey("raw", back)), hex(await subtle.exportKey("raw", key)));
});

test("what is no key is refused, whatever it is", async () => {
  const algorithms = [
    [{ name: "ECDSA", namedCurve: "P-256" }, ["verify"], ["sign"]], [{ name: "ECDSA", namedCurve: "P-384" }, ["verify"], ["sign"]],
    [{ name: "Ed25519" }, ["verify"], ["sign"]], [{ name: "X25519" }, [], ["deriveBits"]], [{ name: "RSA-PSS", hash: "SHA-256" }, ["verify"], ["sign"]],
  ];
  // A generator that says the same each time.
  let state = 1;
  const random = (length) => Uint8Array.from({ length }, () => ((state = (state * 1103515245 + 12345) % 2147483648), state >> 16));
  const ways = { taken: 0, refused: 0 };
  const attempt = async (...given) => {
    try {
      await subtle.importKey(...given);
      ways.taken++;
    } catch (error) {
      ok(error.name === "DataError" || error.name === "NotSupportedError", `${error.name}: ${error.message}`);
      ways.refused++;
    }
  };
  const pairs = [];
  for (const [algorithm] of algorithms) {
    const usages = algorithm.name === "X25519" ? ["deriveBits"] : ["sign", "verify"];
    pairs.push(await subtle.generateKey({ ...algorithm, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, true, usages));
  }
  for (const [index, [algorithm, publicUsages, privateUsages]] of algorithms.entries()) {
    const forms = { spki: await subtle.exportKey("spki", pairs[index].publicKey), pkcs8: await subtle.exportKey("pkcs8", pairs[index].privateKey) };
    for (const form of ["spki", "pkcs8"]) {
      const usages = form === "spki" ? publicUsages : privateUsages;
      for (const length of [0, 1, 31, 32, 65]) await attempt(form, random(length), algorithm, true, usages);
      for (let i = 0; i < 40; i++) {
        const changed = new Uint8Array(forms[form]).slice();
        changed[random(4).reduce((sum, byte) => sum * 7 + byte, 0) % changed.length] ^= 1 << (i % 8);
        await attempt(form, changed, algorithm, true, usages);
      }
      await attempt(form, new Uint8Array(forms[form]).slice(0, -1), algorithm, true, usages);
    }
    const jwk = await subtle.exportKey("jwk", pairs[index].privateKey);
    for (const member of ["x", "y", "d", "n", "e", "p", "q"]) {
      if (jwk[member] === undefined) continue;
      for (const length of [0, 1, 2, 32, 48, 128]) await attempt("jwk", { ...jwk, key_ops: undefined, [member]: random(length).toBase64({ alphabet: "base64url", omitPadding: true }) }, algorithm, true, privateUsages);
      await attempt("jwk", { ...jwk, [member]: undefined }, algorithm, true, jwk.d === undefined || member === "d" ? publicUsages : privateUsages).catch(() => {});
    }
  }
  ok(ways.refused > 300, JSON.stringify(ways));
});

await run();
