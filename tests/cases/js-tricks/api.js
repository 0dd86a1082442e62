// What can be replaced is replaced, at the top and in a request: the platform's own code uses nothing of it, and no later request sees it.
function evil(name) {
  return () => { throw new Error(`the platform used ${name}`); };
}

const touched = [
  [Array.prototype, ["push", "map", "join", "forEach", "shift", "slice", "indexOf", Symbol.iterator]],
  [Promise.prototype, ["then", "catch", "finally"]],
  [Promise, ["resolve", "reject", "all"]],
  [Map.prototype, ["get", "set", "has", "delete", Symbol.iterator]],
  [Set.prototype, ["add", "has", Symbol.iterator]],
  [WeakMap.prototype, ["get", "set", "has"]],
  [String.prototype, ["toLowerCase", "split", "slice", "charCodeAt", "trim", "replace", Symbol.iterator]],
  [RegExp.prototype, ["exec", "test", Symbol.replace]],
  [Function.prototype, ["call", "apply", "bind"]],
  [Object, ["keys", "entries", "defineProperty", "freeze", "assign"]],
  [Reflect, ["apply", "get", "ownKeys"]],
  [JSON, ["parse", "stringify"]],
  [Uint8Array.prototype.__proto__, ["set", "subarray", "slice", Symbol.iterator]],
  [ArrayBuffer.prototype, ["slice"]],
  [Object.prototype, ["toString", "hasOwnProperty", "valueOf"]],
];

const { stringify } = JSON;

function replaceAll() {
  for (let i = 0; i < touched.length; i += 1) {
    const target = touched[i][0], names = touched[i][1];
    for (let n = 0; n < names.length; n += 1) target[names[n]] = evil(String(names[n].description ?? names[n]));
  }
  // Fields that options objects would inherit, and a getter that all objects would have.
  Object.prototype.status = 500;
  Object.prototype.headers = { "x-stolen": "yes" };
  Object.prototype.body = "stolen";
  globalThis.Response = globalThis.Request = globalThis.Headers = globalThis.URL = undefined;
  globalThis.console = globalThis.queueMicrotask = globalThis.setTimeout = undefined;
}

const [MyResponse, MyURL] = [Response, URL];

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new MyURL(request.url);
    if (pathname === "/clean") return new MyResponse(`${[typeof Response, [1, 2].map((n) => n + 1).join(), {}.status]}\n`);
    replaceAll();
    const body = await request.text();
    ctx.waitUntil(new (async () => {}).constructor("return 1")());
    return new MyResponse(stringify({ body, method: request.method }), { status: 201, headers: { "x-mine": "yes" } });
  },
};
