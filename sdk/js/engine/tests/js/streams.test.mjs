// ReadableStream, WritableStream and TransformStream.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const counter = (count, log = []) => {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      log.push(`pull ${next}`);
      if (next < count) controller.enqueue(next++);
      else controller.close();
    },
    cancel(reason) { log.push(`cancel ${reason}`); },
  });
};

test("a stream is read, pulled as far as its queue wants, and closed", async () => {
  const log = [];
  const reader = counter(2, log).getReader();
  await 0;
  same(log, ["pull 0"]);
  same([await reader.read(), await reader.read(), await reader.read()], [{ value: 0, done: false }, { value: 1, done: false }, { value: undefined, done: true }]);
  equal(await reader.closed, undefined);
});

test("a stream is iterated, and cancelled where the loop ends", async () => {
  same(await collect(counter(3)), [0, 1, 2]);
  const log = [];
  const stream = counter(9, log);
  for await (const chunk of stream) if (chunk === 1) break;
  ok(log.includes("cancel undefined"));
  equal(stream.locked, false);
  const kept = counter(9, []);
  for await (const _ of kept.values({ preventCancel: true })) break;
  equal((await kept.getReader().read()).value, 1);
});

test("a stream is made of anything that can be iterated", async () => {
  same(await collect(ReadableStream.from([1, 2])), [1, 2]);
  same(await collect(ReadableStream.from((async function* () { yield "a"; })())), ["a"]);
  same(await collect(ReadableStream.from(new Set([Promise.resolve(1)]))), [1]);
  same(await collect(ReadableStream.from(counter(2))), [0, 1]);
  await throws(() => ReadableStream.from(5), "TypeError", "can't be iterated");
});

test("errors reach the reader, and cancellations the source", async () => {
  const failing = new ReadableStream({ pull() { throw new RangeError("broken"); } });
  await throws(() => failing.getReader().read(), "RangeError", "broken");
  const log = [];
  await counter(1, log).cancel("why");
  equal(log.at(-1), "cancel why");
  const locked = counter(1);
  locked.getReader();
  await throws(() => locked.cancel(), "TypeError", "locked");
  await throws(() => locked.getReader(), "TypeError", "locked");
});

test("both branches of a tee get everything", async () => {
  const [a, b] = counter(3).tee();
  same([await collect(a), await collect(b)], [[0, 1, 2], [0, 1, 2]]);
  const log = [];
  const [c, d] = counter(3, log).tee();
  const both = [c.cancel(1), d.cancel(2)];
  await Promise.all(both);
  equal(log.at(-1), "cancel 1,2");
});

test("bytes are read into the reader's memory", async () => {
  const stream = new ReadableStream({
    type: "bytes",
    start(controller) { controller.enqueue(new Uint8Array([1, 2, 3, 4, 5])); controller.close(); },
  });
  const reader = stream.getReader({ mode: "byob" });
  const first = await reader.read(new Uint16Array(2));
  same([first.value instanceof Uint16Array, first.value.byteLength], [true, 4]);
  same([...(await reader.read(new Uint8Array(8))).value], [5]);
  same([(await reader.read(new Uint8Array(1))).done], [true]);
  await throws(() => counter(1).getReader({ mode: "byob" }), "TypeError", 'type: "bytes"');
});

test("a source fills the memory of the reader", async () => {
  let next = 1;
  const stream = new ReadableStream({
    type: "bytes",
    pull({ byobRequest }) {
      byobRequest.view[0] = next++;
      byobRequest.respond(1);
    },
    autoAllocateChunkSize: 4,
  });
  const byob = stream.getReader({ mode: "byob" });
  same([...(await byob.read(new Uint8Array(2), { min: 2 })).value], [1, 2]);
  byob.releaseLock();
  const plain = stream.getReader();
  same([...(await plain.read()).value], [3]);
});

test("a sink gets one chunk after the other, with backpressure", async () => {
  const log = [];
  let release;
  const stream = new WritableStream({
    write(chunk) {
      log.push(chunk);
      return new Promise((done) => { release = done; });
    },
    close() { log.push("close"); },
  }, { highWaterMark: 2 });
  const writer = stream.getWriter();
  equal(writer.desiredSize, 2);
  const written = [writer.write("a"), writer.write("b")];
  equal(writer.desiredSize, 0);
  await 0;
  same(log, ["a"]);
  release();
  await written[0];
  await writer.ready;
  release();
  await writer.close();
  same(log, ["a", "b", "close"]);
  await throws(() => writer.write("c"), "TypeError", "closed");
});

test("a failing sink fails its writers, and an abort reaches it", async () => {
  const failing = new WritableStream({ write() { throw new RangeError("full"); } }).getWriter();
  await throws(() => failing.write("a"), "RangeError", "full");
  await throws(() => failing.closed, "RangeError", "full");
  let seen;
  const aborted = new WritableStream({ abort(reason) { seen = reason; } });
  await aborted.abort("why");
  equal(seen, "why");
});

test("pipes pass chunks, ends and errors", async () => {
  const log = [];
  const sink = () => new WritableStream({ write(chunk) { log.push(chunk); }, close() { log.push("close"); }, abort(reason) { log.push(`abort ${reason}`); } });
  await counter(3).pipeTo(sink());
  same(log.splice(0), [0, 1, 2, "close"]);
  await throws(() => new ReadableStream({ start(c) { c.error(new RangeError("x")); } }).pipeTo(sink()), "RangeError", "x");
  same(log.splice(0), ["abort RangeError: x"]);
  const cancelled = [];
  await throws(() => counter(9, cancelled).pipeTo(new WritableStream({ write() { throw new RangeError("no"); } })), "RangeError", "no");
  equal(cancelled.at(-1), "cancel RangeError: no");
  const controller = new AbortController();
  const slow = new ReadableStream({ pull: (c) => new Promise((done) => setTimeout(() => done(c.enqueue("slow")), 1)) });
  const piping = slow.pipeTo(sink(), { signal: controller.signal });
  setTimeout(() => controller.abort(new RangeError("enough")), 1);
  await throws(() => piping, "RangeError", "enough");
  equal(log.at(-1), "abort RangeError: enough");
});

test("a transformation changes, adds and ends chunks", async () => {
  const upper = () => new TransformStream({
    transform(chunk, controller) { controller.enqueue(chunk * 2); },
    flush(controller) { controller.enqueue("end"); },
  });
  same(await collect(counter(3).pipeThrough(upper())), [0, 2, 4, "end"]);
  same(await collect(counter(2).pipeThrough(new TransformStream())), [0, 1]);
  const failing = counter(2).pipeThrough(new TransformStream({ transform() { throw new RangeError("odd"); } }));
  await throws(() => collect(failing), "RangeError", "odd");
  const ended = counter(9).pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk); if (chunk === 1) c.terminate(); } }));
  same(await collect(ended), [0, 1]);
});

test("text goes through streams of bytes in any pieces", async () => {
  const bytes = await collect(ReadableStream.from(["a\ud83d", "\ude00", "ü", "\ud800"]).pipeThrough(new TextEncoderStream()));
  const pieces = ReadableStream.from(bytes.flatMap((chunk) => [...chunk].map((byte) => new Uint8Array([byte]))));
  equal((await collect(pieces.pipeThrough(new TextDecoderStream()))).join(""), "a😀ü\ufffd");
  const strict = ReadableStream.from([new Uint8Array([0xff])]).pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
  await throws(() => collect(strict), "TypeError");
});

test("strategies count chunks or bytes", async () => {
  const bytes = new WritableStream({}, new ByteLengthQueuingStrategy({ highWaterMark: 8 })).getWriter();
  bytes.write(new Uint8Array(5));
  equal(bytes.desiredSize, 3);
  equal(new CountQueuingStrategy({ highWaterMark: 4 }).highWaterMark, 4);
  await throws(() => new ReadableStream({}, { highWaterMark: -1 }), "RangeError");
  await throws(() => new ReadableStream({}, { size: 1 }), "TypeError");
  await throws(() => new ReadableStream({ type: "text" }), "TypeError", '"bytes"');
});

test("thousands of chunks that are there already do not pile up calls", async () => {
  let left = 20000;
  const stream = new ReadableStream({
    start(controller) {
      for (; left > 0; left--) controller.enqueue(new Uint8Array(1));
      controller.close();
    },
  });
  equal((await new Response(stream).arrayBuffer()).byteLength, 20000);
});

await run();
