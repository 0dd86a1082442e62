// Prototype tricks: a script replaces everything that it can reach, and the platform goes on.
import { equal, ok, run, same, test } from "./assert.mjs";

const kept = { apply: Reflect.apply, defineProperty: Object.defineProperty, descriptors: Object.getOwnPropertyDescriptors, keys: Reflect.ownKeys, push: [].push };
const undo = [];
const holders = [];
for (const name of ["Array", "Map", "Set", "WeakMap", "WeakSet", "String", "RegExp", "Promise", "Object", "Function", "Number", "BigInt", "Boolean", "Symbol", "Date", "Error",
  "TypeError", "RangeError", "ArrayBuffer", "DataView", "Uint8Array"]) {
  holders[holders.length] = globalThis[name];
  holders[holders.length] = globalThis[name].prototype;
}
holders.push(Object.getPrototypeOf(Uint8Array), Object.getPrototypeOf(Uint8Array).prototype, Object.getPrototypeOf([][Symbol.iterator]()), Math, JSON, Reflect);

const traps = ["0", "1", "2", "name", "hash", "material", "callback", "reason", "index", "x"];

// Replaces all methods and getters of the language by ones that throw, puts setters on the prototypes of objects and lists, and takes the globals away.
function sabotage() {
  const { apply, defineProperty, descriptors, keys, push } = kept;
  const put = (holder, key, descriptor) => {
    apply(push, undo, [() => defineProperty(holder, key, descriptor)]);
  };
  for (let i = 0; i < holders.length; i++) {
    const all = descriptors(holders[i]);
    const names = keys(all);
    for (let j = 0; j < names.length; j++) {
      const key = names[j];
      const descriptor = all[key];
      if (!descriptor.configurable || key === "constructor" || key === "prototype" || key === "__proto__" || key === "length" || key === "name") continue;
      if (typeof descriptor.value !== "function" && descriptor.get === undefined) continue;
      put(holders[i], key, descriptor);
      const what = typeof key === "string" ? "sabotaged " + key : "sabotaged symbol";
      const thrower = () => { throw what; };
      const changed = descriptor.get === undefined ? { ...descriptor, value: thrower } : { ...descriptor, get: thrower };
      defineProperty(holders[i], key, changed);
    }
  }
  for (let i = 0; i < traps.length; i++) {
    const key = traps[i];
    const holder = key < "3" ? ArrayPrototype : ObjectPrototype;
    apply(push, undo, [() => { delete holder[key]; }]);
    defineProperty(holder, key, { get: undefined, set() { throw "a setter was run"; }, configurable: true });
  }
}
const ArrayPrototype = Array.prototype;
const ObjectPrototype = Object.prototype;

// As `Promise.withResolvers`, which is replaced as well.
function withResolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}

function restore() {
  for (let i = undo.length - 1; i >= 0; i--) undo[i]();
  undo.length = 0;
}

// Runs what may give a promise while everything is replaced.
async function under(body) {
  try {
    sabotage();
    return await body();
  } finally {
    restore();
  }
}

test("the sabotage itself works: what the script calls throws", async () => {
  const thrown = {};
  await under(() => {
    try { [].concat(1); } catch (error) { thrown.concat = error; }
    try { for (const item of [1]) thrown.item = item; } catch (error) { thrown.iteration = error; }
  });
  same(thrown, { concat: "sabotaged concat", iteration: "sabotaged symbol" });
  equal([1].concat(2).length, 2);
});

test("URLs and their parameters", async () => {
  const seen = await under(() => {
    const url = new URL("https://a/b?c=1&d=2");
    url.searchParams.append("e", "3");
    url.searchParams.delete("c");
    url.searchParams.set("d", "4");
    url.searchParams.sort();
    return { href: url.href, path: url.pathname, d: url.searchParams.get("d"), has: url.searchParams.has("e") };
  });
  same(seen, { href: "https://a/b?d=4&e=3", path: "/b", d: "4", has: true });
});

test("text and bytes", async () => {
  const seen = await under(() => ({ text: new TextDecoder().decode(new TextEncoder().encode("aé")), base64: atob(btoa("hi")) }));
  same(seen, { text: "aé", base64: "hi" });
});

test("events and signals", async () => {
  const seen = { count: 0 };
  await under(() => {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => { seen.count++; });
    controller.signal.onabort = () => { seen.count++; };
    controller.abort();
    seen.aborted = controller.signal.aborted;
    seen.kind = controller.signal.reason.name;
  });
  same(seen, { count: 2, aborted: true, kind: "AbortError" });
});

test("clones", async () => {
  const value = { a: [1, { b: new Map([["k", new Set([1])]]) }], date: new Date(3), bytes: new Uint8Array([1]) };
  const clone = await under(() => structuredClone(value));
  same([clone.a[1].b.get("k").has(1), clone.date.getTime(), clone.bytes[0]], [true, 3, 1]);
});

test("timers, and promises that the platform makes", async () => {
  const seen = await under(async () => {
    const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(3));
    const { promise, resolve } = withResolvers();
    setTimeout(resolve, 1, "fired");
    return { digest, fired: await promise };
  });
  same([seen.digest.byteLength, seen.fired], [32, "fired"]);
});

test("crypto", async () => {
  const usages = ["sign", "verify"];
  const iterable = { *[Symbol.iterator]() { yield "sign"; yield "verify"; } };
  const random = new Uint8Array(16);
  const seen = await under(async () => {
    crypto.getRandomValues(random);
    return { uuid: crypto.randomUUID(), key: await crypto.subtle.importKey("raw", random, { name: "HMAC", hash: "SHA-256" }, true, iterable) };
  });
  equal(seen.uuid.length, 36);
  same(seen.key.usages, usages);
});

test("the console says what it is given", async () => {
  const map = new Map([[1, 2]]);
  await under(() => {
    console.log("text", { a: [1, map] }, new Error("e"));
    console.log({ a: 1 });
    console.log("%s %d", "x", 5);
    console.table([{ a: 1 }]);
  });
});

await run();
