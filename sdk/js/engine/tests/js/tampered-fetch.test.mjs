// The fetch API and the streams in a script that replaced the language's own methods.
import { equal, run, same, test } from "./assert.mjs";

const { defineProperty, getOwnPropertyDescriptors } = Object;
const { ownKeys } = Reflect;
const replaced = [];

// Every method of these throws from now on. Getters stay: the language itself asks them.
function sabotage() {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
  const arrayIterator = Object.getPrototypeOf([][Symbol.iterator]());
  for (const holder of [Array, Array.prototype, Map.prototype, Set.prototype, WeakMap.prototype, String.prototype, RegExp.prototype, Promise, Promise.prototype,
    Function.prototype, Object, Number.prototype, JSON, Reflect, Uint8Array.prototype, typedArray, ArrayBuffer.prototype, arrayIterator]) {
    const all = getOwnPropertyDescriptors(holder);
    for (const key of ownKeys(all)) {
      const descriptor = all[key];
      if (key === "constructor" || !descriptor.configurable || typeof descriptor.value !== "function") continue;
      replaced[replaced.length] = () => defineProperty(holder, key, descriptor);
      const value = () => { throw "replaced"; };
      later[later.length] = () => defineProperty(holder, key, { __proto__: null, value, writable: true, configurable: true, enumerable: false });
    }
  }
  for (let i = 0; i < later.length; i++) later[i]();
  for (const name in TRAPS) {
    defineProperty(Object.prototype, name, { set() { throw "a setter was run"; }, get: undefined, configurable: true });
    replaced[replaced.length] = () => { delete Object.prototype[name]; };
  }
}
const later = [];
const TRAPS = { status: 1, headers: 1, fields: 1, kind: 1, source: 1, stream: 1, reader: 1, control: 1, queue: 1, items: 1, name: 1, body: 1, start: 1, pulled: 1, requests: 1 };

function restore() {
  for (let i = replaced.length - 1; i >= 0; i--) replaced[i]();
}

// Lists of parts are iterated as the script has it, so this is made before.
const blob = new Blob(["x"]);

const work = async () => {
  const seen = {};
  const headers = new Headers({ "X-A": "1", b: "2" });
  headers.append("x-a", "3");
  headers.set("Content-Type", "text/plain");
  seen.header = headers.get("x-a");
  seen.json = await Response.json({ a: 1 }, { status: 201, headers }).json();
  const request = new Request("http://a.test/", { method: "post", body: new TextEncoder().encode("hi"), headers });
  seen.text = await request.clone().text();
  seen.method = request.method;
  const reader = new Response("abc").body.getReader();
  seen.chunk = (await reader.read()).value.length;
  let left = 3;
  const stream = new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(new Uint8Array(2)); else c.close(); } });
  seen.bytes = (await new Response(stream.pipeThrough(new TransformStream())).arrayBuffer()).byteLength;
  const form = new FormData();
  form.append("a", "1");
  form.append("f", blob, "x.txt");
  const back = await new Response(form).formData();
  seen.form = back.get("a") + back.get("f").name;
  seen.fetched = await (await fetch("data:,ok")).text();
  seen.echoed = await (await fetch("http://echo.test/", { method: "POST", body: "sent" })).text();
  return seen;
};

test("a script that replaces the language's methods still gets right answers", async () => {
  const expected = await work();
  sabotage();
  let seen;
  try {
    seen = await work();
  } finally {
    restore();
  }
  same(seen, expected);
  equal(seen.echoed, "sent");
});

await run();
