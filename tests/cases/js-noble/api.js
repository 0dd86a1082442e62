// Noble: signatures that crypto.subtle does not have, and hashes without await. Both sides agree where both can.
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

const secret = new Uint8Array(32).fill(7);
const message = utf8ToBytes("dayfly");
// Computed at deploy: no request pays for it.
const address = bytesToHex(keccak_256(secp256k1.getPublicKey(secret, false).slice(1)).slice(-20));

async function both() {
  const digest = bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", message)));
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const ed = await crypto.subtle.importKey("raw", ed25519.getPublicKey(secret), "Ed25519", false, ["verify"]);
  const ec = await crypto.subtle.importKey("raw", p256.getPublicKey(secret, false), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  return [
    digest === bytesToHex(sha256(message)),
    await crypto.subtle.verify("HMAC", key, hmac(sha256, secret, message), message),
    await crypto.subtle.verify("Ed25519", ed, ed25519.sign(message, secret), message),
    await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, ec, p256.sign(message, secret), message),
  ];
}

export default {
  async fetch() {
    const signature = secp256k1.sign(message, secret);
    const other = new Uint8Array(32).fill(9);
    return Response.json({
      address,
      signature: bytesToHex(signature),
      verified: secp256k1.verify(signature, message, secp256k1.getPublicKey(secret)),
      forged: secp256k1.verify(signature, utf8ToBytes("other"), secp256k1.getPublicKey(secret)),
      schnorr: schnorr.verify(schnorr.sign(message, secret), message, schnorr.getPublicKey(secret)),
      shared: bytesToHex(x25519.getSharedSecret(secret, x25519.getPublicKey(other))) === bytesToHex(x25519.getSharedSecret(other, x25519.getPublicKey(secret))),
      both: await both(),
    });
  },
};
