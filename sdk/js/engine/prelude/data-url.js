// Responses to `data:` addresses, as the Fetch standard has them.
import native from "dayfly:native";
import {
  RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, TypeError, Uint8Array,
  TypedArrayPrototypeSlice,
} from "dayfly:primordials";
import { BYTES } from "dayfly:body";
import { encodeUtf8 } from "dayfly:encoding";
import { trimBlanks } from "dayfly:fields";
import { parseMimeType, serializeMimeType } from "dayfly:mime";
import { fetchedResponse } from "dayfly:response";

/// A Response with what the address holds. A TypeError if it holds nothing.
export const dataResponse = (url) => {
  const hash = StringPrototypeIndexOf(url, "#");
  const text = StringPrototypeSlice(url, 5, hash === -1 ? url.length : hash);
  const comma = StringPrototypeIndexOf(text, ",");
  if (comma === -1) throw new TypeError("fetch: a data: address has a comma before its data");
  let type = trimBlanks(StringPrototypeSlice(text, 0, comma));
  let bytes = percentDecoded(StringPrototypeSlice(text, comma + 1));
  const base64 = RegExpPrototypeExec(/; *base64$/i, type);
  if (base64 !== null) {
    type = StringPrototypeSlice(type, 0, base64.index);
    bytes = fromBase64(bytes);
  }
  if (StringPrototypeStartsWith(type, ";")) type = `text/plain${type}`;
  const parsed = parseMimeType(type) ?? parseMimeType("text/plain;charset=US-ASCII");
  return fetchedResponse({
    status: 200, statusText: "OK", fields: ["content-type", serializeMimeType(parsed)], url, redirected: false, type: "basic",
    kind: BYTES, source: bytes, stream: null,
  });
};

const hexDigit = (unit) => {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
};

const percentDecoded = (text) => {
  const encoded = encodeUtf8(text);
  const decoded = new Uint8Array(encoded.length);
  let end = 0;
  for (let i = 0; i < encoded.length; i++) {
    const high = encoded[i] === 0x25 ? hexDigit(encoded[i + 1]) : -1;
    const low = high === -1 ? -1 : hexDigit(encoded[i + 2]);
    if (low !== -1) i += 2;
    decoded[end++] = low === -1 ? encoded[i] : high * 16 + low;
  }
  return TypedArrayPrototypeSlice(decoded, 0, end);
};

const fromBase64 = (bytes) => {
  const binary = native.base64Decode(native.decodeUtf8(bytes, false, true));
  if (binary === undefined) throw new TypeError("fetch: the data of the address is not base 64");
  const decoded = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) decoded[i] = StringPrototypeCharCodeAt(binary, i);
  return decoded;
};
