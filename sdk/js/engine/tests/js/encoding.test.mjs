// TextEncoder, TextDecoder, atob and btoa.
import { equal, run, same, test, throws } from "./assert.mjs";

test("text becomes UTF-8, halves of pairs replaced", () => {
  same([...new TextEncoder().encode("aé€😀\ud800b")], [97, 195, 169, 226, 130, 172, 240, 159, 152, 128, 239, 191, 189, 98]);
  equal(new TextEncoder().encode().length, 0);
  equal(new TextEncoder().encoding, "utf-8");
  equal(new TextEncoder().encode("x").buffer.byteLength, 1);
});

test("text is written into a buffer in whole characters", async () => {
  const into = new Uint8Array(5);
  same(new TextEncoder().encodeInto("é😀x", into), { read: 1, written: 2 });
  same(new TextEncoder().encodeInto("a😀", into), { read: 3, written: 5 });
  same([...into], [97, 240, 159, 152, 128]);
  same(new TextEncoder().encodeInto("abc", into.subarray(4)), { read: 1, written: 1 });
  await throws(() => new TextEncoder().encodeInto("a", new Uint16Array(1)), "TypeError");
});

test("bytes become text, in one piece and in many", async () => {
  const bytes = new TextEncoder().encode("\ufeffaé😀");
  equal(new TextDecoder().decode(bytes), "aé😀");
  equal(new TextDecoder("utf8", { ignoreBOM: true }).decode(bytes), "\ufeffaé😀");
  const decoder = new TextDecoder();
  let text = "";
  for (const byte of bytes) text += decoder.decode(new Uint8Array([byte]), { stream: true });
  equal(text + decoder.decode(), "aé😀");
  equal(new TextDecoder().decode(new Uint8Array([97, 255, 240, 159])), "a\ufffd\ufffd");
  await throws(() => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])), "TypeError");
  equal(new TextDecoder().decode(new DataView(bytes.buffer, 3, 1)), "a");
  await throws(() => new TextDecoder().decode("a"), "TypeError");
});

test("other encodings have many names, and unknown ones are errors", async () => {
  equal(new TextDecoder("latin1").encoding, "windows-1252");
  equal(new TextDecoder(" Shift-JIS ").decode(new Uint8Array([0x83, 0x41])), "ア");
  equal(new TextDecoder("utf-16le").decode(new Uint8Array([0x61, 0, 0xe9, 0])), "aé");
  equal(new TextDecoder("gb18030").decode(new Uint8Array([0xc4, 0xe3])), "你");
  await throws(() => new TextDecoder("none"), "RangeError", '"none"');
});

test("base 64 goes both ways, and is forgiving as the web is", async () => {
  equal(btoa("\x00\xff~"), "AP9+");
  equal(atob(" AP9+ "), "\x00\xff~");
  equal(atob("YQ"), "a");
  equal(atob("YQ=="), "a");
  await throws(() => atob("YQ="), "InvalidCharacterError");
  await throws(() => btoa("€"), "InvalidCharacterError");
  equal((await throws(() => atob("!"), "InvalidCharacterError")).code, 5);
});

await run();
