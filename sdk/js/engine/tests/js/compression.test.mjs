// CompressionStream and DecompressionStream.
import { equal, ok, run, test, throws } from "./assert.mjs";

const bytesOf = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(...part);
  return new Uint8Array(parts);
};
const through = (chunks, stream) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
}).pipeThrough(stream);

const text = "some text that repeats itself; ".repeat(200);

test("what was compressed comes back, in every format and in pieces", async () => {
  for (const format of ["gzip", "deflate", "deflate-raw"]) {
    const packed = await bytesOf(through([new TextEncoder().encode(text)], new CompressionStream(format)));
    ok(packed.length < 200, format);
    const pieces = Array.from(packed, (byte) => new Uint8Array([byte]));
    equal(new TextDecoder().decode(await bytesOf(through(pieces, new DecompressionStream(format)))), text, format);
    await throws(() => bytesOf(through([packed, new Uint8Array(1)], new DecompressionStream(format))), "TypeError", "behind the end");
    await throws(() => bytesOf(through([packed.subarray(0, 30)], new DecompressionStream(format))), "TypeError", "too early");
    await throws(() => bytesOf(through([new Uint8Array([7, 7, 7, 7])], new DecompressionStream(format))), "TypeError");
  }
  await throws(() => new CompressionStream("zip"), "TypeError", "zip");
  await throws(() => bytesOf(through(["text"], new CompressionStream("gzip"))), "TypeError", "chunk");
});

test("a bomb unpacks as it is read, and no further", async () => {
  const zeros = new Uint8Array(1 << 20);
  const bomb = await bytesOf(through(Array(16).fill(zeros), new CompressionStream("gzip")));
  ok(bomb.length < 40_000);
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  let isWritten = false;
  writer.write(bomb).then(() => { isWritten = true; }, () => {});
  const reader = stream.readable.getReader();
  const first = await reader.read();
  ok(first.value.length <= 65_536);
  await new Promise((done) => setTimeout(done, 5));
  equal(isWritten, false, "written");
  await reader.cancel();
});

await run();
