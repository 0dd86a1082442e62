// structuredClone.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

test("values are cloned by kind, shared parts stay shared, and cycles close", () => {
  const shared = { a: 1 };
  const value = {
    shared, again: shared, list: [1, , 3], map: new Map([[shared, new Set([1])]]), date: new Date(5), pattern: /a/gi, big: 5n, boxed: Object("x"), nan: NaN,
    bytes: new Uint16Array([1, 2]), view: new DataView(new ArrayBuffer(4), 1, 2), empty: undefined, nothing: null,
  };
  value.self = value;
  const clone = structuredClone(value);
  ok(clone !== value && clone.self === clone && clone.shared === clone.again && clone.shared !== shared);
  same([clone.list.length, 1 in clone.list], [3, false]);
  equal(clone.map.get(clone.shared).has(1), true);
  same([clone.date.getTime(), clone.pattern.source, clone.pattern.flags, clone.pattern.lastIndex, clone.big], [5, "a", "gi", 0, 5n]);
  ok(typeof clone.boxed === "object" && clone.boxed.valueOf() === "x" && Number.isNaN(clone.nan));
  ok(clone.bytes instanceof Uint16Array && clone.bytes.buffer !== value.bytes.buffer && clone.bytes[1] === 2);
  same([clone.view.byteOffset, clone.view.byteLength, "empty" in clone, clone.nothing], [1, 2, true, null]);
});

test("views of one buffer are cloned to views of one buffer", () => {
  const buffer = new ArrayBuffer(8);
  const [a, b] = structuredClone([new Uint8Array(buffer), new Uint32Array(buffer, 4)]);
  equal(a.buffer, b.buffer);
  equal(b.byteOffset, 4);
});

test("an error keeps its name, message, calls and cause", () => {
  const error = new RangeError("what", { cause: { a: 1 } });
  const clone = structuredClone(error);
  ok(clone instanceof RangeError && clone !== error);
  same([clone.message, clone.stack, clone.cause], ["what", error.stack, { a: 1 }]);
  class Own extends Error { name = "Own"; }
  ok(structuredClone(new Own("x")).constructor === Error);
  const aborted = structuredClone(new DOMException("m", "AbortError"));
  same([aborted.name, aborted.message, aborted.code, aborted instanceof DOMException], ["AbortError", "m", 20, true]);
});

test("classes lose their prototype, and what can't be cloned is named", async () => {
  class Point { x = 1; get y() { return 2; } }
  same(Object.keys(structuredClone(new Point())), ["x"]);
  for (const value of [() => 1, Symbol("s"), new WeakMap(), Promise.resolve(), new Proxy({}, {}), new EventTarget(), [() => 1], (function* () {})()]) {
    equal((await throws(() => structuredClone(value), "DataCloneError")).code, 25);
  }
  await throws(() => structuredClone(), "TypeError");
});

test("a buffer that is transferred is lost to its owner, and only if all goes well", async () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  await throws(() => structuredClone({ buffer, f() {} }, { transfer: [buffer] }), "DataCloneError");
  equal(buffer.byteLength, 3);
  const clone = structuredClone({ view: new Uint8Array(buffer, 1) }, { transfer: [buffer] });
  same([...clone.view], [2, 3]);
  equal(buffer.byteLength, 0);
  ok(buffer.detached);
  await throws(() => structuredClone(buffer), "DataCloneError");
  await throws(() => structuredClone(1, { transfer: [{}] }), "DataCloneError");
  const other = new ArrayBuffer(1);
  await throws(() => structuredClone(1, { transfer: [other, other] }), "DataCloneError");
});

await run();
