// Timers beyond their order, performance, and what the global object says of itself.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

test("an interval comes again until it is stopped, also from within", async () => {
  const seen = [];
  const id = setInterval((a, b) => {
    seen.push(a + b);
    if (seen.length === 3) clearInterval(id);
  }, 1, 1, 2);
  await pause(20);
  same(seen, [3, 3, 3]);
  const other = setInterval(() => seen.push("never"), 1);
  clearTimeout(other);
  await pause(5);
  equal(seen.length, 3);
});

test("a timer takes a function and any time, and stopping takes anything", async () => {
  for (const time of [undefined, null, -1, NaN, "1", Infinity]) clearTimeout(setTimeout(() => {}, time));
  await throws(() => setTimeout("text", 1), "TypeError", "text is not evaluated");
  await throws(() => setTimeout(), "TypeError");
  for (const id of [undefined, null, 0, -1, 1e10, "x", {}]) clearTimeout(id);
});

test("timers in timers, and jobs between them", async () => {
  const seen = [];
  setTimeout(() => {
    seen.push("outer");
    setTimeout(() => seen.push("inner"));
    queueMicrotask(() => seen.push("job"));
  });
  await pause(10);
  same(seen, ["outer", "job", "inner"]);
});

test("performance measures", async () => {
  const start = performance.now();
  await pause(2);
  ok(performance.now() > start);
  ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000);
  performance.mark("a", { startTime: 1, detail: { x: [1] } });
  performance.mark("b", { startTime: 4 });
  const measure = performance.measure("ab", "a", "b");
  same([measure.startTime, measure.duration, performance.getEntriesByName("ab").length], [1, 3, 1]);
  performance.clearMarks();
  equal(performance.getEntriesByType("mark").length, 0);
  await throws(() => performance.measure("x", "nothing"), "SyntaxError");
});

test("the global object says what it is", () => {
  equal(self, globalThis);
  equal(navigator.userAgent, "dayfly");
  reportError(new Error("reported by a test"));
  for (const name of ["URL", "crypto", "console", "structuredClone", "navigator"]) equal(Object.getOwnPropertyDescriptor(globalThis, name).enumerable, false, name);
});

test("a WebSocket is there to be asked for, and can't be opened", async () => {
  const error = await throws(() => new WebSocket("wss://a.test/"), "NotSupportedError", "a function opens no WebSockets");
  ok(error instanceof DOMException);
  same([WebSocket.OPEN, WebSocket.prototype instanceof EventTarget], [1, true]);
});

await run();
