// jose: tokens signed and verified with each kind of key that services use, sets of keys, encrypted tokens, and all that must be refused.
import * as jose from "jose";
import rsa from "./rsa.json" with { type: "json" };

const text = new TextEncoder();
const secret = text.encode("a secret of thirty-two bytes, it is");

async function pair(alg: string) {
  if (alg === "RS256") {
    const { kty, n, e } = rsa.key;
    return { sign: (await jose.importJWK(rsa.key, alg)) as CryptoKey, verify: (await jose.importJWK({ kty, n, e }, alg)) as CryptoKey, jwk: { kty, n, e } };
  }
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { sign: privateKey, verify: publicKey, jwk: await jose.exportJWK(publicKey) };
}

/** A key that did not sign. */
async function otherKey(alg: string) {
  if (alg === "HS256") return text.encode("x".repeat(32));
  return alg === "RS256" ? jose.importJWK(rsa.other, alg) : (await pair(alg)).verify;
}

async function keys(alg: string) {
  return alg.startsWith("HS") ? { sign: secret, verify: secret } : pair(alg);
}

async function token(alg: string, key: CryptoKey | Uint8Array, claims: jose.JWTPayload = {}) {
  return new jose.SignJWT({ role: "admin", ...claims })
    .setProtectedHeader({ alg, kid: "k1" })
    .setSubject("ada").setIssuer("https://id.example").setAudience("shop").setIssuedAt().setExpirationTime("2h")
    .sign(key);
}

const expected = { issuer: "https://id.example", audience: "shop" };

/** The name of the error that something ends with. */
async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(() => "accepted", (error) => (error as jose.errors.JOSEError).code ?? String(error));
}

async function roundTrip(alg: string) {
  const { sign, verify } = await keys(alg);
  const signed = await token(alg, sign);
  const { payload, protectedHeader } = await jose.jwtVerify(signed, verify, { ...expected, algorithms: [alg] });
  const [head, body, signature] = signed.split(".");
  const other = jose.base64url.encode(JSON.stringify({ ...jose.decodeJwt(signed), role: "owner" }));
  return {
    subject: payload.sub,
    role: payload.role,
    lives: payload.exp! - payload.iat!,
    header: protectedHeader,
    refused: {
      changed: await refusal(jose.jwtVerify(`${head}.${other}.${signature}`, verify, expected)),
      cut: await refusal(jose.jwtVerify(`${head}.${body}.${signature.slice(0, -4)}`, verify, expected)),
      otherAudience: await refusal(jose.jwtVerify(signed, verify, { ...expected, audience: "bank" })),
      otherAlgorithm: await refusal(jose.jwtVerify(signed, verify, { algorithms: ["PS512"] })),
      otherKey: await refusal(jose.jwtVerify(signed, await otherKey(alg))),
      expired: await refusal(jose.jwtVerify(await token(alg, sign, {}), verify, { currentDate: new Date(Date.now() + 8e6) })),
      none: await refusal(jose.jwtVerify(new jose.UnsecuredJWT({ sub: "ada" }).encode(), verify)),
    },
  };
}

/** Keys as they are published, and tokens that name one of them. */
async function keySet() {
  const made = await Promise.all(["ES256", "RS256"].map(async (alg) => {
    const { sign, jwk } = await pair(alg);
    return { alg, sign, jwk: { ...jwk, alg, kid: alg, use: "sig" } };
  }));
  const published = jose.createLocalJWKSet({ keys: made.map((key) => key.jwk) });
  return Promise.all(made.map(async ({ alg, sign }) => {
    const signed = await new jose.SignJWT({}).setProtectedHeader({ alg, kid: alg }).setSubject(alg).sign(sign);
    return (await jose.jwtVerify(signed, published)).payload.sub;
  }));
}

async function encrypted() {
  const jwe = await new jose.EncryptJWT({ hidden: 7 }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(secret.slice(0, 32));
  const { payload } = await jose.jwtDecrypt(jwe, secret.slice(0, 32));
  return { hidden: payload.hidden, refused: await refusal(jose.jwtDecrypt(jwe, new Uint8Array(32))) };
}

/** A token and its key from RFC 7515, appendix A.1: made by nobody here. */
async function known() {
  const key = await jose.importJWK({
    kty: "oct",
    k: "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
  }, "HS256");
  const jws = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    + "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const { payload } = await jose.jwtVerify(jws, key, { currentDate: new Date(1_300_819_000_000) });
  return payload;
}

export default {
  async fetch(request: Request): Promise<Response> {
    const [, what, alg] = new URL(request.url).pathname.split("/");
    if (what === "round") return Response.json(await roundTrip(alg));
    if (what === "set") return Response.json(await keySet());
    if (what === "encrypted") return Response.json(await encrypted());
    return Response.json(await known());
  },
};
