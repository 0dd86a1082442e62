// Event, EventTarget, AbortController and AbortSignal.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

test("listeners are called in their order, each once for an event", () => {
  const target = new EventTarget();
  const seen = [];
  const listener = (event) => seen.push(["first", event.target === target, event.eventPhase]);
  target.addEventListener("x", listener);
  target.addEventListener("x", listener);
  target.addEventListener("x", { handleEvent() { seen.push("object"); } }, { once: true });
  target.addEventListener("x", () => seen.push("captures"), true);
  equal(target.dispatchEvent(new Event("x")), true);
  target.removeEventListener("x", listener);
  target.dispatchEvent(new Event("x"));
  same(seen, ["captures", ["first", true, 2], "object", "captures"]);
});

test("an event can be stopped and prevented", async () => {
  const target = new EventTarget();
  let count = 0;
  target.addEventListener("x", (event) => { count++; event.preventDefault(); event.stopImmediatePropagation(); });
  target.addEventListener("x", () => count++);
  equal(target.dispatchEvent(new CustomEvent("x", { cancelable: true, detail: 5 })), false);
  equal(count, 1);
  const event = new Event("y");
  target.addEventListener("y", () => target.dispatchEvent(event));
  target.dispatchEvent(event);
  equal(event.isTrusted, false);
  await throws(() => target.dispatchEvent({}), "TypeError");
  await throws(() => new Event(), "TypeError");
});

test("a listener that throws stops no other", () => {
  const target = new EventTarget();
  let reached = false;
  target.addEventListener("x", () => { throw new Error("thrown by a test"); });
  target.addEventListener("x", () => { reached = true; });
  target.dispatchEvent(new Event("x"));
  ok(reached);
});

test("a signal aborts once, with its reason", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const seen = [];
  signal.onabort = () => seen.push("handler");
  signal.addEventListener("abort", () => seen.push("listener"));
  controller.abort("why");
  controller.abort("again");
  same([signal.aborted, signal.reason, ...seen], [true, "why", "handler", "listener"]);
  equal((await throws(() => AbortSignal.abort().throwIfAborted(), "AbortError")).code, 20);
  await throws(() => new AbortSignal(), "TypeError");
  const target = new EventTarget();
  let called = 0;
  const other = new AbortController();
  target.addEventListener("x", () => called++, { signal: other.signal });
  target.dispatchEvent(new Event("x"));
  other.abort();
  target.dispatchEvent(new Event("x"));
  equal(called, 1);
});

test("a signal follows others, through those that follow", () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const any = AbortSignal.any([AbortSignal.any([a.signal]), b.signal]);
  let fired = 0;
  any.addEventListener("abort", () => fired++);
  a.abort(1);
  b.abort(2);
  same([any.reason, fired], [1, 1]);
  equal(AbortSignal.any([a.signal, b.signal]).reason, 1);
  equal(AbortSignal.any([]).aborted, false);
});

test("a message is cloned, and comes to the other port in a turn of its own", async () => {
  const { port1, port2 } = new MessageChannel();
  const seen = [];
  const message = { a: [1] };
  port1.postMessage(message);
  message.a.push(2);
  port2.onmessage = ({ data }) => seen.push(data);
  const bytes = new Uint8Array(3).buffer;
  port1.postMessage(bytes, [bytes]);
  same([seen, bytes.byteLength], [[], 0]);
  await new Promise((done) => setTimeout(done, 5));
  same([seen[0], seen[1].byteLength], [{ a: [1] }, 3]);
  port1.close();
  port1.postMessage("lost");
  await throws(() => port2.postMessage(() => 1), "DataCloneError");
  await throws(() => new MessagePort(), "TypeError");
});

test("a signal times out", async () => {
  const signal = AbortSignal.timeout(5);
  await new Promise((done) => { signal.onabort = done; });
  equal(signal.reason.name, "TimeoutError");
  equal(signal.reason instanceof DOMException, true);
});

await run();
